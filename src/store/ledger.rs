//! Accounts, units and the history of the ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::columns::{column, misread};
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, LedgerEntry, Lifecycle};

/// Entries per statement.
const BATCH: usize = 1000;

/// What an import changes.
#[derive(Debug, Clone, Default)]
pub struct LedgerChanges {
    /// Entries whose key is new.
    pub added: Vec<LedgerEntry>,
    /// Entries whose key is known, as they shall be.
    pub changed: Vec<LedgerEntry>,
    /// Entries that leave the ledger: they become `cancelled` (注销), and stay.
    pub withdrawn: Vec<LedgerEntry>,
}

/// What an import did; an entry that already stood as given counts nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerCounts {
    /// New accounts.
    pub added: usize,
    /// Accounts of which at least one field changed.
    pub changed: usize,
    /// Accounts that became `cancelled`.
    pub withdrawn: usize,
}

struct AccountRow {
    id: i64,
    key: String,
    platform: String,
    handle: String,
    name: String,
    url: Option<String>,
    sponsor: String,
    sponsor_code: Option<String>,
    supervisor: Option<String>,
    region: String,
    level: Option<String>,
    category: Option<String>,
    role: Option<String>,
    lifecycle: String,
    filed_on: Option<NaiveDate>,
    opened_on: Option<NaiveDate>,
    closed_on: Option<NaiveDate>,
    population: Option<i64>,
    exemption: Option<String>,
    exempt_until: Option<NaiveDate>,
    officer: Option<String>,
    notify: Option<String>,
    operator: Option<String>,
    contract_until: Option<NaiveDate>,
    site_id: Option<String>,
    notes: Value,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let code = row.sponsor_code.map(|code| code.parse().map_err(|_| misread("a code", code)));
        Ok(Self {
            id: AccountId(row.id),
            entry: LedgerEntry {
                key: row.key,
                platform: row.platform,
                handle: row.handle,
                name: row.name,
                url: row.url,
                sponsor: row.sponsor,
                sponsor_code: code.transpose()?,
                supervisor: row.supervisor,
                region: row.region.parse().map_err(|_| misread("a region", &row.region))?,
                level: row.level,
                category: row.category,
                role: row.role,
                lifecycle: Lifecycle::from_name(&row.lifecycle)
                    .ok_or_else(|| misread("a lifecycle", &row.lifecycle))?,
                filed_on: row.filed_on,
                opened_on: row.opened_on,
                closed_on: row.closed_on,
                population: row.population.and_then(|people| u64::try_from(people).ok()),
                exemption: row.exemption,
                exempt_until: row.exempt_until,
                officer: row.officer,
                notify: row.notify,
                operator: row.operator,
                contract_until: row.contract_until,
                site_id: row.site_id,
                notes: serde_json::from_value(row.notes).map_err(|e| misread("notes", e))?,
            },
        })
    }
}

/// One text for every way to choose accounts: `$tail` is the rest of the statement.
macro_rules! account_rows {
    ($tail:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            AccountRow,
            r#"select a.id, a.key, a.platform, a.handle, a.name, a.url, s.name as sponsor,
                   s.code as sponsor_code, v.name as "supervisor?", a.region as "region!", a.level,
                   a.category, a.role, a.lifecycle, a.filed_on, a.opened_on, a.closed_on,
                   a.population, a.exemption, a.exempt_until, a.officer, a.notify, a.operator,
                   a.contract_until, a.site_id, a.notes
               from accounts a
               join units s on s.id = a.sponsor_id
               left join units v on v.id = a.supervisor_id
               where a.in_ledger "# + $tail
            $(, $argument)*
        )
    };
}

impl Store {
    /// Every account of the ledger, withdrawn ones included, in the order of their numbers.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = account_rows!("order by a.id").fetch_all(&self.pool).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// The account of the office's key (账号编号).
    pub async fn account(&self, key: &str) -> Result<Option<Account>, StoreError> {
        let row = account_rows!("and a.key = $1", key).fetch_optional(&self.pool).await?;
        row.map(Account::try_from).transpose()
    }

