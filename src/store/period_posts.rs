//! Posts of a period in the order of the disk, for measures over a whole nation.

use chrono::{DateTime, Utc};

use super::copy_out::{CopyOut, literal};
use super::copy_rows::{Columns as _, Row};
use super::score_inputs::FactsOf;
use super::{Store, StoreError};
use crate::domain::{AccountId, Count, Form, Moment, Origin};

/// How many shares the accounts are cut into: the partitions of the table.
pub const SHARES: usize = 8;

/// A post as measures need it, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodPost {
    /// The account.
    pub account: AccountId,
    /// The time the page claims.
    pub claimed: Option<Moment>,
    /// As-of time of the first observation that listed it.
    pub first_seen: DateTime<Utc>,
    /// As-of time of the last observation before.
    pub seen_before: Option<DateTime<Utc>>,
    /// Whether it appeared late.
    pub late: bool,
    /// Own work or a repost.
    pub origin: Origin,
    /// The kind of content.
    pub form: Option<Form>,
    /// Reads or plays, newest known.
    pub reads: Option<Count>,
    /// Likes, newest known.
    pub likes: Option<Count>,
    /// Comments, newest known.
    pub comments: Option<Count>,
    /// Shares, newest known.
    pub shares: Option<Count>,
}

/// The columns in the order in which [`PeriodPost::read`] takes them.
const COLUMNS: &str = "account_id, claimed_at, claimed_precision, first_seen, seen_before,
    missed_by is not null, origin, form, reads, likes, comments, shares";

impl PeriodPost {
    /// Reads a row of [`COLUMNS`]; nothing where it does not read as they are declared.
    fn read(mut row: Row<'_>) -> Option<Self> {
        Some(Self {
            account: AccountId(row.number()??),
            claimed: row.moment()?,
            first_seen: row.time()??,
            seen_before: row.time()?,
            late: row.flag()??,
            origin: row.origin()?,
            form: row.form()?,
            reads: row.count()?,
            likes: row.count()?,
            comments: row.count()?,
            shares: row.count()?,
        })
    }
}

impl Store {
    /// Hands over the posts of one share of the accounts in a stretch of time, by claimed time or
    /// first sight, in no order; together the shares 0 to [`SHARES`] − 1 are all.
    ///
    /// Only one row is in memory at a time.
    ///
    /// # Errors
    /// The database does not answer; a row that does not read as the table declares it.
    pub async fn period_posts(
        &self,
        of: FactsOf,
        share: usize,
        mut take: impl FnMut(PeriodPost),
    ) -> Result<(), StoreError> {
        let [from, to, known_at] = [of.from, of.to, of.known_at].map(literal);
        let share = share % SHARES;
        let query = format!(
            "select {COLUMNS} from posts_{share}
             where ((claimed_at >= {from} and claimed_at < {to})
                 or (first_seen >= {from} and first_seen < {to})) and recorded_at <= {known_at}"
        );
        let mut copy = CopyOut::begin(&self.pool, None).await?;
        let read = |row: Row<'_>| PeriodPost::read(row).map(&mut take);
        copy.rows(&query, "a post", read).await?;
        copy.end().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_cut_short_is_no_post() {
        let account = [&8_i32.to_be_bytes()[..], &[0; 8]].concat();
        assert_eq!(PeriodPost::read(Row(&account)), None);
    }
}
