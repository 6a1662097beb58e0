//! What scores are computed from, account by account.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Transaction};

use super::columns::{StoredCount, column, read_count};
use super::history_pages::Pages;
use super::period_histories::Surroundings;
use super::posts::{self, PostRow, StoredPost};
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, Count, Inquiry, Moment, Precision};
use crate::observe::{History, ListedPost};

/// Accounts read at once: with their histories and posts they are in memory together.
const BATCH: i64 = 50;

/// No page claims a time so far ahead.
const FUTURE: TimeDelta = TimeDelta::days(36_500);

/// How many batches are read at once: the database reads the next while one is judged.
const AHEAD: usize = 2;

/// The pages of accounts with their visits, and the newest looks at messages.
type PagesRead = (BTreeMap<i64, Pages>, HashMap<i64, DateTime<Utc>>);

/// One account's facts of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreInput {
    /// The account.
    pub account: Account,
    /// What bears on its activity and on how much of the period was watched, as
    /// [`Store::histories`] tells it.
    pub history: History,
    /// Posts that claim the period or were first seen in it, by time, with their newest numbers.
    pub posts: Vec<StoredPost>,
    /// Followers at the newest sample before the end of the period.
    pub followers: Option<Count>,
    /// Followers at the newest sample before the period.
    pub followers_before: Option<Count>,
    /// Samples of the posts in the period, by the post's ref, oldest first.
    pub samples: BTreeMap<String, Vec<PostSample>>,
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

/// The numbers of a post as of one observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostSample {
    /// As-of time of the observation.
    pub at: DateTime<Utc>,
    /// Reads or plays.
    pub reads: Option<Count>,
    /// Likes.
    pub likes: Option<Count>,
    /// Comments.
    pub comments: Option<Count>,
    /// Shares.
    pub shares: Option<Count>,
}

