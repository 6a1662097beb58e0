//! Visits, posts and samples of some accounts, or of all in the order of their numbers.

use std::fmt;

use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::columns::misread;
use super::copy_out::{CopyOut, View, literal};
use super::gathered::Gathered;
use super::packed_months::{PackedMonths, Source};
use super::packed_rows::Packed;
use super::period_rows::PeriodRows;
use super::score_inputs::FactsOf;
use super::{Store, StoreError};

/// No page claims a time so far ahead.
pub(super) const FUTURE: TimeDelta = TimeDelta::days(36_500);

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

/// Packed rows lie in the order of their accounts, month by month, and late ones are few and found
/// by their index, whatever the planner knows: what came late since it was told last may be many.
const IN_THEIR_ORDER: &str = "set local enable_seqscan = off; set local enable_bitmapscan = off;
    set local enable_sort = off; set local enable_material = off";

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
    /// Begins to read, as of a view where there is one.
    pub(super) fn begin(
        pool: &PgPool,
        view: Option<&View>,
        (settings, query): (&'static str, String),
        what: &'static str,
    ) -> Self {
        let (taker, rows) = mpsc::channel(WAITING);
        let (pool, view) = (pool.clone(), view.cloned());
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            let sent = async {
                let mut copy = CopyOut::begin(&pool, view.as_ref()).await?;
                copy.execute(settings).await?;
                copy.send(&query, what, &taker).await?;
                copy.end().await
            };
            let end = sent.await.map(|()| None);
            // Nobody waits for it where the reading was given up.
            let _ = taker.send(end).await;
        });
        Self { _reader: reader, rows, ahead: Gathered::default(), place: 0, has_ended: false }
    }

    /// The next rows as they come; none after the last.
    ///
    /// # Errors
    /// The database does not answer; a row without an account.
    pub(super) async fn handful(&mut self) -> Result<Option<Gathered>, StoreError> {
        if self.has_ended {
            return Ok(None);
        }
        // Where there is none, whoever read them went away before their end.
        let rows = self.rows.recv().await.ok_or(sqlx::Error::WorkerCrashed)??;
        self.has_ended = rows.is_none();
        Ok(rows)
    }

    /// The rows of the next accounts, up to a last one.
    ///
    /// # Errors
    /// The database does not answer; a row without an account.
    pub(super) async fn up_to(&mut self, last: i64) -> Result<Gathered, StoreError> {
        let mut taken = Gathered::default();
        loop {
            let place = self.ahead.share(self.place, last, &mut taken);
            self.place = place.ok_or_else(|| misread("rows of an account", last))?;
            if self.has_ended || self.place < self.ahead.count() {
                return Ok(taken);
            }
            if let Some(rows) = self.handful().await? {
                (self.ahead, self.place) = (rows, 0);
            }
        }
    }
}

/// Visits, posts and samples of all accounts, in the order of the accounts.
pub(super) struct OrderedTables {
    /// Whose view the others have.
    _viewer: CopyOut,
    visits: Packable,
    posts: Packable,
    samples: Packable,
}

/// What of a table is packed, and the rest of it.
struct Packable {
    packed: Option<Ordered>,
    others: Ordered,
}

impl Packable {
    fn begin(pool: &PgPool, view: &View, months: &PackedMonths, more: &str) -> Self {
        let packed = months
            .packed_rows()
            .map(|query| Ordered::begin(pool, Some(view), (IN_THEIR_ORDER, query), "packed rows"));
        let others = (SORTED_IN, months.other_rows(more));
        Self { packed, others: Ordered::begin(pool, Some(view), others, "a row") }
    }

    async fn up_to(&mut self, last: i64) -> Result<Packed, StoreError> {
        let Self { packed, others } = self;
        let packed = async {
            match packed {
                Some(packed) => packed.up_to(last).await,
                None => Ok(Gathered::default()),
            }
        };
        let (packed, others) = futures::try_join!(packed, others.up_to(last))?;
        Ok(Packed { packed, others })
    }
}

impl OrderedTables {
    /// All of them as of one instant: no list is known without the posts that it showed, and no
    /// packed month twice or not at all.
    pub(super) async fn begin(pool: &PgPool, of: FactsOf) -> Result<Self, StoreError> {
        let (mut viewer, view) = CopyOut::view(pool, None).await?;
        let stretches = [
            (Source::Visits, of.since, None),
            // What claims to lie in the future was listed all the same.
            (Source::Posts, of.since, None),
            (Source::Samples, of.from, Some(of.to)),
        ];
        let mut months = Vec::with_capacity(stretches.len());
        for (source, from, to) in stretches {
            months.push(PackedMonths::read(viewer.connection(), source, from, to).await?);
        }
        let known = format!("recorded_at <= {}", literal(of.known_at));
        Ok(Self {
            visits: Packable::begin(pool, &view, &months[0], "true"),
            posts: Packable::begin(pool, &view, &months[1], &known),
            samples: Packable::begin(pool, &view, &months[2], &known),
            _viewer: viewer,
        })
    }

    /// The rows of the next accounts, up to a last one.
    pub(super) async fn up_to(&mut self, last: i64) -> Result<PeriodRows, StoreError> {
        let Self { visits, posts, samples, .. } = self;
        let all = (visits.up_to(last), posts.up_to(last), samples.up_to(last));
        let (visits, posts, samples) = futures::try_join!(all.0, all.1, all.2)?;
        Ok(PeriodRows { visits, posts, samples })
    }
}

impl Store {
    /// The rows of these accounts, by the indexes: posts are read as of a later instant than
    /// visits, and samples after posts, so that no list is known without the posts that it showed,
    /// and no post without the numbers that it had.
    pub(super) async fn rows_of(&self, ids: &[i64], of: FactsOf) -> Result<PeriodRows, StoreError> {
        let which = Which::Few(ids);
        let since = format!("{which} and started_at >= {}", literal(of.since));
        let (from, to, known_at) = (literal(of.from), literal(of.to), literal(of.known_at));
        let posts = posts_of(ids, of);
        let until = format!("{which} and at >= {from} and at < {to} and recorded_at <= {known_at}");
        let mut copy = CopyOut::begin(&self.pool, None).await?;
        let rows = PeriodRows {
            visits: copy.gather(&rows_query(Source::Visits, &since), "a visit").await?.into(),
            posts: copy.gather(&rows_query(Source::Posts, &posts), "a post").await?.into(),
            samples: copy.gather(&rows_query(Source::Samples, &until), "a sample").await?.into(),
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

fn rows_query(source: Source, which: &str) -> String {
    let (table, columns, wanted) = (source.table(), source.columns(), source.wanted());
    format!("select account_id, {columns} from {table} where {wanted} and {which}")
}

/// The posts of some accounts that bear on their histories, by an index.
fn posts_of(ids: &[i64], of: FactsOf) -> String {
    let (since, known_at) = (literal(of.since), literal(of.known_at));
    let until = literal(of.known_at + FUTURE);
    let inside = |at: &str| format!("({at} >= {since} and {at} < {until})");
    let (claimed, seen) = (inside("coalesce(claimed_at, first_seen)"), inside("first_seen"));
    format!("{} and ({claimed} or {seen}) and recorded_at <= {known_at}", Which::Few(ids))
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
