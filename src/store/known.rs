//! Which posts are known already, and what is known of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, read_moment};
use super::listing::ListedRow;
use crate::domain::Moment;

/// Posts that are in the table.
pub(super) type Known = BTreeMap<(i64, String), KnownPost>;

/// What a later listing is held against.
pub(super) struct KnownPost {
    /// The time claimed first.
    pub(super) claimed: Option<Moment>,
    /// The page kind that listed it first.
    pub(super) page: String,
    /// As-of time of the newest observation that listed it.
    pub(super) last_seen: DateTime<Utc>,
    /// Whether it stands in the newest list of its page.
    pub(super) stands: bool,
    /// As-of time of the newest numbers.
    pub(super) sampled_at: Option<DateTime<Utc>>,
    /// Digest of what its newest listing told.
    pub(super) told: Option<Vec<u8>>,
}

/// Which of the listed posts are in the table.
pub(super) async fn known(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
) -> Result<Known, StoreError> {
    let rows = sqlx::query!(
        r#"select p.account_id, p.ref, p.claimed_at, p.claimed_precision, p.page, p.stands,
             p.sampled_at, p.told,
             case when p.stands then greatest(p.last_seen, l.seen_at) else p.last_seen end
                 as "last_seen!"
         from unnest($1::bigint[], $2::text[]) as r (account_id, ref)
         join posts p on p.account_id = r.account_id and p.ref = r.ref
         left join lists l on l.account_id = p.account_id and l.page = p.page"#,
        &column(listed, |r| r.account),
        &column(listed, |r| r.reference.clone()),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let post = KnownPost {
                claimed: read_moment(row.claimed_at, row.claimed_precision)?,
                page: row.page,
                last_seen: row.last_seen,
                stands: row.stands,
                sampled_at: row.sampled_at,
                told: row.told,
            };
            Ok(((row.account_id, row.r#ref), post))
        })
        .collect()
}
