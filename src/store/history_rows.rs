//! Rows read back for histories: visits, posts and looks, as far as they bear on a verdict.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{misread, read_count, read_moment, read_reason, read_source};
use super::history_pages::Looks;
use super::place_looks::PlaceLooks;
use crate::domain::Word;
use crate::observe::{Bracket, CanaryLook, ListedPost, Observation, Outcome, Span, Visit};

/// What a row tells of a visit that bears on a verdict.
pub(super) struct ToldVisit {
    pub(super) account_id: i64,
    pub(super) started_at: DateTime<Utc>,
    pub(super) page: String,
    pub(super) host: Option<String>,
    pub(super) part: String,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) adapter: String,
    pub(super) source: String,
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) items: i32,
    pub(super) as_of: Option<DateTime<Utc>>,
    pub(super) span_low: Option<DateTime<Utc>>,
    pub(super) span_high: Option<DateTime<Utc>>,
    pub(super) exhausted: bool,
    pub(super) empty: bool,
    pub(super) confirming: bool,
    pub(super) posts_total: Option<Value>,
    pub(super) new_items: i32,
    pub(super) upstream_success: Option<DateTime<Utc>>,
    pub(super) registered_at: Option<DateTime<Utc>>,
    pub(super) registered_precision: Option<String>,
    pub(super) bracket_older: Option<DateTime<Utc>>,
    pub(super) bracket_newer: Option<DateTime<Utc>>,
    pub(super) claims_shift_seconds: i32,
}

impl ToldVisit {
    /// The host that was visited, and the visit.
    pub(super) fn into_visit(self) -> Result<(Option<String>, Visit), StoreError> {
        let bracket = self.bracket_older.zip(self.bracket_newer);
        let outcome = match (self.outcome.as_str(), self.as_of) {
            ("observed", Some(as_of)) => Outcome::Observed(Observation {
                as_of,
                span: self.span_low.zip(self.span_high).map(|(low, high)| Span { low, high }),
                bracket: bracket.map(|(older, newer)| Bracket { older, newer }),
                claims_shift_seconds: self.claims_shift_seconds,
                exhausted: self.exhausted,
                empty: self.empty,
                confirming: self.confirming,
                posts_total: read_count(self.posts_total)?,
                new_items: self.new_items.unsigned_abs(),
                upstream_success: self.upstream_success,
                registered_at: read_moment(self.registered_at, self.registered_precision)?,
            }),
            ("gone", Some(as_of)) => Outcome::Gone { as_of, confirming: self.confirming },
            ("failed", _) => {
                Outcome::Failed(read_reason(self.reason.as_deref().unwrap_or_default())?)
            }
            (word, _) => return Err(misread("an outcome", word)),
        };
        let visit = Visit {
            page: self.page.into(),
            part: self.part.into(),
            started_at: self.started_at,
            recorded_at: self.recorded_at,
            adapter: self.adapter.into(),
            source: read_source(&self.source)?,
            items: self.items.unsigned_abs(),
            outcome,
        };
        Ok((self.host, visit))
    }
}

/// A post as it was listed.
pub(super) struct ListedPostRow {
    pub(super) account_id: i64,
    pub(super) reference: String,
    pub(super) claimed_at: Option<DateTime<Utc>>,
    pub(super) claimed_precision: Option<String>,
    pub(super) first_seen: DateTime<Utc>,
    pub(super) missed_by: Option<DateTime<Utc>>,
    pub(super) seen_before: Option<DateTime<Utc>>,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) page: String,
    pub(super) first_text_digest: Option<String>,
}

impl ListedPostRow {
    pub(super) fn into_post(self) -> Result<(i64, ListedPost), StoreError> {
        let post = ListedPost {
            reference: self.reference.into(),
            page: self.page.into(),
            claimed: read_moment(self.claimed_at, self.claimed_precision)?,
            first_seen: self.first_seen,
            missed_by: self.missed_by,
            seen_before: self.seen_before,
            text_digest: self.first_text_digest.map(Word::from),
            recorded_at: self.recorded_at,
        };
        Ok((self.account_id, post))
    }
}

/// A look at a canary.
pub(super) struct LookRow {
    pub(super) host: String,
    pub(super) page: String,
    pub(super) account_id: i64,
    pub(super) at: DateTime<Utc>,
    pub(super) adapter: String,
    pub(super) healthy: bool,
    pub(super) recorded_at: DateTime<Utc>,
}

impl LookRow {
    /// Looks by host and page kind, each in the order of the rows.
    pub(super) fn gathered(rows: Vec<Self>) -> Looks {
        let mut looks = Looks::new();
        for row in rows {
            let place = (row.host, row.page);
            let known = looks.entry(place.clone()).or_default();
            let shared = |text: &str, of: fn(&CanaryLook) -> &Word| match known.all.last() {
                Some((_, last)) => of(last).or_new(text),
                None => text.into(),
            };
            let look = CanaryLook {
                page: shared(&place.1, |look| &look.page),
                at: row.at,
                adapter: shared(&row.adapter, |look| &look.adapter),
                healthy: row.healthy,
                recorded_at: row.recorded_at,
            };
            known.all.push((row.account_id, look));
        }
        looks.values_mut().for_each(PlaceLooks::settle);
        looks
    }
}

/// Visits of many accounts that started at or after `since` and speak for their lists.
pub(super) async fn since(
    connection: &mut PgConnection,
    accounts: &[i64],
    since: DateTime<Utc>,
) -> Result<Vec<ToldVisit>, StoreError> {
    let rows = sqlx::query_as!(
        ToldVisit,
        "select account_id, started_at, page, host, part, recorded_at, adapter, source, outcome,
             reason, items, as_of, span_low, span_high, exhausted, empty, confirming, posts_total,
             new_items, upstream_success, registered_at, registered_precision, bracket_older,
             bracket_newer, claims_shift_seconds
         from visits where account_id = any($1) and started_at >= $2 and part not in ('', '-')
         order by account_id, started_at, page",
        accounts,
        since
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}
