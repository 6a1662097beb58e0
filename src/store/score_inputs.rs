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
    /// Messages asked in the period, or undated and first seen in it.
    pub inquiries: Vec<Inquiry>,
}

impl Store {
    /// One account's facts of `[from, to)`.
    pub async fn score_input(
        &self,
        account: Account,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<ScoreInput, StoreError> {
        let mut inputs = self.inputs_of(vec![account], from, to).await?;
        Ok(inputs.pop().expect("one account gives one input"))
    }

    /// Every account's facts of `[from, to)` in the order of their numbers; a batch of accounts is
    /// in memory at a time, and no statement is open between two batches.
    pub fn score_inputs(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> impl Stream<Item = Result<ScoreInput, StoreError>> + '_ {
        stream::try_unfold(AccountId(i64::MIN), move |after| async move {
            let accounts = self.accounts_after(after, BATCH).await?;
            let Some(last) = accounts.last().map(|account| account.id) else { return Ok(None) };
            let inputs = self.inputs_of(accounts, from, to).await?;
            Ok::<_, StoreError>(Some((stream::iter(inputs).map(Ok), last)))
        })
        .try_flatten()
    }

    async fn inputs_of(
        &self,
        accounts: Vec<Account>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<ScoreInput>, StoreError> {
        let ids = column(&accounts, |account| account.id.0);
        let mut inputs: BTreeMap<i64, ScoreInput> = BTreeMap::new();
        for account in accounts {
            let id = account.id.0;
            let (posts, inquiries) = (Vec::new(), Vec::new());
            inputs.insert(id, ScoreInput { account, posts, followers: None, inquiries });
        }
        for row in posts::between(self, &ids, from, to).await? {
            let account = row.account_id;
            let post = PostRow::into_stored(row)?;
            inputs.entry(account).and_modify(|input| input.posts.push(post));
        }
        for (account, followers) in self.followers(&ids, to).await? {
            inputs.entry(account).and_modify(|input| input.followers = followers);
        }
        for (account, inquiry) in self.inquiries(&ids, from, to).await? {
            inputs.entry(account).and_modify(|input| input.inquiries.push(inquiry));
        }
        Ok(inputs.into_values().collect())
    }

    async fn followers(
        &self,
        ids: &[i64],
        before: DateTime<Utc>,
    ) -> Result<Vec<(i64, Option<Count>)>, StoreError> {
        let rows = sqlx::query!(
            r#"select wanted.account_id as "account_id!", s.followers
               from unnest($1::bigint[]) as wanted (account_id), lateral (
                   select followers from account_samples s
                   where s.account_id = wanted.account_id and s.at < $2
                     and s.followers is not null
                   order by s.at desc limit 1
               ) s"#,
            ids,
            before
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| Ok((row.account_id, read_count(row.followers)?))).collect()
    }

    async fn inquiries(
        &self,
        ids: &[i64],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<(i64, Inquiry)>, StoreError> {
        let rows = sqlx::query!(
            "select account_id, ref, asked_at, replied_at, precision, official from inquiries
             where account_id = any($1) and coalesce(asked_at, first_seen) >= $2
               and coalesce(asked_at, first_seen) < $3
             order by account_id, coalesce(asked_at, first_seen), ref",
            ids,
            from,
            to
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
            (row.account_id, inquiry)
        });
        Ok(inquiries.collect())
    }
}
