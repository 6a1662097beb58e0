//! What rules are held against: accounts that need a look, messages as they were known at a time,
//! posting rates, texts of a matrix.

use chrono::{DateTime, Utc};

use super::columns::column;
use super::targets::Rate;
use super::{Store, StoreError};
use crate::domain::{AccountId, Moment, Precision};

/// An account that is to be held against the rules, with what the look will have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToLook {
    /// The account.
    pub account: AccountId,
    /// As of when it was judged.
    pub judged_at: Option<DateTime<Utc>>,
    /// When it was last looked at.
    pub looked_at: Option<DateTime<Utc>>,
}

/// A message with when what is known of it became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownInquiry {
    /// The keyed digest of its id.
    pub reference: String,
    /// When it was asked.
    pub asked: Option<Moment>,
    /// When the account itself answered, as far as known by then.
    pub replied: Option<Moment>,
    /// As-of time of the newest page that showed it.
    pub last_seen: DateTime<Utc>,
}

/// A post with the similarity digest of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDigest {
    /// Whose.
    pub account: AccountId,
    /// The platform's id.
    pub reference: String,
    /// When it counts as published.
    pub at: DateTime<Utc>,
    /// Sixteen hexadecimal digits.
    pub simhash: String,
    /// Whether the page marks it as a repost.
    pub is_repost: bool,
}

impl Store {
    /// At most `limit` accounts with numbers above `after` that were judged anew, or changed in the
    /// ledger, since they were last looked at, or were not looked at since `since`.
    pub async fn to_look(
        &self,
        after: Option<AccountId>,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<ToLook>, StoreError> {
        // The bound stands in each table: the planner does not carry it over a join.
        let rows = sqlx::query!(
            r#"select a.id, s.judged_at, l.at as "looked_at?"
             from accounts a join account_states s on s.account_id = a.id
             left join finding_looks l on l.account_id = a.id and l.account_id > $1
             where a.in_ledger and a.id > $1 and s.account_id > $1
               and (l.at is null or l.at < $2 or l.at <= a.updated_at
                   or l.judged_at is distinct from s.judged_at)
               and (a.lifecycle not in ('closed', 'cancelled')
                   or exists (select from findings f where f.account_id = a.id
                       and f.state not in ('closed', 'dismissed')))
             order by a.id limit $3"#,
            after.map_or(i64::MIN, |account| account.0),
            since,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        let looks = rows.into_iter().map(|row| ToLook {
            account: AccountId(row.id),
            judged_at: row.judged_at,
            looked_at: row.looked_at,
        });
        Ok(looks.collect())
    }

    /// Notes that accounts were looked at.
    pub async fn looked(&self, looks: &[ToLook], now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into finding_looks (account_id, at, judged_at)
             select l.account_id, $3, l.judged_at
             from unnest($1::bigint[], $2::timestamptz[]) as l (account_id, judged_at)
             order by l.account_id
             on conflict (account_id) do update set at = excluded.at,
                 judged_at = excluded.judged_at",
            &column(looks, |look| look.account.0),
            &column(looks, |look| look.judged_at) as &[Option<DateTime<Utc>>],
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The messages of accounts as they were known at `known_at`.
    pub async fn inquiries_known_at(
        &self,
        accounts: &[AccountId],
        since: DateTime<Utc>,
        known_at: DateTime<Utc>,
    ) -> Result<Vec<(AccountId, KnownInquiry)>, StoreError> {
        // An answer that was first seen later was not known; nor how far the page was read later.
        let rows = sqlx::query!(
            r#"select account_id, ref as reference, asked_at, precision,
                   case when official and reply_seen_at <= $3 then replied_at end as replied_at,
                   least(last_seen, $3) as "last_seen!"
               from inquiries
               where account_id = any($1) and asked_at >= $2 and recorded_at <= $3
               order by account_id, asked_at, ref"#,
            &column(accounts, |account| account.0),
            since,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let inquiries = rows.into_iter().map(|row| {
            let stated: Option<Precision> = row.precision.and_then(|word| word.parse().ok());
            // A source that does not say how finely it speaks shows seconds.
            let precision = stated.unwrap_or(Precision::Second);
            let moment = |at: DateTime<Utc>| Moment { at, precision };
            let inquiry = KnownInquiry {
                reference: row.reference,
                asked: row.asked_at.map(moment),
                replied: row.replied_at.map(moment),
                last_seen: row.last_seen,
            };
            (AccountId(row.account_id), inquiry)
        });
        Ok(inquiries.collect())
    }

    /// Accounts that are proven not to be dormant, with their last post and the instant at which
    /// they become so.
    pub async fn quiet_accounts(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, DateTime<Utc>, DateTime<Utc>)>, StoreError> {
        let rows = sqlx::query!(
            r#"select account_id, last_post_at as "last_post_at!",
                   silence_deadline_at as "silence_deadline_at!"
               from account_states
               where account_id = any($1) and activity in ('active', 'watch')
                 and last_post_at is not null and silence_deadline_at is not null
               order by account_id"#,
            &column(accounts, |account| account.0)
        )
        .fetch_all(&self.pool)
        .await?;
        let quiet = rows.into_iter();
        Ok(quiet
            .map(|row| (AccountId(row.account_id), row.last_post_at, row.silence_deadline_at))
            .collect())
    }

    /// What the crawl has learned of how often accounts post, from the list watched longest.
    pub async fn posting_rates(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, Rate)>, StoreError> {
        let rows = sqlx::query!(
            r#"select distinct on (account_id) account_id, rate_alpha as "alpha!",
                   rate_beta as "beta!"
               from crawl_targets
               where account_id = any($1) and rate_alpha is not null and rate_beta is not null
               order by account_id, rate_beta desc, page"#,
            &column(accounts, |account| account.0)
        )
        .fetch_all(&self.pool)
        .await?;
        let rates = rows
            .into_iter()
            .map(|row| (AccountId(row.account_id), Rate { alpha: row.alpha, beta: row.beta }));
        Ok(rates.collect())
    }

    /// The texts of these accounts' posts in `[from, to)` that were known at `known_at`.
    pub async fn text_digests(
        &self,
        accounts: &[AccountId],
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        known_at: DateTime<Utc>,
    ) -> Result<Vec<TextDigest>, StoreError> {
        let rows = sqlx::query!(
            r#"select account_id, ref as reference, text_simhash as "simhash!",
                   coalesce(claimed_at, first_seen) as "at!", origin = 'repost' as "is_repost!"
               from posts
               where account_id = any($1) and text_simhash is not null and recorded_at <= $4
                 and coalesce(claimed_at, first_seen) >= $2
                 and coalesce(claimed_at, first_seen) < $3
               order by account_id, coalesce(claimed_at, first_seen), ref"#,
            &column(accounts, |account| account.0),
            from,
            to,
            known_at
        )
        .fetch_all(&self.pool)
        .await?;
        let digests = rows.into_iter().map(|row| TextDigest {
            account: AccountId(row.account_id),
            reference: row.reference,
            at: row.at,
            simhash: row.simhash,
            is_repost: row.is_repost,
        });
        Ok(digests.collect())
    }
}
