//! Visits, posts and samples of some accounts, or of all in the order of their numbers.

use std::fmt;

use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::columns::misread;
use super::copy_rows::{CopyOut, literal};
use super::gathered::Gathered;
use super::period_rows::{POST, PeriodRows, SAMPLE, VISIT};
use super::score_inputs::FactsOf;
use super::{Store, StoreError};

/// No page claims a time so far ahead.
const FUTURE: TimeDelta = TimeDelta::days(36_500);

/// Which accounts are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// All: whole tables are read.
    All,
    /// These alone, by the indexes.
    Few(&'a [i64]),
}

impl fmt::Display for Which<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("true"),
            Self::Few(ids) => {
                f.write_str("account_id = any('{")?;
                for (at, id) in ids.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{id}")?;
                }
                f.write_str("}'::bigint[])")
            }
        }
    }
}

/// In the default of 4 MB a quarter of a nation's rows would be merged from hundreds of runs.
const SORTED_IN: &str = "set local work_mem = '64MB'";

/// So many handfuls of rows of one table may wait to be taken.
const WAITING: usize = 4;

/// The rows of one table in the order of their accounts: the server reads it once, and sorts it.
pub(super) struct Ordered {
    /// Ends with this.
    _reader: JoinSet<()>,
    rows: mpsc::Receiver<Result<Option<Gathered>, StoreError>>,
    /// What came, and the first of it that is not taken.
    ahead: Gathered,
    place: usize,
    has_ended: bool,
}

impl Ordered {
    /// Begins to read; back when what the rows are is settled, or cannot be read.
    async fn begin(pool: &PgPool, query: String, what: &'static str) -> Self {
        let (taker, rows) = mpsc::channel(WAITING);
        let (settled, is_settled) = oneshot::channel();
        let pool = pool.clone();
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            let started = || {
                // Nobody waits for it where the reading was given up.
                let _ = settled.send(());
            };
            let sent = async {
                let mut copy = CopyOut::begin(&pool).await?;
                copy.execute(SORTED_IN).await?;
                copy.send(&format!("{query} order by account_id"), what, started, &taker).await?;
                copy.end().await
            };
            let end = sent.await.map(|()| None);
            // As above.
            let _ = taker.send(end).await;
        });
        // Where there is no such instant, the first rows are the error.
        let _ = is_settled.await;
        Self { _reader: reader, rows, ahead: Gathered::default(), place: 0, has_ended: false }
    }

    /// The rows of the next accounts, up to a last one.
    ///
    /// # Errors
    /// The database does not answer; a row without an account.
    pub(super) async fn up_to(&mut self, last: i64) -> Result<Gathered, StoreError> {
        let mut taken = Gathered::default();
        loop {
            let place = self.ahead.copy_to(self.place, last, &mut taken);
            self.place = place.ok_or_else(|| misread("rows of an account", last))?;
            if self.has_ended || self.place < self.ahead.count() {
                return Ok(taken);
            }
            match self.rows.recv().await {
                Some(rows) => match rows? {
                    Some(rows) => (self.ahead, self.place) = (rows, 0),
                    None => self.has_ended = true,
                },
                // Whoever read them went away before their end.
                None => return Err(sqlx::Error::WorkerCrashed.into()),
            }
        }
    }
}

/// Visits, posts and samples of all accounts, in the order of the accounts.
pub(super) struct OrderedTables {
    visits: Ordered,
    posts: Ordered,
    samples: Ordered,
}

impl OrderedTables {
    /// Posts are read as of a later instant than visits, and samples after posts: no list is known
    /// without the posts that it showed, and no post without the numbers that it had.
    pub(super) async fn begin(pool: &PgPool, of: FactsOf) -> Self {
        Self {
            visits: Ordered::begin(pool, visits_query(Which::All, of), "a visit").await,
            posts: Ordered::begin(pool, posts_query(Which::All, of), "a post").await,
            samples: Ordered::begin(pool, samples_query(Which::All, of), "a sample").await,
        }
    }

    /// The rows of the next accounts, up to a last one.
    pub(super) async fn up_to(&mut self, last: i64) -> Result<PeriodRows, StoreError> {
        let Self { visits, posts, samples } = self;
        let all = (visits.up_to(last), posts.up_to(last), samples.up_to(last));
        let (visits, posts, samples) = futures::try_join!(all.0, all.1, all.2)?;
        Ok(PeriodRows { visits, posts, samples })
    }
}

