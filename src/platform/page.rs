use chrono::{DateTime, NaiveDate, Utc};
use regex::Regex;

use crate::domain::{IdTime, Post};

use super::layout::Layout;
use super::quirk::Quirk;

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A list of an account's posts.
    List,
    /// The account's own page: name, followers, counters.
    Profile,
    /// One post.
    Article,
    /// What citizens wrote under a post.
    Comments,
    /// Messages to an office and its answers.
    Board,
    /// The columns of a site.
    Inventory,
}

impl Role {
    /// Whether a page of this role speaks for the account: only lists and profiles do.
    pub fn speaks_for_account(self) -> bool {
        matches!(self, Self::List | Self::Profile)
    }
}

/// In which order a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The newest post first, apart from pinned ones.
    NewestFirst,
    /// Any other order: only an exhausted list covers a span.
    Unordered,
}

/// Who sets the publication time that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeSource {
    /// The platform: it cannot be backdated.
    Platform,
    /// The author: it can.
    Author,
}

/// How an answer proves whose page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityProof {
    /// An id in the answer.
    Answer,
    /// The final address equals the registered one, and the list was found.
    Address,
    /// It proves nobody's: a mixed list, or a page kind that need not.
    Nobody,
}

/// An address with places for `{handle}`, `{url}`, `{page}` and, of comments, `{post}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressTemplate(String);

