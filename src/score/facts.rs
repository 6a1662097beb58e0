use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{Count, Lifecycle, Moment, Precision};
use crate::observe::Span;
use crate::scheme::Subject;

use super::{Period, PostFact};

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
    /// Followers at the newest sample before the period; `None` where there is none.
    pub followers_before: Option<Count>,
    /// What the ledger says of the account.
    pub subject: SubjectFact,
    /// What the observation calculus proves of its silence at the cutoff, under the scheme's own
    /// tiers; `None` where it was not asked.
    pub silence: Option<SilenceFact>,
    /// What persons entered for the period, by the name of the number.
    pub entered: BTreeMap<String, Entry>,
    /// Notices and namings on record; `None` where no record is kept.
    pub record: Option<RecordFact>,
}

/// What the ledger says of an account, as far as schemes ask.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectFact {
    /// The platform's id.
    pub platform: String,
    /// 类别.
    pub category: Option<String>,
    /// 层级.
    pub level: Option<String>,
    /// 角色.
    pub role: Option<String>,
    /// 行政区划代码, six digits.
    pub region: String,
    /// 状态.
    pub lifecycle: Option<Lifecycle>,
    /// 开通日期.
    pub opened_on: Option<NaiveDate>,
    /// 备案日期.
    pub filed_on: Option<NaiveDate>,
    /// 常住人口.
    pub population: Option<u64>,
    /// Columns of the ledger that the program does not know.
    pub notes: BTreeMap<String, String>,
}

impl SubjectFact {
    /// What decides which rules concern the account.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            platform: &self.platform,
            category: self.category.as_deref(),
            level: self.level.as_deref(),
            notes: &self.notes,
        }
    }
}

/// What is proven of an account's silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SilenceFact {
    /// A tier: 0 active, 1 watch, 2 dormant (休眠), 3 zombie (僵尸).
    Proven {
        /// The strongest tier proven.
        tier: u8,
        /// The strongest that may be true: a longer silence may be there and not be provable.
        at_most: u8,
        /// Whether it is proven to have never posted (空壳).
        empty: bool,
        /// Whether it is proven gone from the platform.
        gone: bool,
    },
    /// Nothing is proven.
    Undetermined {
        /// The stable word of the reason.
        reason: String,
    },
}

/// What a person entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The number.
    pub value: Decimal,
    /// Who entered it.
    pub actor: String,
    /// Why, with the evidence.
    pub reason: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// What is on record against an account up to the cutoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFact {
    /// Update notices (更新提醒) whose time ended in the period and that are proven not to have been
    /// answered.
    pub missed_notices: u32,
    /// Those whose time ended in it, and of which it cannot be told.
    pub pending_notices: u32,
    /// Namings (通报) in published bulletins, of all time.
    pub namings: u32,
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
    /// A time to the second is an instant, as rules mean it; a coarser one is its whole interval.
    fn from(moment: Moment) -> Self {
        let to = match moment.precision {
            Precision::Second => moment.lower(),
            _ => moment.upper(),
        };
        Self { from: moment.lower(), to }
    }
}

/// One message and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InquiryFact {
    /// The kind of message: `message`, `comment`, `error_report` (纠错).
    pub kind: String,
    /// When it was asked; `None` where the page gives no time.
    pub asked: Option<Stretch>,
    /// When the account itself first answered; an answer of anybody else is none.
    pub replied: Option<Stretch>,
    /// The last look that showed it unanswered, where that lies well before the cutoff: whether it
    /// was answered since is not known. `None`: it was looked at to the cutoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<DateTime<Utc>>,
}

impl PeriodFacts {
    /// The same facts in the order in which they are written, however they were loaded.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut facts = self.clone();
        facts.arrange();
        facts
    }

    /// Brings everything into the order in which it is written.
    fn arrange(&mut self) {
        self.covered.sort();
        // Few posts are of one instant: only those are written out to be told apart.
        let order = |a: &PostFact, b: &PostFact| {
            a.published.cmp(&b.published).then_with(|| json(a).cmp(&json(b)))
        };
        self.posts.sort_by(order);
        if let Some(inquiries) = &mut self.inquiries {
            let order = |one: &InquiryFact| (one.asked, one.replied, one.open_until);
            inquiries.sort_by(|a, b| (order(a), &a.kind).cmp(&(order(b), &b.kind)));
        }
    }

    /// Whether everything is in the order in which it is written.
    pub(super) fn is_arranged(&self) -> bool {
        let order = |one: &InquiryFact| (one.asked, one.replied, one.open_until);
        self.covered.is_sorted()
            && self.posts.is_sorted_by(|a, b| match a.published.cmp(&b.published) {
                Ordering::Equal => json(a) <= json(b),
                order => order == Ordering::Less,
            })
            && self.inquiries.as_ref().is_none_or(|all| {
                all.is_sorted_by(|a, b| (order(a), &a.kind) <= (order(b), &b.kind))
            })
    }

    /// The facts as JSON, the same bytes for the same facts in whatever order they were loaded.
    pub fn canonical_json(&self) -> String {
        // What comes from the store is in order already, and is not copied.
        if self.is_arranged() { json(self) } else { json(&self.canonical()) }
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
