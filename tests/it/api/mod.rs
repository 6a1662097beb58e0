//! The HTTP interface over the real daemon and a real database.

mod browser;
mod feed;
mod pages;
mod reads;
mod schema;
mod tokens;
mod writes;

use std::net::SocketAddr;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xunjian::app::App;
use xunjian::domain::{LedgerEntry, Scope};
use xunjian::jobs::assessment::{Freeze, freeze};
use xunjian::jobs::score::score_current_quarter;
use xunjian::settings::Settings;
use xunjian::store::NewToken;

use crate::findings::{Office, entry};

/// Two counties of one prefecture: each with an account that posts and one that is silent, which
/// the rules have found.
struct Counties {
    office: Office,
    app: App,
}

/// Every account of the county has its mark in its key, name and sponsor.
const EAST: (&str, &str) = ("甲", "441521");
const WEST: (&str, &str) = ("乙", "441522");

fn account(number: u32, (mark, region): (&str, &str)) -> LedgerEntry {
    let sponsor = format!("{mark}局");
    LedgerEntry { sponsor, region: region.parse().unwrap(), ..entry(&format!("{mark}-{number}")) }
}

impl Counties {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let office = Office::open().await;
        let accounts = [account(1, EAST), account(2, EAST), account(1, WEST), account(2, WEST)];
        let ids = office.ledger(&accounts).await;
        for (id, posts) in ids.into_iter().zip([&[1, 4, 9][..], &[20, 60], &[2, 3], &[30, 70]]) {
            office.checked(id, 150, posts).await;
        }
        office.look().await;
        let app = office.answering(change).await;
        Self { office, app }
    }

    /// With scores of the quarter, and one that is frozen.
    async fn assessed() -> Self {
        let counties = Self::open().await;
        let context = counties.office.context();
        score_current_quarter(context).await.unwrap();
        let wanted = Freeze {
            period: "2026Q4".parse().unwrap(),
            scheme: None,
            cutoff: counties.office.begun() - TimeDelta::hours(2),
            sample: None,
            actor: "zhang",
            reason: "",
        };
        freeze(context, &wanted).await.unwrap();
        counties
    }

    /// The secret of a new token.
    async fn token(&self, person: &str, scope: Scope, area: &str) -> String {
        self.token_for(person, scope, area, None, None).await
    }

    async fn token_for(
        &self,
        person: &str,
        scope: Scope,
        area: &str,
        sponsor: Option<&str>,
        source: Option<&str>,
    ) -> String {
        let store = &self.office.context().store;
        let sponsor = match sponsor {
            Some(name) => Some(store.sponsors_called(name).await.unwrap().remove(0).id),
            None => None,
        };
        let new = NewToken {
            person: person.to_owned(),
            scope,
            area: area.parse().unwrap(),
            sponsor,
            source: source.map(str::to_owned),
            created_by: "li".to_owned(),
            expires_at: self.office.now() + TimeDelta::days(30),
        };
        store.create_token(&new, self.office.now()).await.unwrap().1
    }

    async fn get(&self, token: &str, path: &str) -> Reply {
        ask(self.app.address(), "GET", path, &[("authorization", &bearer(token))], b"").await
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> Reply {
        self.post_as(token, path, body, &[]).await
    }

    async fn post_as(&self, token: &str, path: &str, body: &Value, more: &[(&str, &str)]) -> Reply {
        let shown = bearer(token);
        let given = [("authorization", shown.as_str()), ("content-type", "application/json")];
        let body = body.to_string();
        let address = self.app.address();
        ask(address, "POST", path, &[&given[..], more].concat(), body.as_bytes()).await
    }

    /// The numbers of the findings of a county's accounts.
    async fn findings(&self, mark: &str) -> Vec<i64> {
        let wanted = xunjian::store::FindingFilter { limit: 100, ..Default::default() };
        let all = self.office.context().store.findings(&wanted).await.unwrap().into_iter();
        let own = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(mark));
        all.filter(|one| own(&one.key)).map(|one| one.id.0).collect()
    }

    async fn close(self) {
        self.app.run_until_stopped(futures::stream::empty()).await.unwrap();
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// Its body, where it has this status.
    #[track_caller]
    fn with(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// A problem of this status whose detail says so.
    #[track_caller]
    fn refused(&self, status: u16, words: &str) {
        let problem = self.with(status);
        assert!(self.head.contains("application/problem+json"), "{}", self.head);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail:?} does not say {words:?}");
    }
}

async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    // Of version 1.0: an answer to it does not come in pieces, and ends with its connection.
    let mut request = format!("{method} {path} HTTP/1.0\r\nhost: {address}\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if method != "GET" {
        request += &format!("content-length: {}\r\n", body.len());
    }
    request += "\r\n";
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[request.as_bytes(), body].concat()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: bytes[end + 4..].to_vec() }
}

/// The address of a key.
fn encoded(key: &str) -> String {
    key.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn reason(words: &str) -> Value {
    json!({ "reason": words })
}
