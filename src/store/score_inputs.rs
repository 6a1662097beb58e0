//! What scores are computed from, account by account.

use std::collections::{BTreeMap, HashMap};
use std::iter;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, TryStreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::columns::{column, read_count};
use super::history_pages::Pages;
use super::period_histories::{Ends, Surroundings};
use super::period_rows::{PeriodRows, PostSamples, ScoredPost};
use super::period_tables::OrderedTables;
use super::{Store, StoreError, lazily};
use crate::domain::{Account, AccountId, Count, Inquiry, Moment, Precision};
use crate::observe::{History, ListedPost};

/// The first accounts that are taken at once; how many the next are is told by what these take.
const FIRST: i64 = 100;

/// Visits, posts and samples, each packed and not, and the one whose view the others have.
const READERS: u32 = 7;

/// So many bytes of rows are read together, as far as that can be told beforehand; in memory are
/// those that are judged, those that wait, and those that are read.
const BYTES: usize = 8 << 20;

/// One account's facts of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreInput {
    /// The account.
    pub account: Account,
    /// What bears on its activity and on how much of the period was watched, as
    /// [`Store::histories`] tells it, but for its oldest post where that tells nothing: see
    /// [`FactsOf::asked_from`].
    pub history: History,
    /// Posts that claim the period or were first seen in it, by time, with their newest numbers.
    pub posts: Vec<ScoredPost>,
    /// Followers at the newest sample before the end of the period.
    pub followers: Option<Count>,
    /// Followers at the newest sample before the period.
    pub followers_before: Option<Count>,
    /// Samples of posts, taken in the period.
    pub samples: PostSamples,
    /// Messages asked in the period, or undated and first seen in it.
    pub inquiries: Vec<HeardInquiry>,
    /// As-of time of the newest look at a page that carries messages, made in the period; absent
    /// where none was read.
    pub messages_read_at: Option<DateTime<Utc>>,
}

/// A message and until when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardInquiry {
    /// The message.
    pub inquiry: Inquiry,
    /// As-of time of the newest look that showed it: nothing is known of an answer given later.
    pub last_seen: DateTime<Utc>,
}

/// The stretch of time that facts are read for, and when they had to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactsOf {
    /// Histories reach back to this instant: not after the begin of the period.
    pub since: DateTime<Utc>,
    /// No silence that is asked about begins earlier. An account that was observed between the two
    /// is old enough for each of them, whenever it posted first; its first post is read where a
    /// look since tells of earlier times.
    pub asked_from: DateTime<Utc>,
    /// The begin of the period.
    pub from: DateTime<Utc>,
    /// Nothing at or after this instant is read: the cutoff.
    pub to: DateTime<Utc>,
    /// Nothing recorded later is read.
    pub known_at: DateTime<Utc>,
}

impl Store {
    /// One account's facts of a stretch of time.
    pub async fn score_input(
        &self,
        account: Account,
        of: FactsOf,
    ) -> Result<ScoreInput, StoreError> {
        let mut inputs = self.inputs_of(vec![account], of).await?;
        Ok(inputs.pop().expect("one account gives one input"))
    }