    /// At most `limit` accounts with numbers above `after`, in the order of their numbers.
    pub(super) async fn accounts_after(
        &self,
        after: AccountId,
        limit: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let rows = account_rows!("and a.id > $1 order by a.id limit $2", after.0, limit)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// Applies an import: all of it or, on an error, nothing. `actor` and `reason` stand in the
    /// history of every account that changed.
    pub async fn apply_ledger(
        &self,
        changes: &LedgerChanges,
        actor: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<LedgerCounts, StoreError> {
        let note = Note { actor, reason, now };
        let mut counts = LedgerCounts::default();
        let mut transaction = self.pool.begin().await?;
        lock_accounts(&mut transaction, changes).await?;
        let entries: Vec<LedgerEntry> =
            changes.added.iter().chain(&changes.changed).cloned().collect();
        for batch in entries.chunks(BATCH) {
            let news = changed_entries(&mut transaction, batch.to_vec()).await?;
            counts.added += news.iter().filter(|change| change.before.is_none()).count();
            counts.changed += news.iter().filter(|change| change.before.is_some()).count();
            write_entries(&mut transaction, &news, &note).await?;
        }
        for batch in changes.withdrawn.chunks(BATCH) {
            let withdrawn = withdrawn_entries(&mut transaction, batch).await?;
            counts.withdrawn += withdrawn.len();
            write_entries(&mut transaction, &withdrawn, &note).await?;
        }
        transaction.commit().await?;
        Ok(counts)
    }
}

struct Note<'a> {
    actor: &'a str,
    reason: &'a str,
    now: DateTime<Utc>,
}

struct Change {
    kind: &'static str,
    before: Option<LedgerEntry>,
    after: LedgerEntry,
}

/// Locks every account concerned, in the order that finishing visits locks them in.
async fn lock_accounts(
    connection: &mut PgConnection,
    changes: &LedgerChanges,
) -> Result<(), StoreError> {
    let entries = changes.added.iter().chain(&changes.changed).chain(&changes.withdrawn);
    let keys: Vec<String> = entries.map(|entry| entry.key.clone()).collect();
    sqlx::query!(
        "select id from accounts where key = any($1) order by id for no key update",
        &keys
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

async fn known_entries(
    connection: &mut PgConnection,
    entries: &[LedgerEntry],
) -> Result<BTreeMap<String, LedgerEntry>, StoreError> {
    let keys = column(entries, |entry| entry.key.clone());
    let rows = account_rows!("and a.key = any($1)", &keys).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| Account::try_from(row).map(|known| (known.entry.key.clone(), known.entry)))
        .collect()
}

/// The entries that differ from what stands.
async fn changed_entries(
    connection: &mut PgConnection,
    entries: Vec<LedgerEntry>,
) -> Result<Vec<Change>, StoreError> {
    let mut known = known_entries(connection, &entries).await?;
    let changes = entries.into_iter().map(|after| {
        let before = known.remove(&after.key);
        let kind = if before.is_some() { "changed" } else { "added" };
        Change { kind, before, after }
    });
    Ok(changes.filter(|change| change.before.as_ref() != Some(&change.after)).collect())
}

/// The entries that stand and are not cancelled yet, cancelled.
async fn withdrawn_entries(
    connection: &mut PgConnection,
    entries: &[LedgerEntry],
) -> Result<Vec<Change>, StoreError> {
    let known = known_entries(connection, entries).await?;
    let standing = known.into_values().filter(|one| one.lifecycle != Lifecycle::Cancelled);
    Ok(standing
        .map(|before| {
            let after = LedgerEntry { lifecycle: Lifecycle::Cancelled, ..before.clone() };
            Change { kind: "withdrawn", before: Some(before), after }
        })
        .collect())
}

async fn write_entries(
    connection: &mut PgConnection,
    changes: &[Change],
    note: &Note<'_>,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let entries = Value::Array(column(changes, |change| json(&change.after)));
    write_units(connection, &entries).await?;
    write_accounts(connection, &entries, note.now).await?;
    sqlx::query!(
        "insert into account_history (account_id, recorded_at, actor, reason, change, before, after)
         select a.id, $1, $2, $3, c.change, c.before, c.after
         from unnest($4::text[], $5::text[], $6::jsonb[], $7::jsonb[])
             as c (key, change, before, after)
         join accounts a on a.key = c.key",
        note.now,
        note.actor,
        note.reason,
        &column(changes, |change| change.after.key.clone()),
        &column(changes, |change| change.kind.to_owned()),
        &column(changes, |change| change.before.as_ref().map(json)) as &[Option<Value>],
        &column(changes, |change| json(&change.after)),
    )
    .execute(&mut *connection)
    .await?;
    let moved = changes.iter().filter(|change| change.moved());
    forget_pages(connection, &moved.map(|c| c.after.key.clone()).collect::<Vec<_>>(), note.now)
        .await
}

impl Change {
    /// Whether the account is now to be found elsewhere.
    fn moved(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            (&before.platform, &before.handle) != (&self.after.platform, &self.after.handle)
        })
    }
}