impl AddressTemplate {
    /// The names a template may hold.
    pub const PLACES: [&'static str; 4] = ["handle", "url", "page", "post"];

    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            let end = rest[start..].find('}').filter(|_| rest.as_bytes()[start] == b'{');
            let Some(end) = end else { return Err(format!("unpaired brace in {text:?}")) };
            let name = &rest[start + 1..start + end];
            if !Self::PLACES.contains(&name) {
                return Err(format!("unknown place {{{name}}}: known are {:?}", Self::PLACES));
            }
            rest = &rest[start + end + 1..];
        }
        let address = text.starts_with("http://") || text.starts_with("https://");
        if !address && !text.starts_with("{handle}") && !text.starts_with("{url}") {
            return Err(format!("{text:?} is no http(s) address"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the address has page numbers.
    pub fn is_paged(&self) -> bool {
        self.0.contains("{page}")
    }

    /// Whether the address is that of one post.
    pub fn is_of_a_post(&self) -> bool {
        self.0.contains("{post}")
    }

    /// Whether the address is one that somebody else gives: of the account, or of a post.
    pub fn needs_url(&self) -> bool {
        self.0.contains("{url}")
    }

    /// Fills the places. `None` where the template needs a value that is not given.
    ///
    /// A value that opens the address is taken as it is; any other is percent-encoded.
    pub fn fill(&self, handle: &str, url: Option<&str>, page: u32) -> Option<String> {
        self.filled(|place| match place {
            "handle" => Some(handle.to_owned()),
            "url" => Some(url?.to_owned()),
            "page" => Some(page.to_string()),
            _ => None,
        })
    }

    /// Fills the places of an address of one post, known by its id on the platform.
    pub fn fill_post(&self, handle: &str, post: &str) -> Option<String> {
        self.filled(|place| match place {
            "handle" => Some(handle.to_owned()),
            "post" => Some(post.to_owned()),
            "page" => Some("1".to_owned()),
            _ => None,
        })
    }

    fn filled(&self, value_of: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        let mut rest = self.0.as_str();
        while let Some(start) = rest.find('{') {
            out.push_str(&rest[..start]);
            let end = rest[start..].find('}')?;
            let value = value_of(&rest[start + 1..start + end])?;
            if out.is_empty() {
                out.push_str(&value);
            } else {
                out.push_str(&encoded(&value));
            }
            rest = &rest[start + end + 1..];
        }
        out.push_str(rest);
        Some(out)
    }
}

fn encoded(value: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value
        .bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// One kind of page of a platform: where it stands, what it proves and how it is read.
#[derive(Debug, Clone)]
pub struct PageKind {
    /// The name, as in the file (`timeline`).
    pub name: String,
    /// What it is about.
    pub role: Role,
    /// Whether the daemon visits it by itself.
    pub crawl: bool,
    /// Its address; absent for pages that are only read from files.
    pub url: Option<AddressTemplate>,
    /// The order of its list.
    pub order: Order,
    /// The part of the account that it lists: `all`, or a named part.
    pub lists: String,
    /// Who sets the times it shows.
    pub time_source: TimeSource,
    /// Reads the second that a post's id holds, as epoch seconds.
    pub ref_time: Option<Quirk>,
    /// Finds in a post's id, or in its address where there is none, the number by which the site
    /// counts its posts up: the first group.
    pub ref_place: Option<Regex>,
    /// Whether a page with fewer items than usual ends the list; needs a recorded fixture.
    pub short_page_is_end: bool,
    /// The day of the newest recorded live answer that this page kind is known to read right (where
    /// only a month is known, its first day). `None`, written `"never"`: it may prove activity,
    /// never silence.
    pub verified: Option<NaiveDate>,
    /// A query parameter that makes caches on the way miss.
    pub cache_buster: Option<String>,
    /// How it proves whose page it is.
    pub identity: IdentityProof,
    /// Whether it shows citizens' words: only the redacted extraction is kept.
    pub personal: bool,
    /// The most pages one visit may follow.
    pub pages_max: u32,
    /// Ways to read it, tried in order; never empty.
    pub layouts: Vec<Layout>,
}

impl PageKind {
    /// What a post's id, or its address where there is none, tells of when it was given out.
    pub fn id_time(&self, reference: &str) -> IdTime {
        let second = self.ref_time.and_then(|quirk| (quirk.apply)(reference));
        let second = second.and_then(|text| DateTime::from_timestamp(text.parse().ok()?, 0));
        if let Some(at) = second {
            return IdTime::At(at);
        }
        let captures = self.ref_place.as_ref().and_then(|pattern| pattern.captures(reference));
        let place = captures.and_then(|found| found.get(1)?.as_str().parse().ok());
        place.map_or(IdTime::Untold, IdTime::Place)
    }

    /// When a post was published at the latest: the time it claims, or the one its id holds where
    /// that is earlier. An old page shown as new takes times such as 3分钟前 with it, but no ids.
    pub fn published_by(&self, post: &Post) -> Option<DateTime<Utc>> {
        let claimed = post.published?.lower();
        let name = post.reference.as_deref().or(post.url.as_deref());
        Some(match name.map(|name| self.id_time(name)) {
            Some(IdTime::At(given)) => claimed.min(given),
            Some(IdTime::Place(_) | IdTime::Untold) | None => claimed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_filled_and_encoded_except_where_they_open() {
        let template =
            AddressTemplate::parse("https://m.example.cn/u/{handle}?page={page}").unwrap();
        assert_eq!(
            template.fill("Mz=/中", None, 2).as_deref(),
            Some("https://m.example.cn/u/Mz%3D%2F%E4%B8%AD?page=2")
        );
        let whole = AddressTemplate::parse("{url}").unwrap();
        assert_eq!(
            whole.fill("x", Some("http://a.cn/?b=1"), 1).as_deref(),
            Some("http://a.cn/?b=1")
        );
        assert_eq!(whole.fill("x", None, 1), None);
        let comments = AddressTemplate::parse("https://a.cn/c?id={post}&u={handle}").unwrap();
        assert_eq!(comments.fill("x", None, 1), None);
        assert_eq!(
            comments.fill_post("x", "12&3").as_deref(),
            Some("https://a.cn/c?id=12%263&u=x")
        );
    }

    #[test]
    fn wrong_templates_are_refused() {
        for wrong in ["https://a.cn/{uid}", "https://a.cn/{handle", "https://a.cn/}", "ftp://a.cn/"]
        {
            assert!(AddressTemplate::parse(wrong).is_err(), "{wrong}");
        }
    }
}
