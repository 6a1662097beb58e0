//! How accounts have shown themselves over time: names, certification texts, handles.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::{column, misread};
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::{AccountId, Identity};

/// What of an account's identity a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityField {
    /// The platform's id.
    Handle,
    /// The shown name.
    Name,
    /// The certification text (认证).
    VerifiedAs,
}

impl IdentityField {
    const ALL: [Self; 3] = [Self::Handle, Self::Name, Self::VerifiedAs];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::Name => "name",
            Self::VerifiedAs => "verified_as",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == word);
        found.ok_or_else(|| misread("a field of an identity", word))
    }

    fn of(self, identity: &Identity) -> Option<&str> {
        let value = match self {
            Self::Handle => &identity.handle,
            Self::Name => &identity.name,
            Self::VerifiedAs => &identity.verified_as,
        };
        value.as_deref().filter(|value| !value.is_empty())
    }
}

/// One value for as long as a page kind showed it without another in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRun {
    /// The account.
    pub account: AccountId,
    /// The page kind that showed it: kinds write names differently, so each is compared with
    /// itself.
    pub page: String,
    /// What it is.
    pub field: IdentityField,
    /// The value.
    pub value: String,
    /// As-of time of the first observation that showed it.
    pub first_seen: DateTime<Utc>,
    /// As-of time of the last one.
    pub last_seen: DateTime<Utc>,
    /// When the first was written down.
    pub recorded_at: DateTime<Utc>,
}

/// A page kind that showed one value and then another: the change lies in
/// `(last_before, first_after]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityChange {
    /// The account.
    pub account: AccountId,
    /// The page kind.
    pub page: String,
    /// What changed.
    pub field: IdentityField,
    /// The value before.
    pub before: String,
    /// The value after.
    pub after: String,
    /// As-of time of the last observation of the value before.
    pub last_before: DateTime<Utc>,
    /// As-of time of the first observation of the value after.
    pub first_after: DateTime<Utc>,
    /// When that one was written down.
    pub recorded_at: DateTime<Utc>,
}

impl Store {
    /// Everything these accounts have shown of themselves, in the order of account, page kind,
    /// field and time.
    ///
    /// Only values read under a proven identity are kept; a value that a page stops showing begins
    /// no row, since that a page lacks it says nothing.
    pub async fn identity_runs(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<IdentityRun>, StoreError> {
        let rows = sqlx::query!(
            "select account_id, page, field, value, first_seen, last_seen, recorded_at
             from account_identities where account_id = any($1)
             order by account_id, page, field, first_seen",
            &column(accounts, |account| account.0)
        )
        .fetch_all(&self.pool)
        .await?;
        let runs = rows.into_iter().map(|row| {
            Ok(IdentityRun {
                account: AccountId(row.account_id),
                page: row.page,
                field: IdentityField::read(&row.field)?,
                value: row.value,
                first_seen: row.first_seen,
                last_seen: row.last_seen,
                recorded_at: row.recorded_at,
            })
        });
        runs.collect()
    }

    /// The changes of identity of the ledger's accounts that were written down in
    /// `[since, until)`, in the order in which they were.
    ///
    /// Facts, not findings: whether a change is one of hands, of a typing error or of the office's
    /// own will is for others to say. A name that only a new page kind shows is none.
    pub async fn identity_changes(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<IdentityChange>, StoreError> {
        let rows = sqlx::query!(
            r#"select i.account_id, i.page, i.field, b.value as before, i.value as after,
                   b.last_seen as last_before, i.first_seen as first_after, i.recorded_at
               from account_identities i
               join accounts a on a.id = i.account_id and a.in_ledger
               cross join lateral (
                   select e.value, e.last_seen from account_identities e
                   where e.account_id = i.account_id and e.page = i.page and e.field = i.field
                     and e.first_seen < i.first_seen
                   order by e.first_seen desc limit 1
               ) b
               where i.recorded_at >= $1 and i.recorded_at < $2
               order by i.recorded_at, i.account_id, i.page, i.field, i.first_seen"#,
            since,
            until
        )
        .fetch_all(&self.pool)
        .await?;
        let changes = rows.into_iter().map(|row| {
            Ok(IdentityChange {
                account: AccountId(row.account_id),
                page: row.page,
                field: IdentityField::read(&row.field)?,
                before: row.before,
                after: row.after,
                last_before: row.last_before,
                first_after: row.first_after,
                recorded_at: row.recorded_at,
            })
        });
        changes.collect()
    }
}

struct Shown<'a> {
    account: i64,
    page: &'a str,
    field: IdentityField,
    value: &'a str,
    at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
}

/// Writes down what the records show of their accounts' identities. An observation older than the
/// newest that is known changes nothing.
pub(super) async fn write(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    let mut looks: BTreeMap<(i64, &str), Vec<&VisitRecord>> = BTreeMap::new();
    for &record in records.iter().filter(|record| record.identity.is_some()) {
        looks.entry((record.account.0, &record.visit.page)).or_default().push(record);
    }
    for of_page in looks.values_mut() {
        of_page.sort_by_key(|record| record.seen_at);
    }
    // Two looks at one page in one batch follow each other, so that the second meets the first.
    let rounds = looks.values().map(Vec::len).max().unwrap_or_default();
    for round in 0..rounds {
        let turn = looks.values().filter_map(|of_page| of_page.get(round).copied());
        let shown: Vec<Shown<'_>> = turn.flat_map(shown).collect();
        write_round(connection, &shown).await?;
    }
    Ok(())
}

fn shown(record: &VisitRecord) -> impl Iterator<Item = Shown<'_>> {
    let identity = record.identity.as_ref();
    IdentityField::ALL.into_iter().filter_map(move |field| {
        Some(Shown {
            account: record.account.0,
            page: &record.visit.page,
            field,
            value: field.of(identity?)?,
            at: record.seen_at,
            recorded_at: record.visit.recorded_at,
        })
    })
}

async fn write_round(connection: &mut PgConnection, shown: &[Shown<'_>]) -> Result<(), StoreError> {
    if shown.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with shown as (
             select s.*, n.first_seen, n.last_seen, n.value as known
             from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
                 $6::timestamptz[]) as s (account_id, page, field, value, at, recorded_at)
             left join lateral (
                 select i.first_seen, i.last_seen, i.value from account_identities i
                 where i.account_id = s.account_id and i.page = s.page and i.field = s.field
                 order by i.first_seen desc limit 1
             ) n on true
         ), moved as (
             update account_identities i set last_seen = s.at from shown s
             where i.account_id = s.account_id and i.page = s.page and i.field = s.field
               and i.first_seen = s.first_seen and s.value = s.known and s.at > s.last_seen
         )
         insert into account_identities (account_id, page, field, value, first_seen, last_seen,
             recorded_at)
         select s.account_id, s.page, s.field, s.value, s.at, s.at, s.recorded_at from shown s
         where s.first_seen is null or (s.value <> s.known and s.at > s.last_seen)",
        &column(shown, |s| s.account),
        &column(shown, |s| s.page.to_owned()),
        &column(shown, |s| s.field.as_str().to_owned()),
        &column(shown, |s| s.value.to_owned()),
        &column(shown, |s| s.at),
        &column(shown, |s| s.recorded_at),
    )
    .execute(connection)
    .await?;
    Ok(())
}
