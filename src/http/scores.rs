use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::score::Period;
use crate::store::{ListedScore, ScoreFilter};

use super::access::Caller;
use super::problem::ProblemDetail;
use super::query::{Filter, beijing, has_more, page_size, read_cursor, understood, wrong_cursor};
use super::site::Site;

/// Between the parts of a cursor; no key, scheme or dimension holds it.
const BETWEEN: char = '\n';

/// One account's points in one dimension.
#[derive(Debug, Serialize)]
struct ScoreView {
    key: String,
    name: String,
    platform: String,
    sponsor: String,
    area_code: String,
    scheme: String,
    scheme_digest: String,
    dimension: String,
    /// Null where nothing was scored; `reason` says why.
    points: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    reason: Option<String>,
    /// Covered share of the period, 0 to 1.
    coverage: Option<f64>,
    cutoff: String,
    known_at: String,
}

impl From<ListedScore> for ScoreView {
    fn from(score: ListedScore) -> Self {
        // Points have four decimals at most, which a double shows without loss.
        let number = |points: Option<Decimal>| points.and_then(|points| points.to_f64());
        Self {
            key: score.key,
            name: score.name,
            platform: score.platform,
            sponsor: score.sponsor,
            area_code: score.region,
            scheme: score.scheme,
            scheme_digest: score.scheme_digest,
            dimension: score.dimension,
            points: number(score.points),
            low: number(score.low),
            high: number(score.high),
            reason: score.reason,
            coverage: score.coverage,
            cutoff: beijing(score.cutoff),
            known_at: beijing(score.known_at),
        }
    }
}

/// A page of scores in the order of keys, schemes and dimensions.
#[derive(Debug, Serialize)]
pub(super) struct ScoreList {
    period: String,
    items: Vec<ScoreView>,
    next_cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `2026Q4`, `2026-11` or `2026`; the quarter that has begun unless given.
    period: String,
    scheme: String,
    /// 账号编号.
    account: String,
    platform: String,
    area: String,
    cursor: String,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ScoreList>, ProblemDetail> {
    let query = understood(query)?;
    let period: Period = match query.period.as_str() {
        "" => Period::quarter_of(site.clock.now()),
        text => text.parse().map_err(ProblemDetail::bad_request)?,
    };
    let period = period.to_string();
    let filter = Filter::new(query.platform, query.area)?;
    let limit = page_size(query.limit)?;
    let cursor = read_cursor(&query.cursor)?;
    let after = after(&cursor)?;
    let Some(filter) = filter.within(&caller) else {
        return Ok(Json(ScoreList { period, items: Vec::new(), next_cursor: None }));
    };
    let wanted = ScoreFilter {
        platform: filter.platform(),
        area: filter.area(),
        scheme: Some(query.scheme.as_str()).filter(|id| !id.is_empty()),
        key: Some(query.account.as_str()).filter(|key| !key.is_empty()),
    };
    let read = site.reads.scores(&period, after, limit + 1, wanted);
    let mut scores = site.ask("scores", read).await?;
    let more = has_more(&mut scores, limit);
    let last = scores.last().filter(|_| more);
    let next_cursor = last.map(|one| {
        hex::encode([&*one.key, &*one.scheme, &*one.dimension].join(&BETWEEN.to_string()))
    });
    let items = scores.into_iter().map(ScoreView::from).collect();
    Ok(Json(ScoreList { period, items, next_cursor }))
}

/// Key, scheme and dimension of the last score of the page before.
fn after(cursor: &str) -> Result<[&str; 3], ProblemDetail> {
    if cursor.is_empty() {
        return Ok([""; 3]);
    }
    let parts: Vec<&str> = cursor.split(BETWEEN).collect();
    parts.try_into().map_err(|_| wrong_cursor())
}
