//! What persons entered for manual items of schemes; append only.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Store, StoreError};
use crate::domain::AccountId;

/// A person's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeEntry {
    /// The account.
    pub account: AccountId,
    /// The period, such as `2026Q4`.
    pub period: String,
    /// The name of the number in the scheme's expressions.
    pub item: String,
    /// The number, not negative.
    pub value: Decimal,
    /// Who entered it.
    pub actor: String,
    /// Why, with the evidence.
    pub reason: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

impl Store {
    /// Keeps an entry; earlier ones of the same item stay.
    pub async fn enter(&self, entry: &SchemeEntry) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into scheme_entries
                 (account_id, period, item, value, actor, reason, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
            entry.account.0,
            entry.period,
            entry.item,
            entry.value,
            entry.actor,
            entry.reason,
            entry.recorded_at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The newest entry of each item of these accounts for a period, known by `known_at`.
    pub async fn entries(
        &self,
        accounts: &[AccountId],
        period: &str,
        known_at: DateTime<Utc>,
    ) -> Result<BTreeMap<AccountId, Vec<SchemeEntry>>, StoreError> {
        let ids: Vec<i64> = accounts.iter().map(|account| account.0).collect();
        let rows = sqlx::query!(
            "select distinct on (account_id, item) account_id, item, value, actor, reason,
                 recorded_at
             from scheme_entries
             where account_id = any($1) and period = $2 and recorded_at <= $3
             order by account_id, item, recorded_at desc, id desc",
            &ids,
            period,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let mut entries: BTreeMap<AccountId, Vec<SchemeEntry>> = BTreeMap::new();
        for row in rows {
            let account = AccountId(row.account_id);
            entries.entry(account).or_default().push(SchemeEntry {
                account,
                period: period.to_owned(),
                item: row.item,
                value: row.value,
                actor: row.actor,
                reason: row.reason,
                recorded_at: row.recorded_at,
            });
        }
        Ok(entries)
    }
}
