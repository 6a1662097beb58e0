use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;

use crate::domain::{EvidenceRef, FindingState, Subject};
use crate::jobs::findings::bar_of;
use crate::store::{EvidenceRow, FindingEvent, FindingRecord, IssuedNotice, NoticeOutcome};

use super::query::beijing;

/// One finding; times are RFC 3339 at +08:00, unknown values are null.
#[derive(Debug, Serialize)]
pub(super) struct FindingView {
    id: i64,
    rule: String,
    title: String,
    severity: &'static str,
    state: &'static str,
    state_since: String,
    /// `account`, `sponsor` or `area`: whom it is about.
    subject: &'static str,
    key: Option<String>,
    name: Option<String>,
    platform: Option<String>,
    sponsor: Option<String>,
    area_code: Option<String>,
    statement: String,
    clause: String,
    source: String,
    advice: String,
    window: Option<WindowView>,
    /// What the rule was given; its shape is the rule's.
    inputs: Value,
    needs_approval: bool,
    approved_by: Option<String>,
    deadline: Option<String>,
    raised_by: String,
    raised_at: String,
    updated_at: String,
    doubt: Option<String>,
    exemption: Option<String>,
    exempt_until: Option<NaiveDate>,
    explained_until: Option<NaiveDate>,
    /// Why it may not be named in public today.
    naming_barred: Option<String>,
}

#[derive(Debug, Serialize)]
struct WindowView {
    from: String,
    to: String,
}

impl FindingView {
    pub(super) fn new(record: FindingRecord, today: NaiveDate) -> Self {
        let naming_barred = bar_of(&record, today).map(|bar| bar.to_string());
        let found = record.found;
        let (name, platform) = record.account.map(|(name, platform, _)| (name, platform)).unzip();
        let (exemption, exempt_until) =
            record.exemption.map(|(reason, until)| (Some(reason), until)).unwrap_or_default();
        Self {
            id: record.id.0,
            rule: found.rule,
            title: found.rule_title,
            severity: found.severity.as_str(),
            state: record.state.as_str(),
            state_since: beijing(record.state_since),
            subject: match found.subject {
                Subject::Account(_) => "account",
                Subject::Sponsor { .. } => "sponsor",
                Subject::Area(_) => "area",
            },
            key: record.key,
            name,
            platform,
            sponsor: record.sponsor,
            area_code: record.region.map(Into::into),
            statement: found.statement,
            clause: found.clause,
            source: found.source,
            advice: found.advice,
            window: found
                .window
                .map(|(from, to)| WindowView { from: beijing(from), to: beijing(to) }),
            inputs: found.inputs,
            needs_approval: found.needs_approval,
            approved_by: record.approved_by,
            deadline: record.deadline.map(beijing),
            raised_by: found.raised_by,
            raised_at: beijing(record.raised_at),
            updated_at: beijing(record.updated_at),
            doubt: record.doubt,
            exemption,
            exempt_until,
            explained_until: record.explained_until,
            naming_barred,
        }
    }
}

/// A finding with its log and its notices.
#[derive(Debug, Serialize)]
pub(super) struct WholeFinding {
    #[serde(flatten)]
    finding: FindingView,
    events: Vec<EventView>,
    notices: Vec<NoticeView>,
}

#[derive(Debug, Serialize)]
struct EventView {
    at: String,
    actor: String,
    by_job: bool,
    step: String,
    from: Option<&'static str>,
    to: &'static str,
    reason: String,
}

impl From<FindingEvent> for EventView {
    fn from(event: FindingEvent) -> Self {
        Self {
            at: beijing(event.at),
            actor: event.actor,
            by_job: event.by_job,
            step: event.step,
            from: event.from.map(FindingState::as_str),
            to: event.to.as_str(),
            reason: event.reason,
        }
    }
}

#[derive(Debug, Serialize)]
struct NoticeView {
    stage: i32,
    issued_at: String,
    deadline: String,
    /// `pending`, `answered`, `missed` or `withdrawn`.
    outcome: &'static str,
    answered_at: Option<String>,
}

impl From<IssuedNotice> for NoticeView {
    fn from(notice: IssuedNotice) -> Self {
        let (outcome, answered_at) = match notice.outcome {
            NoticeOutcome::Pending(_) => ("pending", None),
            NoticeOutcome::Answered { at, .. } => ("answered", Some(beijing(at))),
            NoticeOutcome::Missed => ("missed", None),
            NoticeOutcome::Withdrawn => ("withdrawn", None),
        };
        Self {
            stage: notice.stage,
            issued_at: beijing(notice.issued_at),
            deadline: beijing(notice.deadline),
            outcome,
            answered_at,
        }
    }
}

/// What a finding rests on, and the kept records that it has pinned.
#[derive(Debug, Serialize)]
pub(super) struct EvidenceView {
    finding: i64,
    evidence: Vec<EvidenceRef>,
    records: Vec<RecordView>,
}

#[derive(Debug, Serialize)]
struct RecordView {
    /// `urn:uuid:…`
    record: String,
    form: &'static str,
    class: &'static str,
    account: Option<String>,
    page: Option<String>,
    visited_at: Option<String>,
    recorded_at: String,
    /// SHA-256 in hex, the leaf of its day's tree.
    leaf: String,
    bytes: u64,
    /// Whether retention has dropped the bytes; the leaf stands.
    dropped: bool,
    /// The day whose root it stands under; null until that day is sealed.
    day: Option<NaiveDate>,
}

impl From<EvidenceRow> for RecordView {
    fn from(row: EvidenceRow) -> Self {
        Self {
            record: row.record.to_string(),
            form: row.form.as_str(),
            class: row.class.as_str(),
            account: row.account,
            page: row.page,
            visited_at: row.visited_at.map(beijing),
            recorded_at: beijing(row.recorded_at),
            leaf: row.leaf.to_string(),
            bytes: row.length,
            dropped: row.dropped,
            day: row.leaf_of.map(|(day, _)| day),
        }
    }
}

impl WholeFinding {
    pub(super) fn new(
        record: FindingRecord,
        (events, notices): (Vec<FindingEvent>, Vec<IssuedNotice>),
        today: NaiveDate,
    ) -> Self {
        Self {
            finding: FindingView::new(record, today),
            events: events.into_iter().map(EventView::from).collect(),
            notices: notices.into_iter().map(NoticeView::from).collect(),
        }
    }
}

impl EvidenceView {
    pub(super) fn new(record: FindingRecord, records: Vec<EvidenceRow>) -> Self {
        Self {
            finding: record.id.0,
            evidence: record.found.evidence,
            records: records.into_iter().map(RecordView::from).collect(),
        }
    }
}
