//! One account's visits, newest first, page by page.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};
use crate::domain::AccountId;

/// A visit as lists show it, in the words that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `observe::Visit` and `VisitRecord`")]
pub struct VisitLine {
    pub started_at: DateTime<Utc>,
    pub page: String,
    pub part: String,
    pub recorded_at: DateTime<Utc>,
    /// `crawl`, `bridge`, `import` or `person`.
    pub source: String,
    /// `observed`, `gone` or `failed`.
    pub outcome: String,
    /// Why it failed.
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub status: Option<i16>,
    pub items: i32,
    pub new_items: i32,
    pub as_of: Option<DateTime<Utc>>,
    pub span_low: Option<DateTime<Utc>>,
    pub span_high: Option<DateTime<Utc>>,
    pub exhausted: bool,
    pub confirming: bool,
}

impl Store {
    /// At most `limit` visits of an account, the newest first: those before a start and a page.
    pub async fn visit_page(
        &self,
        account: AccountId,
        before: Option<(DateTime<Utc>, &str)>,
        limit: u32,
    ) -> Result<Vec<VisitLine>, StoreError> {
        let (at, page) = before.unzip();
        let rows = sqlx::query_as!(
            VisitLine,
            "select started_at, page, part, recorded_at, source, outcome, reason, detail, status,
                 items, new_items, as_of, span_low, span_high, exhausted, confirming
             from visits
             where account_id = $1
               and ($2::timestamptz is null or (started_at, page) < ($2, $3))
             order by started_at desc, page desc limit $4",
            account.0,
            at,
            page,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
