//! What an answer's reach is weighed against: the pages of a host's other accounts, and what was
//! covered before.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};
use crate::domain::AccountId;
use crate::observe::{Covered, Span};

impl Store {
    /// Whether the page of another account, of this host and page kind, was seen to change after
    /// `since`.
    pub async fn peers_changed(
        &self,
        account: AccountId,
        host: &str,
        page: &str,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let changed = sqlx::query_scalar!(
            r#"select exists (select from crawl_targets t where t.host = $1 and t.page = $2
                   and t.account_id <> $3 and t.body_changed_at > $4) as "changed!""#,
            host,
            page,
            account.0,
            since
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(changed)
    }

    /// What visits to one page kind since `since` have covered.
    pub async fn covered_by(
        &self,
        account: AccountId,
        page: &str,
        since: DateTime<Utc>,
    ) -> Result<Covered, StoreError> {
        let rows = sqlx::query!(
            r#"select span_low as "low!", span_high as "high!" from visits
               where account_id = $1 and page = $2 and started_at >= $3 and span_low is not null"#,
            account.0,
            page,
            since
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| Span { low: row.low, high: row.high }).collect())
    }

    /// Whether a target of a host other than the account's own was due before an instant and still
    /// waits: the host has no time to spare.
    pub async fn keeps_others_waiting(
        &self,
        account: AccountId,
        host: &str,
        due_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let waiting = sqlx::query_scalar!(
            r#"select exists (select from crawl_targets t where t.host = $1 and t.account_id <> $2
                   and t.due_at < $3 and t.lease_owner is null) as "waiting!""#,
            host,
            account.0,
            due_before
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(waiting)
    }
}
