//! Which posts are known already.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, read_moment};
use super::listing::ListedRow;
use crate::domain::Moment;

/// Posts that are in the table, with the time they claimed first.
pub(super) type Known = BTreeMap<(i64, String), Option<Moment>>;

/// Which of the listed posts are in the table.
pub(super) async fn known(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
) -> Result<Known, StoreError> {
    let rows = sqlx::query!(
        "select p.account_id, p.ref, p.claimed_at, p.claimed_precision from posts p
         join unnest($1::bigint[], $2::text[]) as r (account_id, ref)
             on p.account_id = r.account_id and p.ref = r.ref",
        &column(listed, |r| r.key().0),
        &column(listed, |r| r.key().1),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let claimed = read_moment(row.claimed_at, row.claimed_precision)?;
            Ok(((row.account_id, row.r#ref), claimed))
        })
        .collect()
}
