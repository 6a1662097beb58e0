use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{Count, Moment};
use crate::observe::Span;

use super::Period;

/// Everything a score of one account over one period rests on.
///
/// [`Self::canonical_json`] is what a freeze keeps: reading it back and scoring again with the same
/// scheme gives the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodFacts {
    /// The period judged.
    pub period: Period,
    /// Nothing at or after this instant is judged. For a period still running, the as-of time of
    /// the newest observation: the stretch behind it would only be a gap in coverage.
    pub cutoff: DateTime<Utc>,
    /// When the account came to exist; a part of the period before it is not judged.
    pub existed_from: Option<DateTime<Utc>>,
    /// When the account was closed; a part of the period after it is not judged.
    pub existed_until: Option<DateTime<Utc>>,
    /// Covered stretches, in any order, overlapping or not.
    pub covered: Vec<Stretch>,
    /// Posts that may lie in the period, in any order.
    pub posts: Vec<PostFact>,
    /// Messages with their answers; `None` where no page that carries messages was read.
    pub inquiries: Option<Vec<InquiryFact>>,
    /// Followers at the newest sample before the cutoff; `None` where no page carries them.
    pub followers: Option<Count>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
}

impl From<Span> for Stretch {
    fn from(span: Span) -> Self {
        Self { from: span.low, to: span.high }
    }
}

impl From<Moment> for Stretch {
    fn from(moment: Moment) -> Self {
        Self { from: moment.lower(), to: moment.upper() }
    }
}

/// One post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostFact {
    /// When it was published, as closely as is known.
    pub published: Stretch,
    /// `true` for an original, `false` for a repost, `None` where the page does not say.
    pub original: Option<bool>,
    /// Reads or plays at the newest sample.
    pub reads: Option<Count>,
    /// Likes at the newest sample.
    pub likes: Option<Count>,
    /// Comments at the newest sample.
    pub comments: Option<Count>,
    /// Shares at the newest sample.
    pub shares: Option<Count>,
}

impl PostFact {
    /// When a post was published: the interval of its claim, never later than it was first seen. An
    /// undated post lies between the observation before, if there was one, and the first that
    /// listed it.
    pub fn published(
        claimed: Option<Moment>,
        first_seen: DateTime<Utc>,
        seen_before: Option<DateTime<Utc>>,
    ) -> Stretch {
        match claimed {
            Some(moment) => Stretch {
                from: moment.lower().min(first_seen),
                to: moment.upper().min(first_seen).max(moment.lower().min(first_seen)),
            },
            None => Stretch { from: seen_before.unwrap_or(DateTime::UNIX_EPOCH), to: first_seen },
        }
    }
}

/// One message and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InquiryFact {
    /// When it was asked; `None` where the page gives no time.
    pub asked: Option<Stretch>,
    /// When the account itself first answered; an answer of anybody else is none.
    pub replied: Option<Stretch>,
}

impl PeriodFacts {
    /// The facts as JSON, the same bytes for the same facts in whatever order they were loaded.
    pub fn canonical_json(&self) -> String {
        let mut facts = self.clone();
        facts.covered.sort();
        facts.posts.sort_by_cached_key(|post| (post.published, json(post)));
        if let Some(inquiries) = &mut facts.inquiries {
            inquiries.sort_by_key(|inquiry| (inquiry.asked, inquiry.replied));
        }
        json(&facts)
    }

    /// `sha256:…` of [`Self::canonical_json`].
    pub fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(self.canonical_json())))
    }
}

/// JSON of plain data without maps, whose keys come in the order of the declaration.
pub(super) fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("plain data with text keys has a JSON form")
}
