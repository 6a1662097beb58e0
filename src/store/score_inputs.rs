//! What scores are computed from, account by account.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use super::columns::{column, read_count};
use super::posts::{self, PostRow, StoredPost};
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, Count, Inquiry, Moment, Precision};

/// Accounts read at once.
const BATCH: i64 = 500;

/// One account's facts of a period. How much of it was watched is told by its history
/// ([`Store::histories`] since the start of the period), which knows what the canaries say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreInput {
    /// The account.
    pub account: Account,
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

    /// Every account's facts of a stretch of time, in the order of their numbers; a batch of
    /// accounts is in memory at a time, and no statement is open between two batches.
    pub fn score_inputs(
        &self,
        of: FactsOf,
    ) -> impl Stream<Item = Result<ScoreInput, StoreError>> + '_ {
        stream::try_unfold(AccountId(i64::MIN), move |after| async move {
            let accounts = self.accounts_after(after, BATCH).await?;
            let Some(last) = accounts.last().map(|account| account.id) else { return Ok(None) };
            let inputs = self.inputs_of(accounts, of).await?;
            Ok::<_, StoreError>(Some((stream::iter(inputs).map(Ok), last)))
        })
        .try_flatten()
    }

    /// The facts of `[from, to)` of these accounts, in the order of their numbers.
    pub async fn inputs_of(
        &self,
        accounts: Vec<Account>,
        of: FactsOf,
    ) -> Result<Vec<ScoreInput>, StoreError> {
        let FactsOf { from, to, known_at } = of;
        let ids = column(&accounts, |account| account.id.0);
        let mut inputs: BTreeMap<i64, ScoreInput> = BTreeMap::new();
        for account in accounts {
            let id = account.id.0;
            let input = ScoreInput {
                account,
                posts: Vec::new(),
                followers: None,
                followers_before: None,
                samples: BTreeMap::new(),
                inquiries: Vec::new(),
                messages_read_at: None,
            };
            inputs.insert(id, input);
        }
        for row in posts::between(self, &ids, of).await? {
            let account = row.account_id;
            let post = PostRow::into_stored(row)?;
            inputs.entry(account).and_modify(|input| input.posts.push(post));
        }
        for (account, reference, sample) in self.samples(&ids, of).await? {
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
        for (account, at) in self.messages_read(&ids, of).await? {
            inputs.entry(account).and_modify(|input| input.messages_read_at = Some(at));
        }
        Ok(inputs.into_values().collect())
    }

    /// Samples taken in the stretch of posts that claim it or were first seen in it.
    async fn samples(
        &self,
        ids: &[i64],
        of: FactsOf,
    ) -> Result<Vec<(i64, String, PostSample)>, StoreError> {
        let rows = sqlx::query!(
            "select account_id, ref, at, reads, likes, comments, shares from post_samples
             where account_id = any($1) and at >= $2 and at < $3 and recorded_at <= $4
             order by account_id, ref, at",
            ids,
            of.from,
            of.to,
            of.known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let read = rows.into_iter().map(|row| {
            let sample = PostSample {
                at: row.at,
                reads: read_count(row.reads)?,
                likes: read_count(row.likes)?,
                comments: read_count(row.comments)?,
                shares: read_count(row.shares)?,
            };
            Ok((row.account_id, row.r#ref, sample))
        });
        read.collect()
    }

    async fn messages_read(
        &self,
        ids: &[i64],
        of: FactsOf,
    ) -> Result<Vec<(i64, DateTime<Utc>)>, StoreError> {
        // Of pages that speak for no list these are the ones with what citizens wrote.
        let rows = sqlx::query!(
            r#"select account_id, max(as_of) as "at!" from visits
               where account_id = any($1) and started_at >= $2 and started_at < $3 and part = ''
                 and outcome = 'observed' and recorded_at <= $4
               group by account_id"#,
            ids,
            of.from,
            of.to,
            of.known_at
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.account_id, row.at)).collect())
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
