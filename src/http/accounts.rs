use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{Count, Reason, SHANGHAI, Standing};

use super::landing::ACTIVITIES;
use super::problem::ProblemDetail;
use super::query::{Filter, understood};
use super::site::Site;

/// Accounts on one page unless the client asks otherwise, and the most it may ask for.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 500;

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
#[derive(Debug, Serialize)]
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
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<AccountList>, ProblemDetail> {
    let ListQuery { platform, area, activity, cursor, limit } = understood(query)?;
    let filter = Filter::new(platform, area)?;
    let activity = activity_of(&activity)?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("limit is 1 to {LIMIT_MAX}, not {limit}");
        return Err(ProblemDetail::bad_request(detail));
    }
    let after = key_of(&cursor)?;
    // One more than asked tells whether another page follows.
    let (after, platform, area) = (after.as_deref(), filter.platform(), filter.area());
    let read = site.reads.standings_after(after, limit + 1, platform, area, activity);
    let mut standings = site.ask("standings_after", read).await?;
    let more = standings.len() > limit as usize;
    standings.truncate(limit as usize);
    let last = standings.last().filter(|_| more);
    let next_cursor = last.map(|one| hex::encode(&one.key));
    let items = standings.into_iter().map(AccountView::from).collect();
    Ok(Json(AccountList { items, next_cursor }))
}

pub(super) async fn show(
    State(site): State<Site>,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<impl Serialize>, ProblemDetail> {
    let Path(key) = key.map_err(|error| ProblemDetail::bad_request(error.body_text()))?;
    match site.ask("standing", site.reads.standing(&key)).await? {
        Some(standing) => Ok(Json(AccountView::from(standing))),
        None => Err(ProblemDetail::not_found(format!("there is no account {key:?}"))),
    }
}

/// The activity asked for, which must be one there is: a slip of the pen is no empty list.
fn activity_of(word: &str) -> Result<Option<&'static str>, ProblemDetail> {
    if word.is_empty() {
        return Ok(None);
    }
    let words = ACTIVITIES.map(|(word, ..)| word);
    words.into_iter().find(|known| *known == word).map(Some).ok_or_else(|| {
        ProblemDetail::bad_request(format!("activity is {}, not {word:?}", words.join(", ")))
    })
}

/// The key a cursor stands for. Keys hold any character, so the cursor is their bytes in hex.
fn key_of(cursor: &str) -> Result<Option<String>, ProblemDetail> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let bytes = hex::decode(cursor).ok();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(key) => Ok(Some(key)),
        None => Err(ProblemDetail::bad_request("cursor is not one that this list gave out")),
    }
}

fn beijing(at: DateTime<Utc>) -> String {
    at.with_timezone(&SHANGHAI).to_rfc3339()
}
