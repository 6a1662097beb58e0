//! Reads pages of sites that have no file of their own.
//!
//! An article page gives up its title and publication time, a column page its list of dated links,
//! without any path from a file: by meta tags, linked data, the words beside a date, its place
//! under the title, the repetition of link and date. Every result carries a confidence and the
//! place it was found. Below the least confidence nothing is told but the reason: a refusal is
//! better than a wrong date.

mod article;
mod builder;
mod declared;
mod entry;
mod evidence;
mod heading;
mod label;
mod list;
mod margin;
mod nesting;
mod outline;
mod reference;
mod tag;
mod visible;
mod written;

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use url::Url;

use crate::domain::{Finding, Form, Post};
use crate::platform::Role;

use super::digest::{normalised, sha256, simhash};

use outline::Outline;

pub(super) use list::is_side_heading;
pub(super) use margin::names_margin;

/// What was read, with how sure it is.
pub(super) struct Found {
    pub(super) posts: Vec<Post>,
    pub(super) finding: Finding,
}

/// Reads a page of an unknown site.
///
/// # Errors
/// Why it is refused.
pub(super) fn read(
    role: Role,
    page: &str,
    address: Option<&str>,
    observed_at: DateTime<Utc>,
) -> Result<Found, String> {
    // No text has NUL, and no database takes it.
    let page = match page.contains('\0') {
        true => Cow::Owned(page.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(page),
    };
    let outline = Outline::of(&page)?;
    match role {
        Role::Article => {
            let article = article::read(&outline, address, observed_at)?;
            let text = normalised(main_text(&outline));
            let text = Some(text).filter(|text| !text.is_empty());
            let post = Post {
                url: address.map(str::to_owned).or(article.own_address),
                title: Some(article.title),
                text_digest: text.as_deref().map(sha256),
                text_simhash: text.as_deref().map(simhash),
                published: Some(article.settled.moment),
                published_text: Some(article.settled.text),
                form: Some(Form::Article),
                ..Post::default()
            };
            Ok(Found { posts: vec![post], finding: article.settled.finding })
        }
        Role::List => {
            let list = list::read(&outline, observed_at)?;
            let base = base(&outline, address);
            let mut posts: Vec<Post> = Vec::new();
            let mut known = HashSet::new();
            for entry in list.entries {
                let Some(url) = absolute(base.as_ref(), &entry.href) else { continue };
                if known.insert(url.clone()) {
                    posts.push(Post {
                        url: Some(url),
                        title: Some(entry.title),
                        published: Some(entry.moment),
                        published_text: Some(entry.text),
                        form: Some(Form::Article),
                        ..Post::default()
                    });
                }
            }
            Ok(Found { posts, finding: list.finding })
        }
        Role::Profile | Role::Comments | Role::Board | Role::Inventory => {
            Err("an unknown site is read for lists and articles only".to_owned())
        }
    }
}

/// The address against which links count: the page's own, or the one it declares.
fn base(outline: &Outline<'_>, address: Option<&str>) -> Option<Url> {
    let page = address.and_then(|address| Url::parse(address).ok());
    let declared = outline.unseen.base.and_then(|base| base.get("href"));
    match (page, declared) {
        (Some(page), Some(declared)) => page.join(&declared).ok().or(Some(page)),
        (page, _) => page,
    }
}

fn absolute(base: Option<&Url>, href: &str) -> Option<String> {
    let Some(base) = base else { return Some(href.to_owned()) };
    let address = base.join(href).ok()?;
    matches!(address.scheme(), "http" | "https").then(|| address.into())
}

/// The text of the element with the most text in paragraphs of its own.
fn main_text<'o>(outline: &'o Outline<'_>) -> &'o str {
    let mut weights = vec![0_usize; outline.parts.len()];
    let mut start = 0;
    for line in outline.text.split('\n') {
        if line.chars().count() >= PARAGRAPH_MIN {
            let holder = outline.at(start);
            if !outline.parts[holder].margin {
                for above in outline.around(holder).take(3) {
                    weights[above] += line.len();
                }
            }
        }
        start += line.len() + 1;
    }
    // The outermost of several that hold the same paragraphs comes first.
    let most = weights.iter().copied().max().filter(|most| *most > 0);
    let best = most.and_then(|most| weights.iter().position(|weight| *weight == most));
    best.map_or("", |best| outline.text_of(best))
}

/// Characters from which on a line is a paragraph.
const PARAGRAPH_MIN: usize = 15;

#[cfg(test)]
mod tests;
