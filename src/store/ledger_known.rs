//! The ledger as it was known at a time, from the history of its accounts.

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt};
use sqlx::types::Json;

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, LedgerEntry};

/// An account as the ledger had it at some time.
struct KnownEntry {
    account_id: i64,
    entry: Json<LedgerEntry>,
}

impl From<KnownEntry> for Account {
    fn from(row: KnownEntry) -> Self {
        Self { id: AccountId(row.account_id), entry: row.entry.0 }
    }
}

impl Store {
    /// Every account as the ledger had it at `known_at`, in the order of their numbers, without
    /// what it says of persons; only one is in memory at a time. It is read by one statement, so
    /// that an import that is written meanwhile is seen in whole or not at all: whoever takes it
    /// asks nothing else in between.
    pub fn ledger_known_at(
        &self,
        known_at: DateTime<Utc>,
    ) -> BoxStream<'_, Result<Account, StoreError>> {
        sqlx::query_as!(
            KnownEntry,
            r#"select distinct on (h.account_id) h.account_id,
                   h.after - 'officer' - 'notify' as "entry!: Json<LedgerEntry>"
               from account_history h join accounts a on a.id = h.account_id
               where a.in_ledger and h.recorded_at <= $1
               order by h.account_id, h.id desc"#,
            known_at
        )
        .fetch(&self.pool)
        .map(|row| Ok(row?.into()))
        .boxed()
    }

    /// As [`Self::ledger_known_at`], these accounts alone.
    pub async fn entries_known_at(
        &self,
        accounts: &[AccountId],
        known_at: DateTime<Utc>,
    ) -> Result<Vec<Account>, StoreError> {
        let rows = sqlx::query_as!(
            KnownEntry,
            r#"select distinct on (h.account_id) h.account_id,
                   h.after - 'officer' - 'notify' as "entry!: Json<LedgerEntry>"
               from account_history h join accounts a on a.id = h.account_id
               where a.in_ledger and h.recorded_at <= $1 and h.account_id = any($2)
               order by h.account_id, h.id desc"#,
            known_at,
            &column(accounts, |account| account.0)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Account::from).collect())
    }
}
