//! Answers kept for requests that are sent again under the same `Idempotency-Key`.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};
use crate::domain::Sha256Digest;

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// Its `Content-Type`.
    pub content_type: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// What is known of a key when a request comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is now being worked on.
    New,
    /// The same request was answered.
    Answered(KeptAnswer),
    /// Another request came under this key.
    Other,
    /// The same request is being worked on.
    Working,
}

impl Store {
    /// Takes a key of a token for a request, unless it is taken. Work begun before `stale_before`
    /// and never answered was cut off: it may be begun again.
    pub async fn begin_answer(
        &self,
        (token, key): (i64, &str),
        request: Sha256Digest,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> Result<Begun, StoreError> {
        let taken = sqlx::query_scalar!(
            r#"insert into api_answers as o (token_id, key, request_digest, begun_at)
               values ($1, $2, $3, $4)
               on conflict (token_id, key) do update set begun_at = excluded.begun_at
                   where o.status is null and o.request_digest = excluded.request_digest
                     and o.begun_at < $5
               returning 1 as "one!""#,
            token,
            key,
            &request.0[..],
            now,
            stale_before
        )
        .fetch_optional(&self.pool)
        .await?;
        if taken.is_some() {
            return Ok(Begun::New);
        }
        let row = sqlx::query!(
            "select request_digest, status, content_type, body from api_answers
             where token_id = $1 and key = $2",
            token,
            key
        )
        .fetch_optional(&self.pool)
        .await?;
        // Given back between the two statements: the client may try again at once.
        let Some(row) = row else { return Ok(Begun::Working) };
        if row.request_digest != request.0 {
            return Ok(Begun::Other);
        }
        let (Some(status), Some(body)) = (row.status, row.body) else { return Ok(Begun::Working) };
        Ok(Begun::Answered(KeptAnswer {
            status: u16::try_from(status).unwrap_or_default(),
            content_type: row.content_type.unwrap_or_default(),
            body,
        }))
    }

    /// Keeps the answer of a request whose key was taken; without one the key is free again.
    pub async fn end_answer(
        &self,
        (token, key): (i64, &str),
        answer: Option<&KeptAnswer>,
    ) -> Result<(), StoreError> {
        let Some(answer) = answer else {
            sqlx::query!(
                "delete from api_answers where token_id = $1 and key = $2 and status is null",
                token,
                key
            )
            .execute(&self.pool)
            .await?;
            return Ok(());
        };
        sqlx::query!(
            "update api_answers set status = $3, content_type = $4, body = $5
             where token_id = $1 and key = $2",
            token,
            key,
            i16::try_from(answer.status).unwrap_or_default(),
            answer.content_type,
            answer.body
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets answers begun before this time; says how many.
    pub async fn forget_answers(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let done = sqlx::query!("delete from api_answers where begun_at < $1", before)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
