//! Tokens and the log of writes, a line each.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::SHANGHAI;
use crate::store::{AuditLine, Token};

/// How a token ended, if it has.
pub(super) fn end_of(token: &Token, now: DateTime<Utc>) -> Option<&'static str> {
    match (&token.revoked, token.expires_at <= now) {
        (Some(_), _) => Some("revoked"),
        (None, true) => Some("expired"),
        (None, false) => None,
    }
}

pub(super) fn line(token: &Token, now: DateTime<Utc>) -> String {
    let grant = &token.grant;
    let local = |at: DateTime<Utc>| at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
    let bound = token.sponsor.as_deref().or(grant.source.as_deref()).unwrap_or("-");
    let used = token.last_used_at.map_or("never used".to_owned(), |at| local(at).to_string());
    let state = end_of(token, now).unwrap_or("valid");
    format!(
        "{}\t{}\t{}\t{}\t{bound}\t{state} until {}\t{used}",
        grant.token,
        grant.person,
        grant.scope.as_str(),
        grant.area,
        local(token.expires_at),
    )
}

pub(super) fn token_json(token: &Token) -> String {
    let grant = &token.grant;
    json!({
        "id": grant.token,
        "person": grant.person,
        "scope": grant.scope.as_str(),
        "area": grant.area.digits(),
        "sponsor": token.sponsor,
        "source": grant.source,
        "created_by": token.created_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_by": token.revoked.as_ref().map(|(by, _)| by),
        "revoked_at": token.revoked.as_ref().map(|(_, at)| at),
        "last_used_at": token.last_used_at,
    })
    .to_string()
}

pub(super) fn audit_json(line: &AuditLine) -> serde_json::Value {
    let entry = &line.entry;
    json!({
        "id": line.id,
        "at": line.at,
        "asked": entry.asked,
        "token": entry.token.as_ref().map(|(id, _)| id),
        "person": entry.token.as_ref().map(|(_, person)| person),
        "peer": entry.peer,
        "method": entry.method,
        "target": entry.target,
        "body_digest": entry.body_digest,
        "idempotency_key": entry.idempotency_key,
        "status": entry.status,
        "detail": entry.detail,
    })
}
