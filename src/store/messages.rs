//! Messages to chat groups: handed in once, taken one at a time within what the vendors allow.

use chrono::{DateTime, TimeDelta, Utc};

use super::{SendOutcome, Store, StoreError};

/// A message to be handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the table")]
pub struct NewMessage<'a> {
    /// The word of the channel.
    pub channel: &'a str,
    pub key: &'a str,
    pub title: &'a str,
    pub body: &'a str,
}

/// A message taken to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the table")]
pub struct TakenMessage {
    pub id: i64,
    pub key: String,
    pub title: String,
    pub body: String,
    /// Attempts made, this one included.
    pub attempts: i32,
}

impl Store {
    /// Keeps a message to be sent; `false` where the same was handed in within `once`.
    pub async fn hand_in(
        &self,
        message: &NewMessage<'_>,
        once: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // Two Alertmanagers of a pair may ask at the same moment.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 17))", message.key)
            .execute(&mut *transaction)
            .await?;
        let added = sqlx::query!(
            "insert into messages (channel, idempotency_key, title, body, handed_in_at,
                 next_attempt_at)
             select $1, $2, $3, $4, $5, $5
             where not exists (select from messages m
                 where m.channel = $1 and m.idempotency_key = $2 and m.handed_in_at > $6)",
            message.channel,
            message.key,
            message.title,
            message.body,
            now,
            now - once
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(added.rows_affected() > 0)
    }

    /// Takes a due message, the oldest first, with at most `per_minute` attempts of all daemons in
    /// any minute; `None` where nothing is due or the minute is spent.
    pub async fn take_message(
        &self,
        channel: &str,
        per_minute: u32,
        lease: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Option<TakenMessage>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // The count holds for all daemons only if they count one after another.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 18))", channel)
            .execute(&mut *transaction)
            .await?;
        let taken = sqlx::query_as!(
            TakenMessage,
            "update messages set state = 'sending', attempts = attempts + 1, attempted_at = $2,
                 lease_until = $3
             where id = (
                 select d.id from messages d
                 where d.channel = $1
                   and (d.state = 'waiting' and d.next_attempt_at <= $2
                       or d.state = 'sending' and d.lease_until <= $2)
                   and (select count(*) from messages s
                       where s.channel = $1 and s.attempted_at > $4) < $5
                 order by d.next_attempt_at, d.id limit 1)
             returning id, idempotency_key as key, title, body, attempts",
            channel,
            now,
            now + lease,
            now - TimeDelta::minutes(1),
            i64::from(per_minute)
        )
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(taken)
    }

    /// Notes how an attempt ended. `pause`: the vendor takes nothing before that; what else waits
    /// on the channel waits as well.
    pub async fn message_ended(
        &self,
        id: i64,
        outcome: &SendOutcome,
        pause: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (state, error, next, sent_at) = match outcome {
            SendOutcome::Sent => ("sent", None, now, Some(now)),
            SendOutcome::Failed(error, Some(next)) => ("waiting", Some(error), *next, None),
            SendOutcome::Failed(error, None) => ("failed", Some(error), now, None),
        };
        sqlx::query!(
            "with ended as (
                 update messages set state = $2, last_error = $3, next_attempt_at = $4,
                     sent_at = $5, lease_until = null
                 where id = $1 and state = 'sending' returning channel)
             update messages m set next_attempt_at = $6 from ended
             where $6::timestamptz is not null and m.channel = ended.channel and m.id <> $1
               and m.state = 'waiting' and m.next_attempt_at < $6",
            id,
            state,
            error as Option<&String>,
            next,
            sent_at,
            pause
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets messages that were sent or given up before an instant; returns how many.
    pub async fn forget_messages(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let gone = sqlx::query!(
            "delete from messages where state in ('sent', 'failed') and handed_in_at < $1",
            before
        )
        .execute(&self.pool)
        .await?;
        Ok(gone.rows_affected())
    }
}
