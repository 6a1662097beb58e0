use std::io::{self, Write};
use std::mem;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};

use crate::domain::Standing;
use crate::metrics::{AccountsPage, CONTENT_TYPE};

use super::problem::ProblemDetail;
use super::query::Filter;
use super::site::Site;

/// Level 1: five times faster than level 6 for a third more bytes, over loopback.
const LEVEL: Compression = Compression::fast();

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
    let mut page = AccountsPage::new(limit);
    let mut take = |standing: Standing| page.push(&standing);
    let read = site.reads.each_standing(limit, filter.platform(), filter.area(), &mut take);
    site.ask("standings", read).await?;
    if page.accounts() == limit as usize {
        let all = site.read_fleet().await?.accounts(&filter);
        page.add_dropped(all.saturating_sub(page.accounts() as u64));
    }
    Ok(answer_in_pieces(page, &headers))
}

/// A page of a large fleet is many times larger than what it is made from, so it is written as it
/// is sent.
fn answer_in_pieces(page: AccountsPage, headers: &HeaderMap) -> Response {
    let plain = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::VARY, "accept-encoding")];
    let pieces = page.into_pieces();
    if accepts_gzip(headers) {
        let body = body(Packed::new(pieces));
        return (plain, [(header::CONTENT_ENCODING, "gzip")], body).into_response();
    }
    (plain, body(pieces.map(|piece| Ok(piece.into_bytes())))).into_response()
}

/// Between two pieces others have their turn.
fn body(pieces: impl Iterator<Item = io::Result<Vec<u8>>> + Send + 'static) -> Body {
    let turns = stream::iter(pieces).then(async |piece| {
        tokio::task::yield_now().await;
        piece
    });
    Body::from_stream(turns)
}

/// Pieces of text as pieces of one gzip stream.
struct Packed<P> {
    pieces: P,
    /// Absent after the end.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl<P: Iterator<Item = String>> Packed<P> {
    fn new(pieces: P) -> Self {
        Self { pieces, encoder: Some(GzEncoder::new(Vec::new(), LEVEL)) }
    }
}

impl<P: Iterator<Item = String>> Iterator for Packed<P> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(piece) = self.pieces.next() else {
            return Some(self.encoder.take()?.finish());
        };
        let encoder = self.encoder.as_mut()?;
        let written = encoder.write_all(piece.as_bytes());
        Some(written.map(|()| mem::take(encoder.get_mut())))
    }
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

fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 3), LEVEL);
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
