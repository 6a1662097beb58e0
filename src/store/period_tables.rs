//! Visits, posts and samples of very many accounts, each table read from its begin to its end.

use std::fmt;

use chrono::TimeDelta;
use tokio::sync::oneshot;

use super::copy_rows::{CopyOut, literal};
use super::gathered::Gathered;
use super::period_rows::{POST, SAMPLE, VISIT};
use super::score_inputs::FactsOf;
use super::{Store, StoreError};

/// No page claims a time so far ahead.
const FUTURE: TimeDelta = TimeDelta::days(36_500);

/// Which accounts are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// All from one number to another: whole tables are read.
    Stretch(i64, i64),
    /// These alone, by the indexes.
    Few(&'a [i64]),
}

impl fmt::Display for Which<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stretch(first, last) => write!(f, "account_id between {first} and {last}"),
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

impl Store {
    /// The visits since `since` to some accounts; `settled` is told when what they are is.
    pub(super) async fn visit_rows(
        &self,
        which: Which<'_>,
        of: FactsOf,
        settled: oneshot::Sender<()>,
    ) -> Result<Gathered, StoreError> {
        let mut copy = CopyOut::begin(&self.pool).await?;
        let started = || {
            // Nobody waits for it where the posts could not be read.
            let _ = settled.send(());
        };
        let visits = copy.gather(&visits_query(which, of), "a visit", started).await?;
        copy.end().await?;
        Ok(visits)
    }

    /// The posts of some accounts since `since`, and then the samples of the period.
    pub(super) async fn post_rows(
        &self,
        which: Which<'_>,
        of: FactsOf,
    ) -> Result<(Gathered, Gathered), StoreError> {
        let mut copy = CopyOut::begin(&self.pool).await?;
        let posts = copy.gather(&posts_query(which, of), "a post", || {}).await?;
        let samples = copy.gather(&samples_query(which, of), "a sample", || {}).await?;
        copy.end().await?;
        Ok((posts, samples))
    }
}

impl CopyOut {
    /// The rows of a query whose first column is their account.
    async fn gather(
        &mut self,
        query: &str,
        what: &str,
        started: impl FnOnce(),
    ) -> Result<Gathered, StoreError> {
        let mut gathered = Gathered::default();
        self.rows(query, what, started, |row| gathered.push(row)).await?;
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
        Which::Stretch(..) => inside("claimed_at"),
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
