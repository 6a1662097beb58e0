use chrono::{DateTime, Utc};
use url::form_urlencoded;

use super::character::{Character, Venue};
use super::city::City;
use super::fault::{Fault, Faults};
use super::hindrance::{failed, hindered, in_force};
use super::resident::Resident;
use super::view::View;
use super::{feed, portal, weibo};

pub(super) const WEIBO: &str = "m.weibo.cn";
pub(super) const VISITOR: &str = "visitor.passport.weibo.cn";
pub(super) const BRIDGE: &str = "bridge.lucheng.example";
pub(super) const FEEDS: &str = "feeds.lucheng.example";

/// Hosts beside those of the accounts: walls send visitors there, links lead there.
pub(super) const OTHER_HOSTS: [&str; 6] =
    [WEIBO, VISITOR, "passport.weibo.com", "mp.weixin.qq.com", BRIDGE, FEEDS];

/// What a visitor asks for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// The Host header without the port, lower case.
    pub(super) host: String,
    /// The path.
    pub(super) path: String,
    /// The query, decoded.
    pub(super) query: Vec<(String, String)>,
    /// The city's time.
    pub(super) now: DateTime<Utc>,
}

impl Ask {
    /// Splits a path with its query.
    pub(super) fn new(host: &str, path_and_query: &str, now: DateTime<Utc>) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        Self {
            host: host.split(':').next().unwrap_or_default().to_ascii_lowercase(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            now,
        }
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The page asked for, from 1.
    pub(super) fn page(&self) -> usize {
        self.parameter("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1)
    }
}

/// How the connection is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Answered after this many real milliseconds.
    Answered(u64),
    /// Closed without a byte.
    Closed,
    /// Left open without a byte.
    Hanging,
}

/// What a visitor gets.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) manner: Manner,
    /// Whether the answer may be given as 304.
    pub(super) validators: bool,
}

impl Reply {
    /// An answer with a body.
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
            manner: Manner::Answered(0),
            validators: false,
        }
    }

    /// An answer in UTF-8 HTML.
    pub(super) fn html(status: u16, body: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    /// The same with one more header.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with validators for conditional requests.
    #[must_use]
    pub(super) fn validated(mut self, modified_at: Option<DateTime<Utc>>) -> Self {
        self.validators = true;
        match modified_at {
            Some(at) => self.with("last-modified", http_date(at)),
            None => self,
        }
    }
}

/// An HTTP date, RFC 9110.
pub(super) fn http_date(at: DateTime<Utc>) -> String {
    httpdate::fmt_http_date(at.into())
}

/// The answer of the city: a pure function of city, faults, question and time.
pub(super) fn answer(city: &City, faults: &Faults, ask: &Ask) -> Reply {
    let known = OTHER_HOSTS.contains(&ask.host.as_str());
    let own_host = if known { None } else { city.first_on_host(&ask.host) };
    if !known && own_host.is_none() {
        return Reply::new(421, "text/plain", "no such host in this city\n");
    }
    if ask.path == "/robots.txt" {
        let own = own_host.and_then(|one| faults.of(&one.entry.key).or(one.obstacle(ask.now)));
        return robots(faults.of(&ask.host).or(own));
    }
    let resident = asked_for(city, ask);
    match in_force(faults, &ask.host, resident, ask.now) {
        Some(fault) => hindered(city, ask, resident, fault),
        None => page(city, ask, resident, View::Usual),
    }
}

fn robots(fault: Option<Fault>) -> Reply {
    let rules = match fault {
        Some(Fault::Outage(outage)) => return failed(outage),
        Some(Fault::RobotsRefusal) => "User-agent: *\nDisallow: /\n",
        _ => "User-agent: *\nDisallow: /manage/\nDisallow: /search\nAllow: /\n",
    };
    Reply::new(200, "text/plain; charset=utf-8", rules)
}

/// The account whose page is asked for.
fn asked_for<'a>(city: &'a City, ask: &Ask) -> Option<&'a Resident> {
    match ask.host.as_str() {
        WEIBO => weibo::asked_for(city, ask),
        BRIDGE => {
            let name = ask.path.rsplit('/').next()?;
            let handle = name.split('.').next()?.replace("%3D", "=").replace("%3d", "=");
            city.by_handle(Venue::Wechat, &handle)
        }
        FEEDS => city.by_handle(Venue::Feed, &format!("https://{FEEDS}{}", ask.path)),
        host => city.first_on_host(host),
    }
}

pub(super) fn page(city: &City, ask: &Ask, resident: Option<&Resident>, view: View) -> Reply {
    match (ask.host.as_str(), resident) {
        (WEIBO, _) => weibo::page(city, ask, resident, view),
        (VISITOR | "passport.weibo.com", _) => Reply::html(200, weibo::VISITOR_PAGE),
        (_, Some(resident)) if resident.venue == Venue::Portal => portal::page(ask, resident, view),
        (BRIDGE, Some(resident)) => feed::page(ask, resident, ask.now, view),
        (host, Some(resident)) if resident.address().strip_prefix(host) == Some(&ask.path) => {
            feed::page(ask, resident, ask.now, view)
        }
        _ => Reply::html(404, "<html><body><h1>404 Not Found</h1></body></html>"),
    }
}

/// Whether an account is one whose posts are taken from everybody's sight by its platform.
pub(super) fn is_gone(resident: &Resident, now: DateTime<Utc>) -> bool {
    resident.character == Character::Cancelled && resident.is_gone(now)
}