    /// Every account's facts of a stretch of time, in the order of their numbers.
    pub fn score_inputs(
        &self,
        of: FactsOf,
    ) -> impl Stream<Item = Result<ScoreInput, StoreError>> + '_ {
        let read = |rows: Vec<ScoreRows>| stream::iter(rows.into_iter().map(ScoreRows::read));
        self.score_rows(of, 1).map_ok(read).try_flatten()
    }

    /// As [`Self::score_inputs`], some accounts at a time, as rows that whoever takes them reads on
    /// whatever core.
    ///
    /// Each table is read once, in the order of its accounts, for as long as accounts are taken:
    /// on connections of its own, all as of one instant. So many accounts are taken together
    /// that their rows fit into some memory; they are let go with the last of them.
    pub fn score_rows(
        &self,
        of: FactsOf,
        at_once: usize,
    ) -> impl Stream<Item = Result<Vec<ScoreRows>, StoreError>> + use<> {
        let (store, (taker, readings)) = (self.clone(), mpsc::channel(1));
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            let end = store.send_readings(of, &taker).await.map(|()| None);
            // Nobody waits for it where the reading was given up.
            let _ = taker.send(end).await;
        });
        let readings = stream::try_unfold((reader, readings), |(reader, mut readings)| async {
            // Where there is none, whoever reads them went away before their end.
            let reading = readings.recv().await.ok_or(sqlx::Error::WorkerCrashed)??;
            Ok::<_, StoreError>(reading.map(|reading| (reading, (reader, readings))))
        });
        let cut = move |(reading, around): (Reading, Surroundings)| {
            let mut rows = reading.of_each(around);
            let batches = iter::from_fn(move || {
                let batch: Vec<ScoreRows> = rows.by_ref().take(at_once.max(1)).collect();
                (!batch.is_empty()).then_some(Ok(batch))
            });
            stream::iter(batches)
        };
        readings.map_ok(cut).try_flatten()
    }

    /// Reads some accounts while those before are judged.
    async fn send_readings(
        &self,
        of: FactsOf,
        taker: &mpsc::Sender<Result<Option<(Reading, Surroundings)>, StoreError>>,
    ) -> Result<(), StoreError> {
        let readers = lazily(READERS, (*self.pool.connect_options()).clone());
        let around = self.surroundings_of_all(of.since);
        let (mut tables, around) = futures::try_join!(OrderedTables::begin(&readers, of), around)?;
        let (mut last, mut limit) = (AccountId(i64::MIN), FIRST);
        loop {
            let accounts = self.accounts_after(last, limit).await?;
            let Some(newest) = accounts.last() else { return Ok(()) };
            last = newest.id;
            let count = accounts.len();
            let rows = tables.up_to(last.0).await?;
            let pages = self.histories_begun(&column(&accounts, |one| one.id.0)).await?;
            let reading = self.reading(accounts, pages, rows, of).await?;
            let next = count.saturating_mul(BYTES) / reading.rows.size().max(1);
            // Those that come may be heavier than those that went.
            let most = (limit * 2).min(FIRST * 20);
            limit = i64::try_from(next).unwrap_or(i64::MAX).clamp(FIRST / 10, most);
            if taker.send(Ok(Some((reading, around.clone())))).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Every account, in the order of their numbers, so many at a time.
    pub fn account_batches(
        &self,
        limit: i64,
    ) -> impl Stream<Item = Result<Vec<Account>, StoreError>> + '_ {
        stream::try_unfold(AccountId(i64::MIN), move |after| async move {
            let accounts = self.accounts_after(after, limit).await?;
            let Some(last) = accounts.last().map(|account| account.id) else { return Ok(None) };
            Ok::<_, StoreError>(Some((accounts, last)))
        })
    }

    /// The facts of `[from, to)` of these accounts, in the order of their numbers.
    pub async fn inputs_of(
        &self,
        mut accounts: Vec<Account>,
        of: FactsOf,
    ) -> Result<Vec<ScoreInput>, StoreError> {
        accounts.sort_by_key(|account| account.id);
        accounts.dedup_by_key(|account| account.id);
        let ids = column(&accounts, |account| account.id.0);
        let pages = self.histories_begun(&ids).await?;
        let rows = self.rows_of(&ids, of).await?;
        let reading = self.reading(accounts, pages, rows, of).await?;
        // Where canaries were looked at for them is known with their visits.
        let nowhere = Surroundings::default();
        let mut rows: Vec<ScoreRows> = reading.of_each(nowhere).collect();
        for one in &mut rows {
            one.take_visits()?;
        }
        let around = self.surroundings_of(rows.iter().map(|one| &one.pages), of.since).await?;
        let with = |one| ScoreRows { around: around.clone(), ..one }.read();
        rows.into_iter().map(with).collect()
    }

    /// What is read of some accounts one by one, with the rows that were read of them before.
    async fn reading(
        &self,
        accounts: Vec<Account>,
        pages: BTreeMap<i64, Pages>,
        rows: PeriodRows,
        of: FactsOf,
    ) -> Result<Reading, StoreError> {
        let ids = column(&accounts, |account| account.id.0);
        let mut ends = Vec::with_capacity(ids.len());
        for id in &ids {
            let newest = !rows.has_post_since(*id, of)?;
            let is_dated = pages.get(id).is_some_and(|one| one.history.opened_at.is_some());
            if newest || of.asked_from < of.since || !rows.tell_age(*id, is_dated, of)? {
                ends.push(Ends { account: *id, newest });
            }
        }
        let (followers, before, edges, inquiries) = futures::try_join!(
            self.followers(&ids, of.to, of.known_at),
            self.followers(&ids, of.from, of.known_at),
            self.edge_posts(&ends, of.since, of.known_at),
            self.inquiries(&ids, of),
        )?;
        Ok(Reading {
            of,
            accounts,
            pages,
            rows,
            edges: by_account(edges),
            followers: followers.into_iter().collect(),
            followers_before: before.into_iter().collect(),
            inquiries: by_account(inquiries),
        })
    }

    async fn followers(
        &self,
        ids: &[i64],
        before: DateTime<Utc>,
        known_at: DateTime<Utc>,
    ) -> Result<Vec<(i64, Option<Count>)>, StoreError> {
        let rows = sqlx::query!(
            r#"select wanted.account_id as "account_id!", s.followers
               from unnest($1::bigint[]) as wanted (account_id), lateral (
                   select followers from account_samples s
                   where s.account_id = wanted.account_id and s.at < $2
                     and s.followers is not null and s.recorded_at <= $3
                   order by s.at desc limit 1
               ) s"#,
            ids,
            before,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| Ok((row.account_id, read_count(row.followers)?))).collect()
    }

    async fn inquiries(
        &self,
        ids: &[i64],
        of: FactsOf,
    ) -> Result<Vec<(i64, HeardInquiry)>, StoreError> {
        let rows = sqlx::query!(
            "select account_id, ref, asked_at,
                 case when reply_seen_at <= $4 then replied_at end as replied_at, precision,
                 official, last_seen
             from inquiries
             where account_id = any($1) and coalesce(asked_at, first_seen) >= $2
               and coalesce(asked_at, first_seen) < $3 and recorded_at <= $4
             order by account_id, coalesce(asked_at, first_seen), ref",
            ids,
            of.from,
            of.to,
            of.known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let inquiries = rows.into_iter().map(|row| {
            let stated: Option<Precision> = row.precision.and_then(|word| word.parse().ok());
            // A source that does not say how finely it speaks shows seconds.
            let precision = stated.unwrap_or(Precision::Second);
            let inquiry = Inquiry {
                reference: row.r#ref,
                asked_at: row.asked_at.map(|at| Moment { at, precision }),
                replied_at: row.replied_at.map(|at| Moment { at, precision }),
                precision: stated,
                official: row.official,
            };
            (row.account_id, HeardInquiry { inquiry, last_seen: row.last_seen })
        });
        Ok(inquiries.collect())
    }
}

fn by_account<T>(rows: Vec<(i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut all: HashMap<i64, Vec<T>> = HashMap::new();
    for (account, row) in rows {
        all.entry(account).or_default().push(row);
    }
    all
}

/// What was read of some accounts together.
struct Reading {
    of: FactsOf,
    accounts: Vec<Account>,
    pages: BTreeMap<i64, Pages>,
    rows: PeriodRows,
    edges: HashMap<i64, Vec<ListedPost>>,
    followers: HashMap<i64, Option<Count>>,
    followers_before: HashMap<i64, Option<Count>>,
    inquiries: HashMap<i64, Vec<HeardInquiry>>,
}

impl Reading {
    /// What of it belongs to each account.
    fn of_each(mut self, around: Surroundings) -> impl Iterator<Item = ScoreRows> {
        let rows = Arc::new(self.rows);
        self.accounts.into_iter().map(move |account| {
            let id = account.id.0;
            let begun = self.pages.remove(&id);
            ScoreRows {
                pages: begun.unwrap_or_else(|| Pages::of(account.entry.platform.clone())),
                account,
                of: self.of,
                rows: rows.clone(),
                around: around.clone(),
                edges: self.edges.remove(&id).unwrap_or_default(),
                followers: self.followers.remove(&id).flatten(),
                followers_before: self.followers_before.remove(&id).flatten(),
                inquiries: self.inquiries.remove(&id).unwrap_or_default(),
                messages_read_at: None,
                are_visits_taken: false,
            }
        })
    }
}

/// One account's facts as rows, which [`Self::read`] makes a [`ScoreInput`] of.
pub struct ScoreRows {
    /// The account.
    pub account: Account,
    of: FactsOf,
    rows: Arc<PeriodRows>,
    around: Surroundings,
    pages: Pages,
    edges: Vec<ListedPost>,
    followers: Option<Count>,
    followers_before: Option<Count>,
    inquiries: Vec<HeardInquiry>,
    messages_read_at: Option<DateTime<Utc>>,
    are_visits_taken: bool,
}

impl ScoreRows {
    fn take_visits(&mut self) -> Result<(), StoreError> {
        if !self.are_visits_taken {
            let visits = self.rows.visits(self.account.id.0, self.of)?;
            self.messages_read_at = self.pages.take_visits(visits, self.of);
            self.are_visits_taken = true;
        }
        Ok(())
    }

    /// The facts.
    ///
    /// # Errors
    /// A row that does not read as its table declares it.
    pub fn read(mut self) -> Result<ScoreInput, StoreError> {
        self.take_visits()?;
        let id = self.account.id.0;
        let mut posts = self.rows.posts(id, self.of)?;
        let mut listed: Vec<ListedPost> = posts.iter().map(|post| post.listed.clone()).collect();
        for edge in self.edges {
            if listed.iter().all(|one| one.reference != edge.reference) {
                listed.push(edge);
            }
        }
        listed.sort_by(|a, b| (a.first_seen, &a.reference).cmp(&(b.first_seen, &b.reference)));
        let inside = |at: DateTime<Utc>| self.of.from <= at && at < self.of.to;
        posts.retain(|post| {
            let first_seen = post.listed.first_seen;
            inside(first_seen) || inside(post.listed.claimed.map_or(first_seen, |one| one.at))
        });
        Ok(ScoreInput {
            account: self.account,
            history: self.around.history(id, self.pages, listed),
            posts,
            followers: self.followers,
            followers_before: self.followers_before,
            samples: self.rows.samples(id, self.of)?,
            inquiries: self.inquiries,
            messages_read_at: self.messages_read_at,
        })
    }
}
