//! Findings: raised and brought up to date from data or by a person, and read back.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::finding_row::FindingRow;
use super::{Store, StoreError};
use crate::domain::{
    AccountId, EvidenceRef, FindingId, FindingState, RegionCode, Severity, Subject,
};

/// A finding as a rule, or a person, gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFinding {
    /// The rule's id.
    pub rule: String,
    /// Its Chinese title.
    pub rule_title: String,
    /// Its words.
    pub clause: String,
    /// Where they come from.
    pub source: String,
    /// What the sponsor is advised to do.
    pub advice: String,
    /// Digest of the rules file.
    pub rule_digest: String,
    /// How grave it is.
    pub severity: Severity,
    /// Whom it is about.
    pub subject: Subject,
    /// Names the fact.
    pub occasion: String,
    /// The Chinese sentence.
    pub statement: String,
    /// The window looked at.
    pub window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// What the rule was given.
    pub inputs: Value,
    /// Where that can be found again.
    pub evidence: Vec<EvidenceRef>,
    /// Whether a person must approve.
    pub needs_approval: bool,
    /// Whether each occasion is a finding of its own, beside an open one of another; else one is
    /// open for a rule and subject, and brought up to date.
    pub per_occasion: bool,
    /// Calendar days from the day after a notice to its deadline.
    pub deadline_days: u32,
    /// The person, or `job:findings`.
    pub raised_by: String,
    /// Whether `raised_by` is a job.
    pub by_job: bool,
}

/// What raising a finding came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// There was none; now there is.
    New(FindingId),
    /// One was open; it is brought up to date.
    Updated(FindingId),
    /// One was open and says the same.
    Unchanged(FindingId),
    /// This very fact was closed or dismissed before, under this finding.
    Settled(FindingId),
    /// The subject is not in the ledger.
    NoSubject,
}

/// A finding as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRecord {
    /// Its number.
    pub id: FindingId,
    /// What was found; `by_job` is not kept.
    pub found: NewFinding,
    /// 账号编号, where it is about an account.
    pub key: Option<String>,
    /// The account's name, platform and lifecycle word.
    pub account: Option<(String, String, String)>,
    /// The sponsor's name.
    pub sponsor: Option<String>,
    /// The region of the account, or the area itself.
    pub region: Option<RegionCode>,
    /// Where it stands.
    pub state: FindingState,
    /// Since when.
    pub state_since: DateTime<Utc>,
    /// The end of the newest notice's time.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// When it was last brought up to date.
    pub updated_at: DateTime<Utc>,
    /// The person who approved.
    pub approved_by: Option<String>,
    /// Why the rule could not be told when it was last looked at.
    pub doubt: Option<String>,
    /// The exemption that holds for it, with its last day.
    pub exemption: Option<(String, Option<NaiveDate>)>,
    /// The last day of the newest explanation.
    pub explained_until: Option<NaiveDate>,
}

/// One text for every way to choose findings: `$tail` is the rest of the statement.
macro_rules! finding_rows {
    ($tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            FindingRow,
            r#"select f.id, f.rule, f.rule_title, f.clause, f.source, f.advice, f.rule_digest,
                   f.severity, f.account_id, n.name as "unit_name?", n.code as "unit_code?", f.area,
                   f.occasion, f.statement, f.window_from, f.window_to, f.inputs, f.evidence,
                   f.state, f.state_since, f.needs_approval, f.per_occasion, f.deadline_days,
                   f.deadline, f.raised_by, f.raised_at, f.updated_at, f.approved_by, f.doubt,
                   a.key as "key?",
                   a.name as "name?", a.platform as "platform?", a.lifecycle as "lifecycle?",
                   coalesce(a.region, f.area) as region, coalesce(s.name, n.name) as sponsor,
                   a.exemption as "exemption?", a.exempt_until as "exempt_until?",
                   x.reason as "granted?", x.until as "granted_until?",
                   e.expires_on as "explained_until?"
               from findings f
               left join accounts a on a.id = f.account_id
               left join units s on s.id = a.sponsor_id
               left join units n on n.id = f.unit_id
               left join lateral (
                   select p.reason, p.until from exemptions p
                   where p.account_id = f.account_id and (p.rule is null or p.rule = f.rule)
                   order by p.until desc limit 1) x on true
               left join lateral (
                   select p.expires_on from explanations p where p.finding_id = f.id
                   order by p.id desc limit 1) e on true
               where "# + $tail
            $(, $argument)*
        )
    };
}

