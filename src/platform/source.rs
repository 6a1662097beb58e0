use std::fmt;

use regex::Regex;

use crate::html::AttributeName;

use super::css::Css;
use super::query::Query;
use super::quirk::Quirk;
use super::raw::Raw;

/// A place inside a document.
#[derive(Debug, Clone)]
pub enum Path {
    /// RFC 9535 JSONPath, relative to the node it is asked of.
    Json(Query),
    /// A CSS selector among the descendants of the node it is asked of.
    Css(Css),
    /// The value of that name in a row: a column of a table.
    Column(String),
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
    Raw(Raw),
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
    pub attribute: Option<AttributeName>,
    /// For HTML: of several links there, the one whose words are a title and not a category.
    pub longest: bool,
    /// For HTML: elements whose text does not belong to it.
    pub without: Option<Css>,
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

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(path) => path.fmt(f),
            Self::Css(selector) => selector.fmt(f),
            Self::Column(name) => f.write_str(name),
        }
    }
}

/// In the words of a platform file.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("the item itself"),
            Self::At(path) => path.fmt(f),
            Self::Page(path) => write!(f, "page {path}"),
            Self::Raw(pattern) => write!(f, "raw '{pattern}'"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Handle => f.write_str("from handle"),
            Self::Address => f.write_str("from address"),
            Self::Joined(parts, with) => {
                let parts = parts.iter().map(|part| {
                    let ways = part.candidates.iter().map(ToString::to_string);
                    ways.collect::<Vec<_>>().join(" or ")
                });
                write!(f, "parts [{}] with {with:?}", parts.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// In the words of a platform file.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)?;
        if let Some(attribute) = &self.attribute {
            write!(f, " attr {}", attribute.text())?;
        }
        if self.longest {
            f.write_str(" longest")?;
        }
        if let Some(left_out) = &self.without {
            write!(f, " without {left_out}")?;
        }
        if let Some(pattern) = &self.matches {
            write!(f, " matches '{pattern}'")?;
        }
        self.quirks.iter().try_for_each(|quirk| write!(f, " as {}", quirk.name))?;
        if let Some(prefix) = &self.prefix {
            write!(f, " prefix {prefix:?}")?;
        }
        if let Some(word) = &self.is {
            write!(f, " is {word:?}")?;
        }
        Ok(())
    }
}
