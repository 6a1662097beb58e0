//! Published bulletins, read back.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::{AccountId, FindingId};

/// One published issue, without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedBulletin {
    /// Its number.
    pub id: i64,
    /// The assessment that it reports.
    pub assessment: i64,
    /// The period.
    pub period: String,
    /// The scheme of the assessment; absent: those of the assignments.
    pub scheme: Option<String>,
    /// 1 for the first; each correction is one more.
    pub issue: u32,
    /// The number of the issue that this one corrects.
    pub supersedes: Option<i64>,
    /// The number of the issue that corrects this one; absent where it is the newest.
    pub superseded_by: Option<i64>,
    /// Why it corrects; empty for the first.
    pub reason: String,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// By whom.
    pub actor: String,
    /// By when the failed accounts are to be mended.
    pub due: NaiveDate,
    /// `sha256:…` of the document.
    pub digest: String,
    /// How many accounts it names.
    pub named: u64,
    /// How many failed accounts it counts and does not name.
    pub withheld: u64,
}

/// A failed account in a bulletin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulletinAccount {
    /// 账号编号.
    pub key: String,
    /// Its number; absent where the ledger has it no longer.
    pub account: Option<AccountId>,
    /// The findings under which it is named.
    pub findings: Vec<FindingId>,
    /// Why it is counted and not named; absent where it is named.
    pub withheld: Option<String>,
}

/// A naming on an account's ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// When the account was first named so.
    pub named_at: DateTime<Utc>,
    /// The finding.
    pub finding: FindingId,
    /// Since when this is on record: a correction's own publication.
    pub known_from: DateTime<Utc>,
    /// When a correction took its place.
    pub known_until: Option<DateTime<Utc>>,
}

/// What is on record against an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnRecord {
    /// Notices to update that are proven missed.
    pub missed: u32,
    /// Those of which it cannot be told.
    pub pending: u32,
    /// Namings in published bulletins.
    pub namings: u32,
}

impl Naming {
    /// Whether it stood as of an instant.
    pub fn is_known_at(&self, at: DateTime<Utc>) -> bool {
        self.known_from <= at && self.known_until.is_none_or(|until| at < until)
    }
}

struct Row {
    id: i64,
    assessment_id: i64,
    period: String,
    scheme: Option<String>,
    issue: i32,
    supersedes: Option<i64>,
    superseded_by: Option<i64>,
    reason: String,
    published_at: DateTime<Utc>,
    actor: String,
    due: NaiveDate,
    digest: String,
    named: i64,
    withheld: i64,
}

impl From<Row> for PublishedBulletin {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            assessment: row.assessment_id,
            period: row.period,
            scheme: row.scheme,
            issue: row.issue.unsigned_abs(),
            supersedes: row.supersedes,
            superseded_by: row.superseded_by,
            reason: row.reason,
            published_at: row.published_at,
            actor: row.actor,
            due: row.due,
            digest: row.digest,
            named: row.named.unsigned_abs(),
            withheld: row.withheld.unsigned_abs(),
        }
    }
}

impl Store {
    /// Every issue of every bulletin, of one period or of all: the newest first.
    pub async fn bulletins(
        &self,
        period: Option<&str>,
    ) -> Result<Vec<PublishedBulletin>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select b.id, b.assessment_id, b.period, b.scheme, b.issue, b.supersedes,
                   n.id as "superseded_by?", b.reason, b.published_at, b.actor, b.due, b.digest,
                   (select count(*) from bulletin_accounts a
                       where a.bulletin_id = b.id and a.withheld is null) as "named!",
                   (select count(*) from bulletin_accounts a
                       where a.bulletin_id = b.id and a.withheld is not null) as "withheld!"
               from bulletins b left join bulletins n on n.supersedes = b.id
               where $1::text is null or b.period = $1
               order by b.id desc"#,
            period
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(PublishedBulletin::from).collect())
    }

    /// The document of an issue, as it was published.
    pub async fn bulletin_document(&self, id: i64) -> Result<Option<String>, StoreError> {
        let document = sqlx::query_scalar!("select document from bulletins where id = $1", id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(document)
    }

    /// The failed accounts of an issue, in their order.
    pub async fn bulletin_accounts(&self, id: i64) -> Result<Vec<BulletinAccount>, StoreError> {
        let rows = sqlx::query!(
            "select key, account_id, findings, withheld from bulletin_accounts
             where bulletin_id = $1 order by place",
            id
        )
        .fetch_all(&self.pool)
        .await?;
        let accounts = rows.into_iter().map(|row| BulletinAccount {
            key: row.key,
            account: row.account_id.map(AccountId),
            findings: row.findings.into_iter().map(FindingId).collect(),
            withheld: row.withheld,
        });
        Ok(accounts.collect())
    }

    /// What is on record against accounts: notices to update whose time ended in `(from, to]`, and
    /// namings before `to`, each bulletin once and without those that a correction took back. An
    /// account that is absent has none.
    pub async fn records_of(
        &self,
        accounts: &[AccountId],
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        known_at: DateTime<Utc>,
    ) -> Result<BTreeMap<AccountId, OnRecord>, StoreError> {
        let rows = sqlx::query!(
            r#"select wanted.account_id as "account_id!", n.missed as "missed!",
                   n.pending as "pending!", g.namings as "namings!"
               from unnest($1::bigint[]) as wanted (account_id)
               cross join lateral (
                   select count(*) filter (where p.outcome = 'missed' and p.told_at <= $4)
                           as missed,
                       count(*) filter (where p.outcome = 'pending' or p.told_at > $4) as pending
                   from notices p
                   where p.account_id = wanted.account_id and p.is_update
                     and p.issued_at is not null and p.deadline > $2
                     and p.deadline <= least($3::timestamptz, $4)) n
               cross join lateral (
                   select count(distinct p.bulletin) as namings
                   from namings p
                   left join bulletins b on b.id = p.issue
                   left join bulletins c on c.supersedes = p.issue
                   where p.account_id = wanted.account_id and p.published_at < $3
                     and coalesce(b.published_at, p.published_at) <= $4
                     and (c.published_at is null or c.published_at > $4)) g
               where n.missed + n.pending + g.namings > 0"#,
            &column(accounts, |account| account.0),
            from,
            to,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let record = |missed, pending, namings| OnRecord {
            missed: count(missed),
            pending: count(pending),
            namings: count(namings),
        };
        let records = rows
            .into_iter()
            .map(|row| (AccountId(row.account_id), record(row.missed, row.pending, row.namings)));
        Ok(records.collect())
    }
}
