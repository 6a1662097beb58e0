//! Index formulas (WCI, BCI, …) as data: metric set, terms, scale.
//!
//! Every published formula is one shape: a weighted sum of `ln(gain·x + 1)`, raised to a power and
//! scaled. The confirmed and reported ones are [`BUILT_IN`]; others are coefficient files
//! (`config/indices/*.toml`) of the operator, marked unverified and warned about. These are
//! re-implementations, not the values that vendors publish.

mod built_in;
mod file;

#[cfg(test)]
mod tests;

use std::fmt;

use super::Certainty;

pub use built_in::BUILT_IN;
pub use file::{IndexCatalog, coefficients};

/// A number that a formula takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Posts, works or videos.
    Posts,
    /// Original posts.
    Originals,
    /// Pushes (推送): several articles may go out with one.
    Pushes,
    /// Reads or plays.
    Reads,
    /// 在看.
    Zaikan,
    /// Likes (点赞).
    Likes,
    /// Comments.
    Comments,
    /// Reposts or shares.
    Shares,
    /// Comments on originals.
    OriginalComments,
    /// Reposts of originals.
    OriginalShares,
    /// Followers at the end.
    Followers,
    /// Followers gained.
    NewFollowers,
}

impl Metric {
    /// Every metric with its stable word and its Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Posts, "posts", "发布数"),
        (Self::Originals, "originals", "原创数"),
        (Self::Pushes, "pushes", "推送数"),
        (Self::Reads, "reads", "阅读(播放)数"),
        (Self::Zaikan, "zaikan", "在看数"),
        (Self::Likes, "likes", "点赞数"),
        (Self::Comments, "comments", "评论数"),
        (Self::Shares, "shares", "转发数"),
        (Self::OriginalComments, "original_comments", "原创评论数"),
        (Self::OriginalShares, "original_shares", "原创转发数"),
        (Self::Followers, "followers", "关注数"),
        (Self::NewFollowers, "new_followers", "新增关注数"),
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The Chinese name.
    pub fn title(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

/// What of a metric a term takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// The sum over the period.
    Total,
    /// The sum divided by the days of the period.
    PerDay,
    /// The sum divided by the posts.
    PerPost,
    /// The sum divided by the days and by the posts (WCI 12.0).
    PerDayPerPost,
    /// The sum of headline articles (头条) divided by the days.
    HeadlinePerDay,
    /// The most that one post has.
    Peak,
    /// The most that one post has, divided by the days (WCI 12.0).
    PeakPerDay,
}

impl Aggregate {
    /// Every aggregate with its stable word.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Total, "total"),
        (Self::PerDay, "per_day"),
        (Self::PerPost, "per_post"),
        (Self::PerDayPerPost, "per_day_per_post"),
        (Self::HeadlinePerDay, "headline_per_day"),
        (Self::Peak, "peak"),
        (Self::PeakPerDay, "peak_per_day"),
    ];
}

/// One summand: `weight · ln(gain · x + 1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Whose number.
    pub metric: Metric,
    /// Which of its numbers.
    pub of: Aggregate,
    /// The weight, not negative: an index never falls as a number rises.
    pub weight: f64,
    /// What the number is multiplied by inside the logarithm.
    pub gain: f64,
}

/// A named, versioned formula: `scale · (Σ weight · ln(gain·x + 1)) ^ power`.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// The id: lower-case letters, digits, `_`.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The index's own name, such as `WCI`.
    pub index: String,
    /// The version as its issuer counts.
    pub version: String,
    /// Where the coefficients come from.
    pub source: String,
    /// How sure they are.
    pub certainty: Certainty,
    /// Which part is less sure than the rest, for the operator.
    pub warning: Option<String>,
    /// The summands, in the order in which they are added.
    pub terms: Vec<Term>,
    /// 1 or 2.
    pub power: u32,
    /// What the power is multiplied by.
    pub scale: f64,
}

impl Formula {
    /// The metrics used, without repeats, in the order of their declaration.
    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics: Vec<Metric> = self.terms.iter().map(|term| term.metric).collect();
        metrics.sort_unstable();
        metrics.dedup();
        metrics
    }

    /// What two values must share to be compared: index, version and metric set.
    pub fn key(&self) -> FormulaKey {
        let metrics: Vec<&str> = self.metrics().into_iter().map(Metric::as_str).collect();
        FormulaKey(format!("{} {} ({})", self.index, self.version, metrics.join("+")))
    }
}

/// Index, version and metric set: two formulas carry the name WCI V14.2, so the set is part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct FormulaKey(String);

impl fmt::Display for FormulaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