impl Store {
    /// The rows of these accounts, by the indexes; as [`OrderedTables::begin`] says, each table at
    /// a later instant than the one before.
    pub(super) async fn rows_of(&self, ids: &[i64], of: FactsOf) -> Result<PeriodRows, StoreError> {
        let which = Which::Few(ids);
        let mut copy = CopyOut::begin(&self.pool).await?;
        let rows = PeriodRows {
            visits: copy.gather(&visits_query(which, of), "a visit").await?,
            posts: copy.gather(&posts_query(which, of), "a post").await?,
            samples: copy.gather(&samples_query(which, of), "a sample").await?,
        };
        copy.end().await?;
        Ok(rows)
    }
}

impl CopyOut {
    /// The rows of a query whose first column is their account.
    async fn gather(&mut self, query: &str, what: &str) -> Result<Gathered, StoreError> {
        let mut gathered = Gathered::default();
        self.rows(query, what, |row| gathered.push(row)).await?;
        gathered.sort();
        Ok(gathered)
    }
}

fn visits_query(which: Which<'_>, of: FactsOf) -> String {
    let since = literal(of.since);
    format!(
        "select account_id, {VISIT} from visits
         where {which} and started_at >= {since} and part <> '-'"
    )
}

/// What claims to lie in the future was listed all the same.
fn posts_query(which: Which<'_>, of: FactsOf) -> String {
    let (since, known_at) = (literal(of.since), literal(of.known_at));
    let until = literal(of.known_at + FUTURE);
    let inside = |at: &str| format!("({at} >= {since} and {at} < {until})");
    // The same posts: one by what is known of blocks of the disk, the other by an index.
    let claimed = match which {
        Which::All => inside("claimed_at"),
        Which::Few(_) => inside("coalesce(claimed_at, first_seen)"),
    };
    let seen = inside("first_seen");
    format!(
        "select account_id, {POST} from posts
         where {which} and ({claimed} or {seen}) and recorded_at <= {known_at}"
    )
}

fn samples_query(which: Which<'_>, of: FactsOf) -> String {
    let (from, to, known_at) = (literal(of.from), literal(of.to), literal(of.known_at));
    format!(
        "select account_id, {SAMPLE} from post_samples
         where {which} and at >= {from} and at < {to} and recorded_at <= {known_at}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::copy_rows::Row;

    /// Rows of accounts, each its number and nothing else, in the order given.
    fn rows(accounts: &[i64]) -> Gathered {
        let mut rows = Gathered::default();
        for account in accounts {
            let column = [&8_i32.to_be_bytes()[..], &account.to_be_bytes()].concat();
            rows.push(Row(&column)).unwrap();
        }
        rows
    }

    fn ordered() -> (mpsc::Sender<Result<Option<Gathered>, StoreError>>, Ordered) {
        let (taker, rows) = mpsc::channel(9);
        let ahead = Gathered::default();
        (taker, Ordered { _reader: JoinSet::new(), rows, ahead, place: 0, has_ended: false })
    }

    #[tokio::test]
    async fn each_account_has_all_of_its_rows_wherever_handfuls_end() {
        let (taker, mut ordered) = ordered();
        for handful in [&[-3, 1, 1][..], &[], &[1], &[2, 4, 4], &[4, 9]] {
            taker.send(Ok(Some(rows(handful)))).await.unwrap();
        }
        taker.send(Ok(None)).await.unwrap();
        for (last, wanted) in [(-3, 1), (0, 0), (3, 4), (4, 3), (8, 0), (i64::MAX, 1), (99, 0)] {
            assert_eq!(ordered.up_to(last).await.unwrap().count(), wanted, "up to {last}");
        }
    }

    #[tokio::test]
    async fn rows_that_stop_before_their_end_are_an_error() {
        let (taker, mut ordered) = ordered();
        taker.send(Ok(Some(rows(&[1, 2])))).await.unwrap();
        drop(taker);
        assert_eq!(ordered.up_to(1).await.unwrap().count(), 1);
        assert!(ordered.up_to(2).await.is_err(), "more of it may have been to come");
    }
}