/// The stretch of time that facts are read for, and when they had to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactsOf {
    /// Histories reach back to this instant: not after the begin of the period.
    pub since: DateTime<Utc>,
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

    /// Every account's facts of a stretch of time, in the order of their numbers; few batches of
    /// accounts are in memory at a time, and no statement is open between two batches.
    pub fn score_inputs(
        &self,
        of: FactsOf,
    ) -> impl Stream<Item = Result<ScoreInput, StoreError>> + '_ {
        let read = async move {
            let around = self.surroundings(of.since, None).await?;
            let batches = self.account_batches(BATCH).map_ok(move |accounts| {
                let around = around.clone();
                async move { self.inputs_among(accounts, of, &around).await }
            });
            Ok::<_, StoreError>(batches.try_buffered(AHEAD))
        };
        let inputs = stream::once(read).try_flatten();
        inputs.map_ok(|batch| stream::iter(batch).map(Ok)).try_flatten()
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
        accounts: Vec<Account>,
        of: FactsOf,
    ) -> Result<Vec<ScoreInput>, StoreError> {
        let read = self.pages_of(&accounts, of).await?;
        let around = self.surroundings(of.since, Some(&read.0)).await?;
        self.inputs_of_pages(accounts, read, of, &around).await
    }

    /// As [`Self::inputs_of`], where what their histories share was read before.
    async fn inputs_among(
        &self,
        accounts: Vec<Account>,
        of: FactsOf,
        around: &Surroundings,
    ) -> Result<Vec<ScoreInput>, StoreError> {
        let read = self.pages_of(&accounts, of).await?;
        self.inputs_of_pages(accounts, read, of, around).await
    }

    /// The pages of these accounts with the visits to them, and when messages were read.
    async fn pages_of(&self, accounts: &[Account], of: FactsOf) -> Result<PagesRead, StoreError> {
        let mut pages = self.histories_begun(&column(accounts, |account| account.id.0)).await?;
        let read_at = self.take_visits(&mut pages, of).await?;
        Ok((pages, read_at))
    }

    async fn inputs_of_pages(
        &self,
        accounts: Vec<Account>,
        (pages, messages_read_at): PagesRead,
        of: FactsOf,
        around: &Surroundings,
    ) -> Result<Vec<ScoreInput>, StoreError> {
        let FactsOf { since, from, to, known_at } = of;
        let ids = column(&accounts, |account| account.id.0);
        let mut inputs: BTreeMap<i64, ScoreInput> = BTreeMap::new();
        for account in accounts {
            let id = account.id.0;
            let input = ScoreInput {
                account,
                history: History::default(),
                posts: Vec::new(),
                followers: None,
                followers_before: None,
                samples: BTreeMap::new(),
                inquiries: Vec::new(),
                messages_read_at: None,
            };
            inputs.insert(id, input);
        }
        // What claims to lie in the future was listed all the same.
        let all = FactsOf { from: since, to: known_at + FUTURE, ..of };
        let mut listed: BTreeMap<i64, Vec<ListedPost>> = BTreeMap::new();
        let mut reading = self.reading_alike().await?;
        let rows = posts::between(&mut reading, &ids, all).await?;
        let samples = samples(&mut reading, &ids, of).await?;
        reading.commit().await?;
        for row in rows {
            let account = row.account_id;
            let post = PostRow::into_stored(row)?;
            let Some(input) = inputs.get_mut(&account) else { continue };
            listed.entry(account).or_default().push(post.listed.clone());
            let inside = |at: DateTime<Utc>| from <= at && at < to;
            let first_seen = post.listed.first_seen;
            if inside(first_seen) || inside(post.listed.claimed.map_or(first_seen, |one| one.at)) {
                input.posts.push(post);
            }
        }
        for (account, post) in self.edge_posts(&ids, since).await? {
            let posts = listed.entry(account).or_default();
            if posts.iter().all(|one| one.reference != post.reference) {
                posts.push(post);
            }
        }
        for (account, pages) in pages {
            let Some(input) = inputs.get_mut(&account) else { continue };
            input.messages_read_at = messages_read_at.get(&account).copied();
            let mut posts = listed.remove(&account).unwrap_or_default();
            posts.sort_by(|a, b| (a.first_seen, &a.reference).cmp(&(b.first_seen, &b.reference)));
            input.history = around.history(account, pages, posts);
        }
        for (account, reference, sample) in samples {
            let push = |input: &mut ScoreInput| {
                input.samples.entry(reference).or_default().push(sample);
            };
            inputs.entry(account).and_modify(push);
        }
        for (account, followers) in self.followers(&ids, to, known_at).await? {
            inputs.entry(account).and_modify(|input| input.followers = followers);
        }
        for (account, followers) in self.followers(&ids, from, known_at).await? {
            inputs.entry(account).and_modify(|input| input.followers_before = followers);
        }
        for (account, inquiry) in self.inquiries(&ids, of).await? {
            inputs.entry(account).and_modify(|input| input.inquiries.push(inquiry));
        }
        Ok(inputs.into_values().collect())
    }

    /// A transaction whose statements are planned once for every batch of accounts.
    ///
    /// Planned for its own accounts, each batch would be looked for anew in every partition, with
    /// workers started for some hundreds of rows: many times what reading them costs.
    pub(super) async fn reading_alike(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut reading = self.pool.begin().await?;
        let alike = "set local plan_cache_mode = force_generic_plan";
        sqlx::raw_sql(alike).execute(&mut *reading).await?;
        Ok(reading)
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

/// Samples taken in the stretch of posts that claim it or were first seen in it.
async fn samples(
    connection: &mut PgConnection,
    ids: &[i64],
    of: FactsOf,
) -> Result<Vec<(i64, String, PostSample)>, StoreError> {
    let rows = sqlx::query!(
        r#"select account_id, ref, at, reads as "reads: Json<StoredCount>",
             likes as "likes: Json<StoredCount>", comments as "comments: Json<StoredCount>",
             shares as "shares: Json<StoredCount>"
         from post_samples
         where account_id = any($1) and at >= $2 and at < $3 and recorded_at <= $4
         order by account_id, ref, at"#,
        ids,
        of.from,
        of.to,
        of.known_at
    )
    .fetch_all(connection)
    .await?;
    let count = |count: Option<Json<StoredCount>>| count.map(|count| count.0.0);
    let read = rows.into_iter().map(|row| {
        let sample = PostSample {
            at: row.at,
            reads: count(row.reads),
            likes: count(row.likes),
            comments: count(row.comments),
            shares: count(row.shares),
        };
        (row.account_id, row.r#ref, sample)
    });
    Ok(read.collect())
}
