//! What the planner knows of tables that were filled at once.

use sqlx::AssertSqlSafe;

use super::Store;

/// From so many new rows on.
const MANY: usize = 1000;

impl Store {
    /// Has tables counted that got so many new rows, and with that every statement planned anew.
    ///
    /// The server does it by itself, but a minute or more later. Until then what was planned while
    /// the tables were empty reads them whole for each row of a batch: on 100,000 new targets a
    /// commit of visits took half a minute, a judgement three seconds. A table that is being
    /// vacuumed is left to the server.
    pub(super) async fn analyze_grown(&self, new_rows: usize, tables: &'static str) {
        if new_rows < MANY {
            return;
        }
        let statement = AssertSqlSafe(format!("analyze (skip_locked) {tables}"));
        if let Err(error) = sqlx::query(statement).execute(&self.pool).await {
            tracing::warn!(%error, tables, "not counted, plans may be slow for some minutes");
        }
    }
}
