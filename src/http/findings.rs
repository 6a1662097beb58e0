use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use crate::domain::{FindingId, FindingState, shanghai_date};
use crate::store::{FindingFilter, FindingRecord};

use super::access::Caller;
use super::finding_views::{EvidenceView, FindingView, WholeFinding};
use super::problem::ProblemDetail;
use super::query::{Filter, has_more, page_size, understood, wrong_cursor};
use super::site::Site;

/// A page of findings in the order of their numbers.
#[derive(Debug, Serialize)]
pub(super) struct FindingList {
    items: Vec<FindingView>,
    next_cursor: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open` (the default) leaves out what is closed or dismissed; `all`, or the word of a state.
    pub(super) state: String,
    pub(super) rule: String,
    /// 账号编号.
    pub(super) account: String,
    pub(super) area: String,
    pub(super) cursor: String,
    pub(super) limit: Option<u32>,
}

pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<FindingList>, ProblemDetail> {
    let (found, next_cursor) = page(&site, &caller, understood(query)?).await?;
    let today = shanghai_date(site.clock.now());
    let items = found.into_iter().map(|one| FindingView::new(one, today)).collect();
    Ok(Json(FindingList { items, next_cursor }))
}

/// The findings asked for as far as they exist for the caller, and the cursor of the page that
/// follows, if one does.
pub(super) async fn page(
    site: &Site,
    caller: &Caller,
    query: ListQuery,
) -> Result<(Vec<FindingRecord>, Option<String>), ProblemDetail> {
    let ListQuery { state, rule, account, area, cursor, limit } = query;
    let filter = Filter::new(String::new(), area)?;
    let limit = page_size(limit)?;
    let after = match cursor.as_str() {
        "" => None,
        cursor => Some(FindingId(cursor.parse().map_err(|_| wrong_cursor())?)),
    };
    let chosen = match state.as_str() {
        "" | "open" | "all" => None,
        word => Some(FindingState::from_word(word).ok_or_else(|| {
            let known: Vec<&str> = FindingState::ALL.iter().map(|row| row.1).collect();
            let known = known.join(", ");
            ProblemDetail::bad_request(format!("state is open, all, {known}, not {word:?}"))
        })?),
    };
    let Some(filter) = filter.within(caller) else { return Ok((Vec::new(), None)) };
    let wanted = FindingFilter {
        open: matches!(state.as_str(), "" | "open"),
        state: chosen,
        rule: Some(rule).filter(|rule| !rule.is_empty()),
        key: Some(account).filter(|key| !key.is_empty()),
        area: filter.area().map(str::to_owned),
        sponsor: caller.sponsor(),
        after,
        limit: limit + 1,
        id: None,
    };
    let mut found = site.ask("findings", site.reads.findings(&wanted)).await?;
    let more = has_more(&mut found, limit);
    let next_cursor = found.last().filter(|_| more).map(|last| last.id.to_string());
    Ok((found, next_cursor))
}

/// The finding of this number, if there is one for the caller.
pub(super) async fn seen(
    site: &Site,
    caller: &Caller,
    id: Result<Path<i64>, PathRejection>,
) -> Result<FindingRecord, ProblemDetail> {
    let Path(id) = id.map_err(|error| ProblemDetail::bad_request(error.body_text()))?;
    let wanted = FindingFilter {
        id: Some(FindingId(id)),
        area: Some(caller.area().to_owned()).filter(|area| !area.is_empty()),
        sponsor: caller.sponsor(),
        limit: 1,
        ..FindingFilter::default()
    };
    let found = site.ask("findings", site.reads.findings(&wanted)).await?;
    let found = found.into_iter().next();
    found.ok_or_else(|| ProblemDetail::not_found(format!("there is no finding {id}")))
}

pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<WholeFinding>, ProblemDetail> {
    Ok(Json(whole(&site, seen(&site, &caller, id).await?).await?))
}

pub(super) async fn whole(
    site: &Site,
    record: FindingRecord,
) -> Result<WholeFinding, ProblemDetail> {
    let story = site.reads.finding_story(record.id);
    let story = site.ask("finding_story", story).await?;
    Ok(WholeFinding::new(record, story, shanghai_date(site.clock.now())))
}

pub(super) async fn evidence(
    State(site): State<Site>,
    caller: Caller,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<EvidenceView>, ProblemDetail> {
    let record = seen(&site, &caller, id).await?;
    let pinned = site.reads.pinned_records(record.id);
    let records = site.ask("pinned_records", pinned).await?;
    Ok(Json(EvidenceView::new(record, records)))
}
