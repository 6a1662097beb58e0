//! Changes of the ledger: accounts, units and their history.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::columns::column;
use super::secrets::{Field, Sealed, Secrets};
use super::{Store, StoreError, accounts};
use crate::domain::{LedgerEntry, Lifecycle};

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

impl Store {
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
            let news = changed_entries(&mut transaction, batch, &self.secrets).await?;
            counts.added += news.iter().filter(|change| change.before.is_none()).count();
            counts.changed += news.iter().filter(|change| change.before.is_some()).count();
            write_entries(&mut transaction, &news, &note).await?;
        }
        for batch in changes.withdrawn.chunks(BATCH) {
            let withdrawn = withdrawn_entries(&mut transaction, batch, &self.secrets).await?;
            counts.withdrawn += withdrawn.len();
            write_entries(&mut transaction, &withdrawn, &note).await?;
        }
        transaction.commit().await?;
        self.analyze_grown(counts.added, "units, accounts, account_states, account_history").await;
        Ok(counts)
    }
}

struct Note<'a> {
    actor: &'a str,
    reason: &'a str,
    now: DateTime<Utc>,
}

/// An entry with what stands encrypted for it.
#[derive(Clone)]
struct Known {
    entry: LedgerEntry,
    sealed: Sealed,
}

struct Change {
    kind: &'static str,
    before: Option<Known>,
    after: Known,
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
    secrets: &Secrets,
) -> Result<BTreeMap<String, Known>, StoreError> {
    let keys = column(entries, |entry| entry.key.clone());
    let rows = accounts::by_keys(connection, &keys).await?;
    let known = rows.into_iter().map(|row| {
        let (entry, sealed) = row.opened(secrets)?;
        Ok((entry.key.clone(), Known { entry, sealed }))
    });
    known.collect()
}

/// The entries that differ from what stands.
async fn changed_entries(
    connection: &mut PgConnection,
    entries: &[LedgerEntry],
    secrets: &Secrets,
) -> Result<Vec<Change>, StoreError> {
    let mut known = known_entries(connection, entries, secrets).await?;
    let mut changes = Vec::new();
    for entry in entries {
        let before = known.remove(&entry.key);
        if before.as_ref().map(|before| &before.entry) != Some(entry) {
            let kind = if before.is_some() { "changed" } else { "added" };
            let after = Known::of(entry.clone(), before.as_ref(), secrets)?;
            changes.push(Change { kind, before, after });
        }
    }
    Ok(changes)
}

/// The entries that stand and are not cancelled yet, cancelled.
async fn withdrawn_entries(
    connection: &mut PgConnection,
    entries: &[LedgerEntry],
    secrets: &Secrets,
) -> Result<Vec<Change>, StoreError> {
    let known = known_entries(connection, entries, secrets).await?;
    let standing = known.into_values().filter(|one| one.entry.lifecycle != Lifecycle::Cancelled);
    Ok(standing
        .map(|before| {
            let mut after = before.clone();
            after.entry.lifecycle = Lifecycle::Cancelled;
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
    let entries = Value::Array(column(changes, |change| change.after.json()));
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
        &column(changes, |change| change.after.entry.key.clone()),
        &column(changes, |change| change.kind.to_owned()),
        &column(changes, |change| change.before.as_ref().map(Known::json)) as &[Option<Value>],
        &column(changes, |change| change.after.json()),
    )
    .execute(&mut *connection)
    .await?;
    let moved = changes.iter().filter(|change| change.moved());
    let moved: Vec<String> = moved.map(|change| change.after.entry.key.clone()).collect();
    forget_pages(connection, &moved, note.now).await
}

impl Change {
    /// Whether the account is now to be found elsewhere.
    fn moved(&self) -> bool {
        let place = |known: &Known| (known.entry.platform.clone(), known.entry.handle.clone());
        self.before.as_ref().is_some_and(|before| place(before) != place(&self.after))
    }
}

impl Known {
    /// What did not change keeps its text, so that the history shows what did.
    fn of(
        entry: LedgerEntry,
        before: Option<&Self>,
        secrets: &Secrets,
    ) -> Result<Self, StoreError> {
        let seal = |field, value: &Option<String>| {
            value.as_ref().map(|value| secrets.seal(&entry.key, field, value)).transpose()
        };
        let sealed = Sealed {
            officer: match before {
                Some(known) if known.entry.officer == entry.officer => known.sealed.officer.clone(),
                _ => seal(Field::Officer, &entry.officer)?,
            },
            notify: match before {
                Some(known) if known.entry.notify == entry.notify => known.sealed.notify.clone(),
                _ => seal(Field::Notify, &entry.notify)?,
            },
        };
        Ok(Self { entry, sealed })
    }

    /// The entry as it is written down: what it says of persons encrypted.
    fn json(&self) -> Value {
        let Sealed { officer, notify } = self.sealed.clone();
        let written = LedgerEntry { officer, notify, ..self.entry.clone() };
        serde_json::to_value(written).expect("a ledger entry is a map with string keys")
    }
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
             body_as_of = null, span_high = null, observed_at = null, confirmed_at = null,
             confirmed_before = null, due_at = $2
         from accounts a where a.id = t.account_id and a.key = any($1)",
        keys,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
