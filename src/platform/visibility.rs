//! What anybody can see of an account on a platform, need by need.

use std::collections::BTreeMap;
use std::fmt;

use super::section::{Entry, Section};

/// Something that an assessment needs to see of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The list of posts with their times.
    Posts,
    /// Reads or plays.
    Reads,
    /// Likes.
    Likes,
    /// Comments, as a number.
    Comments,
    /// Shares or reposts, as a number.
    Shares,
    /// Followers.
    Followers,
    /// Citizens' messages with the account's answers and both times.
    Messages,
    /// Whether a post is the account's own work.
    Original,
    /// Whether citizens can write to it at all.
    Interaction,
    /// Who stands behind the account.
    Certified,
    /// Whether the whole can be reached.
    Availability,
}

impl Need {
    /// Every need with its word in a platform file.
    pub const ALL: [(&'static str, Self); 11] = [
        ("posts", Self::Posts),
        ("reads", Self::Reads),
        ("likes", Self::Likes),
        ("comments", Self::Comments),
        ("shares", Self::Shares),
        ("followers", Self::Followers),
        ("messages", Self::Messages),
        ("original", Self::Original),
        ("interaction", Self::Interaction),
        ("certified", Self::Certified),
        ("availability", Self::Availability),
    ];
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, need)| need == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}

/// Who can see something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// Anybody, without signing in.
    Public,
    /// Nobody outside the platform, or only who signs in, with the reason.
    Hidden(String),
    /// The account's owner only, with the reason.
    OwnerOnly(String),
    /// The platform has no such thing.
    NotApplicable,
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Hidden(why) => write!(f, "hidden: {why}"),
            Self::OwnerOnly(why) => write!(f, "owner_only: {why}"),
            Self::NotApplicable => f.write_str("n/a"),
        }
    }
}

#[derive(Clone, Copy)]
enum Word {
    Public,
    Hidden,
    OwnerOnly,
    NotApplicable,
}

const WORDS: [(&str, Word); 4] = [
    ("public", Word::Public),
    ("hidden", Word::Hidden),
    ("owner_only", Word::OwnerOnly),
    ("n/a", Word::NotApplicable),
];

/// The table of a platform file; empty where it has none. A table must answer every need: what
/// nobody has looked at is as good as unknown, and unknown is no cell.
pub(super) fn visibility(root: &Section<'_>) -> BTreeMap<Need, Visibility> {
    let Some(table) = root.section("visibility") else { return BTreeMap::new() };
    table.only(&Need::ALL.map(|(word, _)| word));
    let cells = Need::ALL.iter().filter_map(|(word, need)| {
        let cell = table.require(word)?;
        Some((*need, one(&cell)?))
    });
    cells.collect()
}

/// `"public"`, `"n/a"`, or `{ is = "hidden", why = "…" }`: what is not public has a reason.
fn one(cell: &Entry<'_>) -> Option<Visibility> {
    let (word, why) = if cell.is_text() {
        (cell.word(&WORDS)?, None)
    } else {
        let table = cell.section()?;
        table.only(&["is", "why"]);
        let word = table.require("is")?.word(&WORDS)?;
        (word, table.get("why").and_then(|why| why.text().map(str::to_owned)))
    };
    match (word, why) {
        (Word::Public, _) => Some(Visibility::Public),
        (Word::NotApplicable, _) => Some(Visibility::NotApplicable),
        (Word::Hidden, Some(why)) => Some(Visibility::Hidden(why)),
        (Word::OwnerOnly, Some(why)) => Some(Visibility::OwnerOnly(why)),
        (Word::Hidden | Word::OwnerOnly, None) => {
            cell.wrong("needs { is = …, why = \"…\" }: what is not public has a reason");
            None
        }
    }
}
