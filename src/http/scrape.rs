use std::io::Write;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use tracing::error;

use crate::domain::Standing;
use crate::metrics::{AccountsPage, CONTENT_TYPE};

use super::problem::ProblemDetail;
use super::query::Filter;
use super::site::Site;

/// `/metrics`. Without a database the process still speaks, with `database_up` 0 and no fleet:
/// numbers that cannot be read are absent, not old.
pub(super) async fn process_and_fleet(State(site): State<Site>, headers: HeaderMap) -> Response {
    let fleet = site.read_fleet().await.ok();
    let mut text = site.metrics.render();
    if let Some(fleet) = fleet {
        text.push_str(&fleet.text);
    }
    answer(text, &headers)
}

/// `/metrics/accounts?platform=&area=`. Without a database there is nothing to say, and the
/// scrape's own `up` should say so: 503.
pub(super) async fn accounts(
    State(site): State<Site>,
    headers: HeaderMap,
    query: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, ProblemDetail> {
    let filter = Filter::read(query)?;
    let limit = site.series.accounts_max;
    let read = site.reads.standings(limit, filter.platform(), filter.area());
    let standings = site.ask("standings", read).await?;
    let unread = if standings.len() < limit as usize {
        0
    } else {
        site.read_fleet().await?.accounts(&filter).saturating_sub(standings.len() as u64)
    };
    // Tens of milliseconds of work for a large fleet: not on a thread that others wait for.
    let rendered =
        tokio::task::spawn_blocking(move || respond(&standings, limit, unread, &headers)).await;
    rendered.map_err(|error| {
        error!(%error, "the account series could not be written");
        ProblemDetail::new(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be written")
    })
}

fn respond(standings: &[Standing], limit: u32, unread: u64, headers: &HeaderMap) -> Response {
    answer(AccountsPage::new(standings, limit).with_dropped(unread).render(), headers)
}

fn answer(text: String, headers: &HeaderMap) -> Response {
    let plain = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::VARY, "accept-encoding")];
    if !accepts_gzip(headers) {
        return (plain, text).into_response();
    }
    match gzip(text.as_bytes()) {
        Ok(body) => (plain, [(header::CONTENT_ENCODING, "gzip")], body).into_response(),
        Err(_) => (plain, text).into_response(),
    }
}

/// Level 1: five times faster than level 6 for a third more bytes, over loopback.
fn gzip(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 3), Compression::fast());
    encoder.write_all(text)?;
    encoder.finish()
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    fields.flat_map(|field| field.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    })
}