/// Which findings are wanted; what is absent does not choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Only the one of this number.
    pub id: Option<FindingId>,
    /// Only those about this sponsor, or one of its accounts.
    pub sponsor: Option<i64>,
    /// Only those not done with.
    pub open: bool,
    /// Only those in this state.
    pub state: Option<FindingState>,
    /// Only those of this rule.
    pub rule: Option<String>,
    /// Only those of the account with this key.
    pub key: Option<String>,
    /// Only those whose region begins so.
    pub area: Option<String>,
    /// Only those with numbers above this.
    pub after: Option<FindingId>,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// The chosen findings in the order of their numbers.
    pub async fn findings(&self, wanted: &FindingFilter) -> Result<Vec<FindingRecord>, StoreError> {
        let rows = finding_rows!(
            "(not $1 or f.state not in ('closed', 'dismissed'))
               and ($2::text is null or f.state = $2) and ($3::text is null or f.rule = $3)
               and ($4::text is null or a.key = $4)
               and ($5::text is null or starts_with(coalesce(a.region, f.area), $5))
               and f.id > $6 and ($8::bigint is null or f.id = $8)
               and ($9::bigint is null or a.sponsor_id = $9 or f.unit_id = $9)
               order by f.id limit $7",
            wanted.open,
            wanted.state.map(FindingState::as_str),
            wanted.rule.as_deref(),
            wanted.key.as_deref(),
            wanted.area.as_deref(),
            wanted.after.map_or(0, |id| id.0),
            i64::from(wanted.limit),
            wanted.id.map(|id| id.0),
            wanted.sponsor
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(FindingRecord::try_from).collect()
    }

    /// The finding of a number.
    pub async fn finding(&self, id: FindingId) -> Result<Option<FindingRecord>, StoreError> {
        let row = finding_rows!("f.id = $1", id.0).fetch_optional(&self.pool).await?;
        row.map(FindingRecord::try_from).transpose()
    }

    /// The findings of these accounts that are not done with.
    pub async fn open_findings_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<FindingRecord>, StoreError> {
        let ids: Vec<i64> = accounts.iter().map(|account| account.0).collect();
        let rows = finding_rows!(
            "f.account_id = any($1) and f.state not in ('closed', 'dismissed') order by f.id",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(FindingRecord::try_from).collect()
    }

    /// Raises findings, or brings the open ones up to date; each in its place of the answer. A fact
    /// that was closed or dismissed under the same rule is not raised again.
    pub async fn raise_findings(
        &self,
        found: &[NewFinding],
        now: DateTime<Utc>,
    ) -> Result<Vec<Raised>, StoreError> {
        let mut raised = Vec::with_capacity(found.len());
        let mut transaction = self.pool.begin().await?;
        for one in found {
            raised.push(super::raising::raise(&mut transaction, one, now).await?);
        }
        transaction.commit().await?;
        Ok(raised)
    }

    /// Notes why open findings could not be told, or that they could.
    pub async fn doubt_findings(
        &self,
        doubts: &[(FindingId, Option<String>)],
    ) -> Result<(), StoreError> {
        let ids: Vec<i64> = doubts.iter().map(|one| one.0.0).collect();
        let words: Vec<Option<String>> = doubts.iter().map(|one| one.1.clone()).collect();
        sqlx::query!(
            "update findings f set doubt = d.doubt
             from unnest($1::bigint[], $2::text[]) as d (id, doubt)
             where f.id = d.id and f.doubt is distinct from d.doubt",
            &ids,
            &words as &[Option<String>]
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
