use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::error;

use crate::domain::SHANGHAI;
use crate::score::Period;
use crate::score::frozen::FrozenAccount;
use crate::store::{Assessment, FrozenFilter};

use super::access::Caller;
use super::feed::{Book, COLUMNS, csv_head, csv_rows, object, rows};
use super::problem::ProblemDetail;
use super::query::{Filter, has_more, page_size, understood, wrong_cursor};
use super::site::Site;
use super::whole::Whole;

pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PageQuery {
    /// The scheme it was frozen under; needed where the period is frozen under several.
    scheme: String,
    /// An earlier version; the newest unless asked.
    version: Option<u32>,
    platform: String,
    area: String,
    cursor: String,
    limit: Option<u32>,
}

/// The list is short: it has no pages.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NoQuery {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
    Xlsx,
}

/// Every version of every assessment.
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    query: Result<Query<NoQuery>, QueryRejection>,
) -> Result<Json<Value>, ProblemDetail> {
    let NoQuery {} = understood(query)?;
    let all = seen(&site, &caller, None).await?;
    Ok(Json(json!({ "items": all.iter().map(head).collect::<Vec<_>>() })))
}

/// A period's frozen results: a page of `2026Q3`; the whole of `2026Q3.csv` and `2026Q3.xlsx`, or a
/// page of them where one is asked for.
pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    name: Result<Path<String>, PathRejection>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, ProblemDetail> {
    let Path(name) = name.map_err(|error| ProblemDetail::bad_request(error.body_text()))?;
    let (period, form) = match name.rsplit_once('.') {
        Some((period, "csv")) => (period, Form::Csv),
        Some((period, "xlsx")) => (period, Form::Xlsx),
        _ => (name.as_str(), Form::Json),
    };
    let period: Period = period.parse().map_err(ProblemDetail::bad_request)?;
    let query = understood(query)?;
    let filter = Filter::new(query.platform.clone(), query.area.clone())?;
    let limit = page_size(query.limit)?;
    let after: i64 = match query.cursor.as_str() {
        "" => 0,
        cursor => cursor.parse().map_err(|_| wrong_cursor())?,
    };
    let one = chosen(&site, &caller, period, &query).await?;
    // What lies outside of the caller's area has no row.
    let Some(filter) = filter.within(&caller) else {
        return answer(form, &one, Vec::new(), None);
    };
    if query.limit.is_none() && after == 0 {
        let whole = Whole { site: site.clone(), one: one.clone(), filter: filter.clone() };
        match form {
            Form::Json => {}
            Form::Csv => return Ok(whole.csv()),
            Form::Xlsx => return whole.xlsx().await,
        }
    }
    let wanted = FrozenFilter { platform: filter.platform(), area: filter.area() };
    let page = site.reads.frozen_page(one.id, after, limit + 1, wanted);
    let mut page = site.ask("frozen_page", page).await?;
    let more = has_more(&mut page, limit);
    let next = page.last().filter(|_| more).map(|(place, _)| place.to_string());
    let mut all = Vec::new();
    for (_, line) in &page {
        let account = FrozenAccount::read(line).map_err(|reason| unwritten(&reason))?;
        all.extend(rows(&one, &account));
    }
    answer(form, &one, all, next.map(|cursor| (limit, cursor)))
}

/// Every version of one period or of all, with the accounts that exist for the caller; those
/// without any do not exist either.
async fn seen(
    site: &Site,
    caller: &Caller,
    period: Option<&str>,
) -> Result<Vec<Assessment>, ProblemDetail> {
    let mut all = site.ask("assessments", site.reads.assessments(period)).await?;
    if caller.area().is_empty() || all.is_empty() {
        return Ok(all);
    }
    let ids: Vec<i64> = all.iter().map(|one| one.id).collect();
    let counted = site.reads.frozen_counts(&ids, caller.area());
    let counts: BTreeMap<i64, u64> =
        site.ask("frozen_counts", counted).await?.into_iter().collect();
    all.retain_mut(|one| {
        one.accounts = counts.get(&one.id).copied().unwrap_or_default();
        one.accounts > 0
    });
    Ok(all)
}

async fn chosen(
    site: &Site,
    caller: &Caller,
    period: Period,
    query: &PageQuery,
) -> Result<Assessment, ProblemDetail> {
    let text = period.to_string();
    let mut found = seen(site, caller, Some(&text)).await?;
    if !query.scheme.is_empty() {
        found.retain(|one| one.scheme.as_deref() == Some(query.scheme.as_str()));
    }
    match query.version {
        Some(version) => found.retain(|one| one.version == version),
        None => found.retain(|one| one.superseded_by.is_none()),
    }
    match found.len() {
        0 => Err(ProblemDetail::not_found(format!("{period} is not frozen so"))),
        1 => Ok(found.remove(0)),
        _ => {
            let detail = format!("{period} is frozen under several schemes: name scheme=");
            Err(ProblemDetail::bad_request(detail))
        }
    }
}

fn head(one: &Assessment) -> Value {
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&SHANGHAI).to_rfc3339();
    json!({
        "assessment": one.id,
        "period": one.period,
        "scheme": one.scheme,
        "version": one.version,
        "supersedes": one.supersedes,
        "superseded_by": one.superseded_by,
        "cutoff": local(one.cutoff),
        "known_at": local(one.known_at),
        "frozen_at": local(one.frozen_at),
        "reason": one.reason,
        "accounts": one.accounts,
        "digest": one.digest,
    })
}

/// The page in its form; the files tell of the next page in `Link`, as the JSON in `next_cursor`.
fn answer(
    form: Form,
    one: &Assessment,
    rows: Vec<Vec<Value>>,
    next: Option<(u32, String)>,
) -> Result<Response, ProblemDetail> {
    let (kind, body) = match form {
        Form::Json => {
            let items: Vec<Value> = rows.into_iter().map(object).collect();
            let next = next.map(|(_, cursor)| cursor);
            let page = json!({
                "assessment": head(one), "columns": COLUMNS, "items": items, "next_cursor": next,
            });
            return Ok(Json(page).into_response());
        }
        Form::Csv => {
            let told = |error: csv::Error| unwritten(&error.to_string());
            let body = [csv_head().map_err(told)?, csv_rows(&rows).map_err(told)?].concat();
            (CSV, body)
        }
        Form::Xlsx => {
            let told = |error: rust_xlsxwriter::XlsxError| unwritten(&error.to_string());
            let mut book = Book::begin().map_err(told)?;
            book.write(&rows).map_err(told)?;
            (XLSX, book.finish().map_err(told)?)
        }
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if let Some((limit, cursor)) = next {
        let link = format!("<?limit={limit}&cursor={cursor}>; rel=\"next\"");
        if let Ok(link) = link.parse() {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

pub(super) fn unwritten(reason: &str) -> ProblemDetail {
    error!(reason, "frozen results cannot be written");
    let detail = "frozen results cannot be written; the log says why";
    ProblemDetail::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}
