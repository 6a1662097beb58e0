use regex::Regex;
use scraper::Selector;
use serde_json_path::JsonPath;

use super::quirk::Quirk;

/// A place inside a document.
#[derive(Debug, Clone)]
pub enum Path {
    /// RFC 9535 JSONPath, relative to the node it is asked of.
    Json(JsonPath),
    /// A CSS selector among the descendants of the node it is asked of.
    Css(Selector),
}

/// Where a value is taken from.
#[derive(Debug, Clone)]
pub enum Place {
    /// The node itself: the item, or the whole document.
    Here,
    /// A path from the item.
    At(Path),
    /// A path from the root of the document.
    Page(Path),
    /// The first group that took part in a match of the page's raw text.
    Raw(Regex),
    /// A response header.
    Header(String),
    /// The handle that was asked for.
    Handle,
    /// The page's own final address.
    Address,
    /// All of several sources, joined; without a value as soon as one is without.
    Joined(Vec<Source>, String),
}

/// How a platform rounds the counts it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rounding {
    /// To the nearest.
    HalfUp,
    /// Down.
    Floor,
    /// Nobody has established it: both are possible.
    #[default]
    Unknown,
}

/// One way to find a value.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it stands.
    pub place: Place,
    /// For HTML: the attribute that holds it, instead of the text.
    pub attribute: Option<String>,
    /// For HTML: elements whose text does not belong to it.
    pub without: Option<Selector>,
    /// What the text must look like; the first group that takes part is the value. For a yes-or-no
    /// field, whether it matches.
    pub matches: Option<Regex>,
    /// Named functions applied to the text, in order.
    pub quirks: Vec<Quirk>,
    /// Put before the text.
    pub prefix: Option<String>,
    /// The value where the place has one, whatever it is.
    pub is: Option<String>,
    /// For counts: a plain number equal to this is a lower bound.
    pub capped: Option<u64>,
    /// For counts: the reason for which a 0 is no number but hidden.
    pub zero_hidden: Option<String>,
    /// For counts: the rounding of abbreviated numbers.
    pub rounding: Rounding,
}

/// Where one field comes from: candidates in order, and what holds where none has a value.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Tried in order; the first that yields a readable value wins.
    pub candidates: Vec<Candidate>,
    /// For counts: the reason for which the platform hides it.
    pub hidden: Option<String>,
}
