use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use crate::observe::{coverage, covered};
use crate::score::Period;

use super::access::Caller;
use super::accounts::seen;
use super::problem::ProblemDetail;
use super::query::{beijing, understood};
use super::site::Site;
use super::timeline::SpanView;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CoverageQuery {
    period: String,
}

/// How much of a period an account was watched. What was not is unknown, never silent.
#[derive(Debug, Serialize)]
pub(super) struct CoverageView {
    key: String,
    period: String,
    from: String,
    /// The end of the period, or now where it has not ended.
    to: String,
    /// Covered share, 0 to 1; null before the period has begun.
    ratio: Option<f64>,
    spans: Vec<SpanView>,
    gaps: Vec<GapView>,
}

#[derive(Debug, Serialize)]
struct GapView {
    #[serde(flatten)]
    span: SpanView,
    cause: &'static str,
}

pub(super) async fn cover(
    State(site): State<Site>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
    query: Result<Query<CoverageQuery>, QueryRejection>,
) -> Result<Json<CoverageView>, ProblemDetail> {
    let now = site.clock.now();
    let period: Period = match understood(query)?.period.as_str() {
        "" => Period::quarter_of(now),
        text => text.parse().map_err(ProblemDetail::bad_request)?,
    };
    let key = seen(&site, &caller, key).await?.key;
    let (from, to) = (period.from(), period.to().min(now));
    let mut view = CoverageView {
        key,
        period: period.to_string(),
        from: beijing(from),
        to: beijing(to.max(from)),
        ratio: None,
        spans: Vec::new(),
        gaps: Vec::new(),
    };
    if to <= from {
        return Ok(Json(view));
    }
    let history = site.ask("history", site.reads.history(&view.key, from)).await?;
    let found = coverage(&history, from, to, now);
    let inside = covered(&history, now);
    let inside = inside.spans().iter().filter(|span| span.high > from && span.low < to);
    view.spans = inside.map(|span| SpanView::new(span.low.max(from), span.high.min(to))).collect();
    view.gaps = found
        .gaps
        .iter()
        .map(|gap| GapView { span: SpanView::new(gap.from, gap.to), cause: gap.cause.as_str() })
        .collect();
    view.ratio = Some(found.ratio);
    Ok(Json(view))
}
