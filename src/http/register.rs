use chrono::{DateTime, Utc};

use crate::domain::Sha256Digest;
use crate::store::{AuditEntry, Begun, KeptAnswer, Store, Token};

use super::reads::Answer;
use super::store_reads::told;

/// Who may ask, what was asked to be written, and what was answered.
pub trait Register: Send + Sync + 'static {
    /// The token with this secret, be it valid or not.
    fn token_of<'a>(&'a self, secret: &'a str) -> Answer<'a, Option<Token>>;

    /// Notes that a token was shown.
    fn token_used(&self, token: i64, now: DateTime<Utc>) -> Answer<'_, ()>;

    /// Appends a line to the log of writes and gives its number.
    fn audit<'a>(&'a self, entry: &'a AuditEntry, now: DateTime<Utc>) -> Answer<'a, i64>;

    /// Takes a token's `Idempotency-Key` for a request, unless it is taken.
    fn begin_answer<'a>(
        &'a self,
        key: (i64, &'a str),
        request: Sha256Digest,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> Answer<'a, Begun>;

    /// Keeps the answer under the key; without one the key is free again.
    fn end_answer<'a>(
        &'a self,
        key: (i64, &'a str),
        answer: Option<&'a KeptAnswer>,
    ) -> Answer<'a, ()>;
}

impl Register for Store {
    fn token_of<'a>(&'a self, secret: &'a str) -> Answer<'a, Option<Token>> {
        Box::pin(async move { told(self.token_of(secret).await) })
    }

    fn token_used(&self, token: i64, now: DateTime<Utc>) -> Answer<'_, ()> {
        Box::pin(async move { told(self.token_used(token, now).await) })
    }

    fn audit<'a>(&'a self, entry: &'a AuditEntry, now: DateTime<Utc>) -> Answer<'a, i64> {
        Box::pin(async move { told(self.audit(entry, now).await) })
    }

    fn begin_answer<'a>(
        &'a self,
        key: (i64, &'a str),
        request: Sha256Digest,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> Answer<'a, Begun> {
        Box::pin(async move { told(self.begin_answer(key, request, now, stale_before).await) })
    }

    fn end_answer<'a>(
        &'a self,
        key: (i64, &'a str),
        answer: Option<&'a KeptAnswer>,
    ) -> Answer<'a, ()> {
        Box::pin(async move { told(self.end_answer(key, answer).await) })
    }
}
