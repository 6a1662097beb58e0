use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::StoreError;
use super::columns::misread;
use super::findings::{FindingRecord, NewFinding};
use crate::domain::{AccountId, FindingId, FindingState, Severity, Subject};

/// A finding as it stands in the database, with what the ledger says of its subject.
pub(super) struct FindingRow {
    pub(super) id: i64,
    pub(super) rule: String,
    pub(super) rule_title: String,
    pub(super) clause: String,
    pub(super) source: String,
    pub(super) advice: String,
    pub(super) rule_digest: String,
    pub(super) severity: String,
    pub(super) account_id: Option<i64>,
    pub(super) unit_name: Option<String>,
    pub(super) unit_code: Option<String>,
    pub(super) area: Option<String>,
    pub(super) occasion: String,
    pub(super) statement: String,
    pub(super) window_from: Option<DateTime<Utc>>,
    pub(super) window_to: Option<DateTime<Utc>>,
    pub(super) inputs: Value,
    pub(super) evidence: Value,
    pub(super) state: String,
    pub(super) state_since: DateTime<Utc>,
    pub(super) needs_approval: bool,
    pub(super) per_occasion: bool,
    pub(super) deadline_days: i32,
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) raised_by: String,
    pub(super) raised_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) approved_by: Option<String>,
    pub(super) doubt: Option<String>,
    pub(super) key: Option<String>,
    pub(super) name: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) lifecycle: Option<String>,
    pub(super) region: Option<String>,
    pub(super) sponsor: Option<String>,
    pub(super) exemption: Option<String>,
    pub(super) exempt_until: Option<NaiveDate>,
    pub(super) granted: Option<String>,
    pub(super) granted_until: Option<NaiveDate>,
    pub(super) explained_until: Option<NaiveDate>,
}

impl TryFrom<FindingRow> for FindingRecord {
    type Error = StoreError;

    fn try_from(row: FindingRow) -> Result<Self, StoreError> {
        let region = |code: String| code.parse().map_err(|_| misread("a region", &code));
        let subject = match (row.account_id, row.unit_name, row.area) {
            (Some(id), ..) => Subject::Account(AccountId(id)),
            (None, Some(name), _) => Subject::Sponsor { name, code: row.unit_code },
            (None, None, Some(area)) => Subject::Area(region(area)?),
            (None, None, None) => return Err(misread("a finding's subject", row.id)),
        };
        let account = row.name.zip(row.platform).zip(row.lifecycle);
        // Of the ledger's exemption and one granted for this rule, the one that holds longer.
        let exemptions = [
            row.exemption.map(|reason| (reason, row.exempt_until)),
            row.granted.map(|reason| (reason, row.granted_until)),
        ];
        let longest = |one: &(String, Option<NaiveDate>)| one.1.unwrap_or(NaiveDate::MAX);
        Ok(Self {
            id: FindingId(row.id),
            found: NewFinding {
                rule: row.rule,
                rule_title: row.rule_title,
                clause: row.clause,
                source: row.source,
                advice: row.advice,
                rule_digest: row.rule_digest,
                severity: Severity::from_word(&row.severity)
                    .ok_or_else(|| misread("a severity", &row.severity))?,
                subject,
                occasion: row.occasion,
                statement: row.statement,
                window: row.window_from.zip(row.window_to),
                inputs: row.inputs,
                evidence: serde_json::from_value(row.evidence)
                    .map_err(|error| misread("evidence", error))?,
                needs_approval: row.needs_approval,
                per_occasion: row.per_occasion,
                deadline_days: u32::try_from(row.deadline_days).unwrap_or(1),
                raised_by: row.raised_by,
                by_job: false,
            },
            key: row.key,
            account: account.map(|((name, platform), lifecycle)| (name, platform, lifecycle)),
            sponsor: row.sponsor,
            region: row.region.map(region).transpose()?,
            state: read_state(&row.state)?,
            state_since: row.state_since,
            deadline: row.deadline,
            raised_at: row.raised_at,
            updated_at: row.updated_at,
            approved_by: row.approved_by,
            doubt: row.doubt,
            exemption: exemptions.into_iter().flatten().max_by_key(longest),
            explained_until: row.explained_until,
        })
    }
}

pub(super) fn read_state(word: &str) -> Result<FindingState, StoreError> {
    FindingState::from_word(word).ok_or_else(|| misread("a finding's state", word))
}