fn json(entry: &LedgerEntry) -> Value {
    serde_json::to_value(entry).expect("a ledger entry is a map with string keys")
}

async fn write_units(connection: &mut PgConnection, entries: &Value) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into units (name, code)
         select distinct u.name, u.code
         from jsonb_to_recordset($1) as e (sponsor text, sponsor_code text, supervisor text),
              lateral (values (e.sponsor, e.sponsor_code), (e.supervisor, null)) as u (name, code)
         where u.name is not null
         order by 1, 2
         on conflict (name, code) do nothing",
        entries
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_accounts(
    connection: &mut PgConnection,
    entries: &Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with entry as (
             select e.*, s.id as sponsor_id, v.id as supervisor_id
             from jsonb_to_recordset($1) as e (
                 key text, platform text, handle text, name text, url text, sponsor text,
                 sponsor_code text, supervisor text, region text, level text, category text,
                 role text, lifecycle text, filed_on date, opened_on date, closed_on date,
                 population bigint, exemption text, exempt_until date, officer text, notify text,
                 operator text, contract_until date, site_id text, notes jsonb)
             join units s on s.name = e.sponsor and s.code is not distinct from e.sponsor_code
             left join units v on v.name = e.supervisor and v.code is null
         ), written as (
             insert into accounts (key, platform, handle, name, url, sponsor_id, supervisor_id,
                 region, level, category, role, lifecycle, filed_on, opened_on, closed_on,
                 population, exemption, exempt_until, officer, notify, operator, contract_until,
                 site_id, notes, created_at, updated_at)
             select key, platform, handle, name, url, sponsor_id, supervisor_id, region, level,
                 category, role, lifecycle, filed_on, opened_on, closed_on, population, exemption,
                 exempt_until, officer, notify, operator, contract_until, site_id, notes, $2, $2
             from entry order by key
             on conflict (key) do update set
                 in_ledger = true, platform = excluded.platform, handle = excluded.handle,
                 name = excluded.name, url = excluded.url, sponsor_id = excluded.sponsor_id,
                 supervisor_id = excluded.supervisor_id, region = excluded.region,
                 level = excluded.level, category = excluded.category, role = excluded.role,
                 lifecycle = excluded.lifecycle, filed_on = excluded.filed_on,
                 opened_on = excluded.opened_on, closed_on = excluded.closed_on,
                 population = excluded.population, exemption = excluded.exemption,
                 exempt_until = excluded.exempt_until, officer = excluded.officer,
                 notify = excluded.notify, operator = excluded.operator,
                 contract_until = excluded.contract_until, site_id = excluded.site_id,
                 notes = excluded.notes, updated_at = excluded.updated_at
             returning id
         )
         insert into account_states (account_id) select id from written order by id
         on conflict (account_id) do update set news = account_states.news + 1",
        entries,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was learned of the old page does not speak of the new one.
async fn forget_pages(
    connection: &mut PgConnection,
    keys: &[String],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update crawl_targets t set etag = null, last_modified = null, body_digest = null,
             body_as_of = null, span_high = null, observed_at = null, due_at = $2
         from accounts a where a.id = t.account_id and a.key = any($1)",
        keys,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
