use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{Lifecycle, SourceText};

use super::super::facts::json;
use super::super::{Period, PeriodFacts, Points, ScoreCard};

/// The format's name and version.
pub const FORMAT: &str = "xunjian-assessment/2";

/// The format before it: no roll-ups and rankings, and reasons in other words. It is still shown.
pub(super) const FORMAT_1: &str = "xunjian-assessment/1";

/// The first line: what was frozen, by whom, under which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenHead {
    /// [`FORMAT`], or the one before it.
    pub format: String,
    /// Program and version that computed it.
    pub software: String,
    /// The period.
    pub period: Period,
    /// The scheme asked for; absent: the one that the assignments name for each account.
    pub scheme: Option<String>,
    /// 1 for the first; each correction is one more.
    pub version: u32,
    /// The digest of the version that this one corrects.
    pub supersedes: Option<String>,
    /// Who froze it.
    pub actor: String,
    /// Why; a correction always says.
    pub reason: String,
    /// When.
    pub frozen_at: DateTime<Utc>,
    /// 监测时间点.
    pub cutoff: DateTime<Utc>,
    /// Facts recorded later were not known.
    pub known_at: DateTime<Utc>,
    /// Accounts of the ledger that were neither closed nor cancelled, drawn or not.
    pub running: u64,
    /// What was drawn, where not every account was looked at.
    pub sample: Option<FrozenSample>,
    /// The newest sealed day of the evidence chain; absent where none was.
    pub chain: Option<ChainHead>,
    /// The schemes, whole.
    pub schemes: Vec<FrozenText>,
    /// The operator's index formulas, whole; those of the program go with `software`.
    pub indices: Vec<FrozenText>,
    /// The years of working days, whole.
    pub calendar: Vec<FrozenText>,
    /// `sha256:…` of the years of working days together, as every card names it.
    pub calendar_digest: String,
}

/// A sample (抽查).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenSample {
    /// How many accounts were drawn.
    pub drawn: u64,
    /// How, such as the published seed; may be empty.
    pub note: String,
}

/// The end of the evidence chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// The newest sealed day.
    pub day: NaiveDate,
    /// Its chain value, in hex.
    pub value: String,
}

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenText {
    /// Its name without folders.
    pub name: String,
    /// `sha256:…` of its text.
    pub digest: String,
    /// Its text.
    pub text: String,
}

impl FrozenText {
    /// A file as it was read.
    pub fn of(name: &str, text: &str) -> Self {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
        Self { name, digest: digest(text.as_bytes()), text: text.to_owned() }
    }

    /// The file for a compiler.
    ///
    /// # Errors
    /// The text is not that of its digest.
    pub fn source(&self) -> Result<SourceText, String> {
        if digest(self.text.as_bytes()) != self.digest {
            return Err(format!("{}: its text is not that of its digest", self.name));
        }
        Ok(SourceText { file: self.name.clone(), text: self.text.clone() })
    }
}

impl From<&SourceText> for FrozenText {
    fn from(source: &SourceText) -> Self {
        Self::of(&source.file, &source.text)
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// One account's line: who it was, the facts, the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenAccount {
    /// 账号编号.
    pub key: String,
    /// 账号名称.
    pub name: String,
    /// The platform's id.
    pub platform: String,
    /// The platform's Chinese name.
    pub platform_title: String,
    /// 主办单位.
    pub sponsor: String,
    /// 主管单位.
    pub supervisor: Option<String>,
    /// 行政区划代码.
    pub region: String,
    /// 状态.
    pub lifecycle: Lifecycle,
    /// 豁免说明 of the ledger that held on the day of the cutoff.
    pub exemption: Option<String>,
    /// The newest post known before the cutoff, in the period or not; absent where none is.
    pub last_post_at: Option<DateTime<Utc>>,
    /// The id of the scheme that judged it.
    pub scheme: String,
    /// What runs of places look back to, by score: the points of the periods before, the newest
    /// first.
    pub earlier: BTreeMap<String, Vec<Option<Points>>>,
    /// What was pinned for it; only for accounts that are named.
    pub evidence: Option<FrozenEvidence>,
    /// Every fact, in canonical order.
    pub facts: PeriodFacts,
    /// Every point with its line.
    pub card: ScoreCard,
}

/// The evidence that is kept as long as the assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenEvidence {
    /// Visits that began at or after this instant.
    pub from: DateTime<Utc>,
    /// And before this one.
    pub to: DateTime<Utc>,
    /// Records pinned.
    pub records: u64,
    /// Of these, how many retention had dropped before: their leaves stand.
    pub dropped: u64,
    /// Visits that were answered and left no evidence.
    pub unkept: u64,
    /// `sha256:…` over the leaves of the records, in hex and in the order of their numbers.
    pub leaves: String,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenTail {
    /// How many accounts stand before it.
    pub accounts: u64,
    /// How many lines of roll-ups and rankings stand after these.
    #[serde(default)]
    pub summaries: u64,
    /// `sha256:…` over all lines before it, each with its line end.
    pub digest: String,
}

impl FrozenHead {
    /// Its line, without line end.
    pub fn line(&self) -> String {
        json(self)
    }
}

impl FrozenAccount {
    /// Its line, without line end: the same bytes in whatever order the facts were loaded.
    pub fn line(&self) -> String {
        if self.facts.is_arranged() {
            return json(self);
        }
        json(&Self { facts: self.facts.canonical(), ..self.clone() })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What does not read, and where.
    pub fn read(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| format!("an account's line: {error}"))
    }
}

impl FrozenTail {
    /// Its line, without line end.
    pub fn line(&self) -> String {
        json(self)
    }
}

/// The digest of a bundle, line by line.
#[derive(Debug, Clone, Default)]
pub struct BundleDigest(Sha256);

impl BundleDigest {
    /// Takes the next line, given without its line end.
    pub fn line(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    /// `sha256:…`.
    #[must_use]
    pub fn finish(self) -> String {
        format!("sha256:{}", hex::encode(self.0.finalize()))
    }
}
