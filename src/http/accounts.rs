use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use crate::domain::{Count, Reason, Standing};
use crate::store::StandingFilter;

use super::access::Caller;
use super::page::ACTIVITIES;
use super::problem::ProblemDetail;
use super::query::{Filter, beijing, has_more, page_size, read_cursor, understood};
use super::site::Site;

/// One account as the API shows it; times are RFC 3339 at +08:00, unknown values are null.
#[derive(Debug, Serialize)]
struct AccountView {
    key: String,
    platform: String,
    name: String,
    sponsor: String,
    area_code: String,
    category: Option<String>,
    activity: &'static str,
    reason: Option<&'static str>,
    last_post_at: Option<String>,
    last_observation_at: Option<String>,
    silence_deadline_at: Option<String>,
    coverage_ratio: Option<f64>,
    followers: Option<Count>,
    score_points: BTreeMap<String, f64>,
}

impl From<Standing> for AccountView {
    fn from(standing: Standing) -> Self {
        Self {
            key: standing.key,
            platform: standing.platform,
            name: standing.name,
            sponsor: standing.sponsor,
            area_code: standing.region.into(),
            category: standing.category,
            activity: standing.activity.as_str(),
            reason: standing.activity.reason().map(Reason::as_str),
            last_post_at: standing.last_post_at.map(beijing),
            last_observation_at: standing.last_observation_at.map(beijing),
            silence_deadline_at: standing.silence_deadline_at.map(beijing),
            coverage_ratio: Some(standing.coverage).filter(|ratio| ratio.is_finite()),
            followers: standing.followers,
            score_points: standing.scores.into_iter().filter(|(_, p)| p.is_finite()).collect(),
        }
    }
}

/// A page of accounts in the order of their keys.
#[derive(Debug, Default, Serialize)]
pub(super) struct AccountList {
    items: Vec<AccountView>,
    /// Give it back as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    platform: String,
    area: String,
    /// The word of one activity; empty means all.
    activity: String,
    cursor: String,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<AccountList>, ProblemDetail> {
    let ListQuery { platform, area, activity, cursor, limit } = understood(query)?;
    let filter = Filter::new(platform, area)?;
    let activity = activity_of(&activity)?;
    let limit = page_size(limit)?;
    let after = read_cursor(&cursor)?;
    let Some(filter) = filter.within(&caller) else { return Ok(Json(AccountList::default())) };
    let (platform, area) = (filter.platform(), filter.area());
    let wanted = StandingFilter { platform, area, activity, ..StandingFilter::default() };
    let (standings, next_cursor) = page(&site, wanted, &after, limit).await?;
    let items = standings.into_iter().map(AccountView::from).collect();
    Ok(Json(AccountList { items, next_cursor }))
}

/// The chosen accounts after a key, and the cursor of the page that follows, if one does.
pub(super) async fn page(
    site: &Site,
    wanted: StandingFilter<'_>,
    after: &str,
    limit: u32,
) -> Result<(Vec<Standing>, Option<String>), ProblemDetail> {
    // One more than asked tells whether another page follows.
    let read = site.reads.standings_after(Some(after), limit + 1, wanted);
    let mut standings = site.ask("standings_after", read).await?;
    let more = has_more(&mut standings, limit);
    let last = standings.last().filter(|_| more);
    let next_cursor = last.map(|one| hex::encode(&one.key));
    Ok((standings, next_cursor))
}

pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<impl Serialize>, ProblemDetail> {
    Ok(Json(AccountView::from(seen(&site, &caller, key).await?)))
}

/// The account of this key, if there is one for the caller.
pub(super) async fn seen(
    site: &Site,
    caller: &Caller,
    key: Result<Path<String>, PathRejection>,
) -> Result<Standing, ProblemDetail> {
    let Path(key) = key.map_err(|error| ProblemDetail::bad_request(error.body_text()))?;
    let standing = site.ask("standing", site.reads.standing(&key)).await?;
    let standing = standing.filter(|one| caller.sees(one.region.as_str()));
    standing.ok_or_else(|| ProblemDetail::not_found(format!("there is no account {key:?}")))
}

/// The activity asked for, which must be one there is: a slip of the pen is no empty list.
pub(super) fn activity_of(word: &str) -> Result<Option<&'static str>, ProblemDetail> {
    if word.is_empty() {
        return Ok(None);
    }
    let words = ACTIVITIES.map(|(word, _)| word);
    words.into_iter().find(|known| *known == word).map(Some).ok_or_else(|| {
        ProblemDetail::bad_request(format!("activity is {}, not {word:?}", words.join(", ")))
    })
}
