//! Posts of a period in the order of the disk, for measures over a whole nation.

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt};
use sqlx::types::Json;

use super::columns::StoredCount;
use super::score_inputs::FactsOf;
use super::{Store, StoreError};
use crate::domain::{AccountId, Count, Form, Moment, Origin, Precision};

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

/// Words come as their first letter, so that no text is allocated for a row.
struct Row {
    account_id: i64,
    claimed_at: Option<DateTime<Utc>>,
    precision: Option<i32>,
    first_seen: DateTime<Utc>,
    seen_before: Option<DateTime<Utc>>,
    late: Option<bool>,
    origin: Option<i32>,
    form: Option<i32>,
    reads: Option<Json<StoredCount>>,
    likes: Option<Json<StoredCount>>,
    comments: Option<Json<StoredCount>>,
    shares: Option<Json<StoredCount>>,
}

fn letter(code: Option<i32>) -> Option<char> {
    code.and_then(|code| u8::try_from(code).ok()).map(char::from)
}

impl From<Row> for PeriodPost {
    fn from(row: Row) -> Self {
        let precision = match letter(row.precision) {
            Some('s') => Some(Precision::Second),
            Some('m') => Some(Precision::Minute),
            Some('h') => Some(Precision::Hour),
            Some('d') => Some(Precision::Day),
            _ => None,
        };
        let count = |count: Option<Json<StoredCount>>| count.map(|count| count.0.0);
        Self {
            account: AccountId(row.account_id),
            claimed: row.claimed_at.zip(precision).map(|(at, precision)| Moment { at, precision }),
            first_seen: row.first_seen,
            seen_before: row.seen_before,
            late: row.late == Some(true),
            origin: match letter(row.origin) {
                Some('o') => Origin::Original,
                Some('r') => Origin::Repost,
                _ => Origin::Unknown,
            },
            form: match letter(row.form) {
                Some('t') => Some(Form::Text),
                Some('i') => Some(Form::Image),
                Some('v') => Some(Form::Video),
                Some('a') => Some(Form::Article),
                Some('l') => Some(Form::Live),
                _ => None,
            },
            reads: count(row.reads),
            likes: count(row.likes),
            comments: count(row.comments),
            shares: count(row.shares),
        }
    }
}

/// One statement for each partition, so that a share is read without the others.
macro_rules! of_partition {
    ($store:expr, $of:expr, $table:literal) => {
        sqlx::query_as!(
            Row,
            r#"select account_id, claimed_at, ascii(claimed_precision) as precision, first_seen,
                   seen_before, missed_by is not null as late, ascii(origin) as origin,
                   ascii(form) as form, reads as "reads: Json<StoredCount>",
                   likes as "likes: Json<StoredCount>", comments as "comments: Json<StoredCount>",
                   shares as "shares: Json<StoredCount>"
               from "# + $table + r#" where ((claimed_at >= $1 and claimed_at < $2)
                   or (first_seen >= $1 and first_seen < $2)) and recorded_at <= $3"#,
            $of.from,
            $of.to,
            $of.known_at
        )
        .fetch(&$store.pool)
        .map(|row| row.map(PeriodPost::from).map_err(StoreError::from))
        .boxed()
    };
}

impl Store {
    /// The posts of one share of the accounts in a stretch of time, by claimed time or first sight,
    /// in no order; together the shares 0 to [`SHARES`] − 1 are all.
    ///
    /// Rows are streamed: only one is in memory at a time.
    pub fn period_posts(
        &self,
        of: FactsOf,
        share: usize,
    ) -> BoxStream<'_, Result<PeriodPost, StoreError>> {
        match share {
            0 => of_partition!(self, of, "posts_0"),
            1 => of_partition!(self, of, "posts_1"),
            2 => of_partition!(self, of, "posts_2"),
            3 => of_partition!(self, of, "posts_3"),
            4 => of_partition!(self, of, "posts_4"),
            5 => of_partition!(self, of, "posts_5"),
            6 => of_partition!(self, of, "posts_6"),
            _ => of_partition!(self, of, "posts_7"),
        }
    }
}
