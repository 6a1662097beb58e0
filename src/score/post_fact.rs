use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{Count, Form, Moment, Word};

use super::facts::Stretch;

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
    /// Text, image, video, article or live; `None` where the page does not say.
    pub form: Option<Form>,
    /// The title, for topics; `None` where the page has none.
    pub title: Option<String>,
    /// `sha256:…` of the normalised text.
    pub text_digest: Option<Word>,
    /// Whether it appeared late: an observation that covers its claimed time did not list it.
    pub late: bool,
    /// Its numbers at fixed ages, as far as it has reached them.
    pub aged: Vec<Aged>,
}

/// The numbers of a post at a fixed age.
///
/// Between the last sample before that age, which gives the lower end, and the first at or after
/// it, which gives value and upper end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aged {
    /// The age: 24, 72 or 168 hours.
    pub hours: u32,
    /// Reads or plays.
    pub reads: Option<Count>,
    /// Likes.
    pub likes: Option<Count>,
    /// Comments.
    pub comments: Option<Count>,
    /// Shares.
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
            Some(moment) => {
                let claim = Stretch::from(moment);
                let from = claim.from.min(first_seen);
                Stretch { from, to: claim.to.min(first_seen).max(from) }
            }
            None => Stretch { from: seen_before.unwrap_or(DateTime::UNIX_EPOCH), to: first_seen },
        }
    }
}

impl Aged {
    /// The ages at which interactions are compared.
    pub const HOURS: [u32; 3] = [24, 72, 168];

    /// The numbers at an age from samples, oldest first: reads, likes, comments, shares.
    ///
    /// `None` where no sample was taken at or after the age of the latest publication possible.
    pub fn between<'a>(
        hours: u32,
        published: Stretch,
        samples: impl Iterator<Item = (DateTime<Utc>, [&'a Option<Count>; 4])>,
    ) -> Option<Self> {
        let age = chrono::Duration::hours(i64::from(hours));
        let (earliest, latest) = (published.from + age, published.to + age);
        let mut before: Option<[&Option<Count>; 4]> = None;
        let mut after = None;
        for (at, counts) in samples {
            if at < earliest {
                before = Some(counts);
            }
            if at >= latest {
                after = Some(counts);
                break;
            }
        }
        let after = after?;
        let of = |kind: usize| match after[kind] {
            None => None,
            Some(hidden @ Count::Hidden(_)) => Some(hidden.clone()),
            Some(then) => {
                let earlier = before.and_then(|counts| counts[kind].as_ref());
                let (value, low) = (then.value()?, then.low()?);
                // A number may also fall: likes taken back.
                let low = earlier.and_then(Count::low).unwrap_or(0).min(low);
                let high = then.high();
                if high == Some(low) {
                    return Some(Count::Exact(value));
                }
                Some(Count::Bounded { value, low, high })
            }
        };
        Some(Self { hours, reads: of(0), likes: of(1), comments: of(2), shares: of(3) })
    }
}
