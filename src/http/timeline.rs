use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{Count, Form, Precision};
use crate::store::{StoredPost, VisitLine};

use super::access::Caller;
use super::accounts::seen;
use super::problem::ProblemDetail;
use super::query::{beijing, has_more, page_size, read_cursor, understood, wrong_cursor};
use super::site::Site;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PageQuery {
    cursor: String,
    limit: Option<u32>,
}

/// A time and a name after it: the place of the last row of the page before.
pub(super) struct Place(Option<(DateTime<Utc>, String)>);

impl Place {
    pub(super) fn read(cursor: &str) -> Result<Self, ProblemDetail> {
        let text = read_cursor(cursor)?;
        if text.is_empty() {
            return Ok(Self(None));
        }
        let (micros, name) = text.split_once(' ').ok_or_else(wrong_cursor)?;
        let at = micros.parse().ok().and_then(DateTime::from_timestamp_micros);
        // Beyond these years lies no time that the database could compare with.
        let at = at.filter(|at| (DateTime::UNIX_EPOCH..*FAR).contains(at));
        Ok(Self(Some((at.ok_or_else(wrong_cursor)?, name.to_owned()))))
    }

    fn before(&self) -> Option<(DateTime<Utc>, &str)> {
        self.0.as_ref().map(|(at, name)| (*at, name.as_str()))
    }

    fn write(at: DateTime<Utc>, name: &str) -> String {
        hex::encode(format!("{} {name}", at.timestamp_micros()))
    }
}

static FAR: std::sync::LazyLock<DateTime<Utc>> =
    std::sync::LazyLock::new(|| DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default());

/// One post as it was last seen.
#[derive(Debug, Serialize)]
struct PostView {
    #[serde(rename = "ref")]
    reference: String,
    page: String,
    url: Option<String>,
    title: Option<String>,
    published_at: Option<String>,
    precision: Option<&'static str>,
    form: Option<&'static str>,
    origin: &'static str,
    first_seen: String,
    last_seen: String,
    /// As-of time of an earlier reading that should have listed it and did not.
    missed_by: Option<String>,
    reads: Option<Count>,
    likes: Option<Count>,
    comments: Option<Count>,
    shares: Option<Count>,
}

impl From<StoredPost> for PostView {
    fn from(post: StoredPost) -> Self {
        let listed = post.listed;
        Self {
            reference: listed.reference.to_string(),
            page: listed.page.to_string(),
            url: post.url,
            title: post.title,
            published_at: listed.claimed.map(|claimed| beijing(claimed.at)),
            precision: listed.claimed.map(|claimed| claimed.precision).map(Precision::as_str),
            form: post.form.map(Form::as_str),
            origin: post.origin.as_str(),
            first_seen: beijing(listed.first_seen),
            last_seen: beijing(post.last_seen),
            missed_by: listed.missed_by.map(beijing),
            reads: post.reads,
            likes: post.likes,
            comments: post.comments,
            shares: post.shares,
        }
    }
}

/// A page of posts, the newest first.
#[derive(Debug, Serialize)]
pub(super) struct PostList {
    items: Vec<PostView>,
    next_cursor: Option<String>,
}

pub(super) async fn posts(
    State(site): State<Site>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<PostList>, ProblemDetail> {
    let PageQuery { cursor, limit } = understood(query)?;
    let (limit, place) = (page_size(limit)?, Place::read(&cursor)?);
    let key = seen(&site, &caller, key).await?.key;
    let (posts, next_cursor) = post_page(&site, &key, &place, limit).await?;
    Ok(Json(PostList { items: posts.into_iter().map(PostView::from).collect(), next_cursor }))
}

/// An account's posts before a place, and the cursor of the page that follows, if one does.
pub(super) async fn post_page(
    site: &Site,
    key: &str,
    place: &Place,
    limit: u32,
) -> Result<(Vec<StoredPost>, Option<String>), ProblemDetail> {
    let read = site.reads.posts(key, place.before(), limit + 1);
    let mut posts = site.ask("posts", read).await?;
    let more = has_more(&mut posts, limit);
    let next_cursor = posts.last().filter(|_| more).map(|StoredPost { listed, .. }| {
        let at = listed.claimed.map_or(listed.first_seen, |claimed| claimed.at);
        Place::write(at, &listed.reference)
    });
    Ok((posts, next_cursor))
}

/// One attempt to read a page of the account, and what it proves.
#[derive(Debug, Serialize)]
struct VisitView {
    started_at: String,
    page: String,
    part: String,
    source: String,
    outcome: String,
    reason: Option<String>,
    detail: Option<String>,
    status: Option<i16>,
    items: i32,
    new_items: i32,
    as_of: Option<String>,
    span: Option<SpanView>,
    exhausted: bool,
    confirming: bool,
}

/// A stretch of time, its beginning left out.
#[derive(Debug, Serialize)]
pub(super) struct SpanView {
    from: String,
    to: String,
}

impl SpanView {
    pub(super) fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self { from: beijing(from), to: beijing(to) }
    }
}

impl From<VisitLine> for VisitView {
    fn from(visit: VisitLine) -> Self {
        Self {
            started_at: beijing(visit.started_at),
            page: visit.page,
            part: visit.part,
            source: visit.source,
            outcome: visit.outcome,
            reason: visit.reason,
            detail: visit.detail,
            status: visit.status,
            items: visit.items,
            new_items: visit.new_items,
            as_of: visit.as_of.map(beijing),
            span: visit.span_low.zip(visit.span_high).map(|(low, high)| SpanView::new(low, high)),
            exhausted: visit.exhausted,
            confirming: visit.confirming,
        }
    }
}

/// A page of visits, the newest first.
#[derive(Debug, Serialize)]
pub(super) struct VisitList {
    items: Vec<VisitView>,
    next_cursor: Option<String>,
}

pub(super) async fn visits(
    State(site): State<Site>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<VisitList>, ProblemDetail> {
    let PageQuery { cursor, limit } = understood(query)?;
    let (limit, place) = (page_size(limit)?, Place::read(&cursor)?);
    let key = seen(&site, &caller, key).await?.key;
    let (visits, next_cursor) = visit_page(&site, &key, &place, limit).await?;
    Ok(Json(VisitList { items: visits.into_iter().map(VisitView::from).collect(), next_cursor }))
}

/// An account's visits before a place, and the cursor of the page that follows, if one does.
pub(super) async fn visit_page(
    site: &Site,
    key: &str,
    place: &Place,
    limit: u32,
) -> Result<(Vec<VisitLine>, Option<String>), ProblemDetail> {
    let read = site.reads.visits(key, place.before(), limit + 1);
    let mut visits = site.ask("visits", read).await?;
    let more = has_more(&mut visits, limit);
    let last = visits.last().filter(|_| more);
    let next_cursor = last.map(|last| Place::write(last.started_at, &last.page));
    Ok((visits, next_cursor))
}
