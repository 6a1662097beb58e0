//! The log of what was asked to be written over HTTP.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

/// A line that is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// The line of the question that this one answers.
    pub asked: Option<i64>,
    /// The token's number and the person it names.
    pub token: Option<(i64, String)>,
    /// Where the request came from.
    pub peer: String,
    /// Such as `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `sha256:…` of the body.
    pub body_digest: Option<String>,
    /// As given.
    pub idempotency_key: Option<String>,
    /// The status of the answer; absent in a question.
    pub status: Option<u16>,
    /// What was refused.
    pub detail: Option<String>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What it says.
    pub entry: AuditEntry,
}

impl Store {
    /// Appends a line and gives its number.
    pub async fn audit(&self, entry: &AuditEntry, now: DateTime<Utc>) -> Result<i64, StoreError> {
        let (token, person) =
            entry.token.as_ref().map(|(id, person)| (*id, person.as_str())).unzip();
        let id = sqlx::query_scalar!(
            "insert into api_audit (at, asked, token_id, person, peer, method, target, body_digest,
                 idempotency_key, status, detail)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id",
            now,
            entry.asked,
            token,
            person,
            entry.peer,
            entry.method,
            entry.target,
            entry.body_digest,
            entry.idempotency_key,
            entry.status.and_then(|status| i16::try_from(status).ok()),
            entry.detail
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(id)
    }

    /// At most `limit` lines after the one of this number, in their order.
    pub async fn audit_lines(&self, after: i64, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let rows = sqlx::query!(
            "select id, at, asked, token_id, person, peer, method, target, body_digest,
                 idempotency_key, status, detail
             from api_audit where id > $1 order by id limit $2",
            after,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        let lines = rows.into_iter().map(|row| AuditLine {
            id: row.id,
            at: row.at,
            entry: AuditEntry {
                asked: row.asked,
                token: row.token_id.zip(row.person),
                peer: row.peer,
                method: row.method,
                target: row.target,
                body_digest: row.body_digest,
                idempotency_key: row.idempotency_key,
                status: row.status.and_then(|status| u16::try_from(status).ok()),
                detail: row.detail,
            },
        });
        Ok(lines.collect())
    }
}
