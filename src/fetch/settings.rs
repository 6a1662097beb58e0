use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::quiet::QuietHours;

/// No time in the settings may be longer: beyond it lies a slip of the pen, and overflow.
pub(super) const SETTING_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// How often and how widely one host may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostLimit {
    /// Requests per minute, evenly spaced; may be a fraction (0.5 = one in two minutes).
    pub per_minute: f64,
    /// Requests in flight at once.
    pub concurrent: u32,
    /// The longest delay between requests that trouble may lead to.
    pub backoff_max_seconds: u64,
}

impl Default for HostLimit {
    fn default() -> Self {
        Self { per_minute: 6.0, concurrent: 1, backoff_max_seconds: 3600 }
    }
}

impl HostLimit {
    /// The ordinary time between two requests.
    pub(super) fn gap(&self) -> Duration {
        Duration::from_secs_f64(60.0 / self.per_minute)
    }

    pub(super) fn problem(&self) -> Option<String> {
        if !(self.per_minute >= 1e-5 && self.per_minute <= 1e6) {
            return Some(format!("per_minute must be 0.00001 to 1000000, is {}", self.per_minute));
        }
        if self.backoff_max_seconds > SETTING_MAX.as_secs() {
            return Some("backoff_max_seconds is longer than a year".to_owned());
        }
        (!(1..=1000).contains(&self.concurrent))
            .then(|| format!("concurrent must be 1 to 1000, is {}", self.concurrent))
    }
}

/// `[fetch]`: how the outside is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where a host's owner reaches the office: a page address or a mail address. It stands in the
    /// User-Agent, and no public host is asked without it.
    pub contact: String,
    /// The User-Agent; `{contact}` is replaced by the contact. The word before the first `/` is the
    /// name looked for in robots.txt.
    pub user_agent: String,
    /// Longest time for name, connection and TLS together.
    pub connect_timeout_seconds: u64,
    /// Longest time from sending one request to the last byte of its answer; each redirect anew.
    pub timeout_seconds: u64,
    /// Longest wait for a host's turn before a fetch is handed back as `limited`.
    pub patience_seconds: u64,
    /// Largest body, both on the wire and unpacked.
    pub body_max_bytes: u64,
    /// Most redirects followed for one page.
    pub redirects_max: u32,
    /// Most header lines accepted in an answer.
    pub headers_max: u32,
    /// How long a robots.txt is believed, at most 24 (RFC 9309 section 2.4).
    pub robots_cache_hours: u32,
    /// How soon a robots.txt that could not be read is asked for again.
    pub robots_retry_seconds: u64,
    /// Longest `Retry-After` that is honoured.
    pub retry_after_max_seconds: u64,
    /// Troubles in a row (429, 5xx, no answer, a wall) after which a host is left alone.
    pub breaker_failures: u32,
    /// How long it is left alone at least, before a single request tries again.
    pub breaker_open_seconds: u64,
    /// The limit of hosts that neither a platform file nor `limits` names.
    pub default_limit: HostLimit,
    /// Limits that override those of the platform files: host, or `*.suffix`.
    pub limits: BTreeMap<String, HostLimit>,
    /// Hours of the day, Asia/Shanghai, in which a host (or `*.suffix`) is not asked at all:
    /// `"23:00-06:30"`.
    pub quiet_hours: BTreeMap<String, QuietHours>,
    /// Hosts (or `*.suffix`) that are reached over plain HTTP at this address, with their own Host
    /// header: a simulator, or a gateway inside the office.
    pub connect_to: BTreeMap<String, SocketAddr>,
    /// Allows loopback, private and other special addresses, and any port on a literal one.
    pub allow_private: bool,
    /// Ports beyond 80 and 443 that may be asked.
    pub allowed_ports: Vec<u16>,
    /// Hosts whose owner has authorised the crawl in writing, with the number of that letter:
    /// a refusal in their robots.txt does not hold.
    pub authorised_hosts: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contact: String::new(),
            user_agent: concat!("xunjian/", env!("CARGO_PKG_VERSION"), " (+{contact})").to_owned(),
            connect_timeout_seconds: 10,
            timeout_seconds: 30,
            patience_seconds: 60,
            body_max_bytes: 8 * 1024 * 1024,
            redirects_max: 5,
            headers_max: 100,
            robots_cache_hours: 24,
            robots_retry_seconds: 600,
            retry_after_max_seconds: 24 * 3600,
            breaker_failures: 5,
            breaker_open_seconds: 300,
            default_limit: HostLimit::default(),
            limits: BTreeMap::new(),
            quiet_hours: BTreeMap::new(),
            connect_to: BTreeMap::new(),
            allow_private: false,
            allowed_ports: Vec::new(),
            authorised_hosts: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Everything wrong with the values, as (key below `fetch`, reason); empty where all is well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut refuse = |field: &str, reason: &str| {
            problems.push((field.to_owned(), reason.to_owned()));
        };
        let positive = [
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("timeout_seconds", self.timeout_seconds),
            ("body_max_bytes", self.body_max_bytes),
            ("headers_max", u64::from(self.headers_max)),
            ("robots_cache_hours", u64::from(self.robots_cache_hours)),
            ("robots_retry_seconds", self.robots_retry_seconds),
            ("breaker_failures", u64::from(self.breaker_failures)),
        ];
        for (field, _) in positive.into_iter().filter(|(_, value)| *value == 0) {
            refuse(field, "must be at least 1");
        }
        let times = [
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("timeout_seconds", self.timeout_seconds),
            ("patience_seconds", self.patience_seconds),
            ("robots_retry_seconds", self.robots_retry_seconds),
            ("retry_after_max_seconds", self.retry_after_max_seconds),
            ("breaker_open_seconds", self.breaker_open_seconds),
        ];
        for (field, _) in times.into_iter().filter(|(_, value)| *value > SETTING_MAX.as_secs()) {
            refuse(field, "is longer than a year");
        }
        if self.robots_cache_hours > 24 {
            refuse("robots_cache_hours", "must be at most 24 (RFC 9309)");
        }
        if self.product_token().is_empty() {
            refuse("user_agent", "must begin with a name of letters, `-` or `_` before a `/`");
        }
        if !self.full_user_agent().chars().all(|one| (' '..='~').contains(&one)) {
            refuse("user_agent", "with its contact must be printable ASCII");
        }
        for (host, number) in &self.authorised_hosts {
            if number.trim().is_empty() {
                refuse(&format!("authorised_hosts.{host}"), "names no authorisation number");
            }
        }
        let hosts = |field: &str, keys: Vec<&String>| {
            keys.into_iter().map(|key| (format!("{field}.{key}"), key.clone())).collect::<Vec<_>>()
        };
        let named = [
            hosts("limits", self.limits.keys().collect()),
            hosts("quiet_hours", self.quiet_hours.keys().collect()),
            hosts("connect_to", self.connect_to.keys().collect()),
            hosts("authorised_hosts", self.authorised_hosts.keys().collect()),
        ];
        for (field, key) in named.iter().flatten().filter(|(_, key)| !is_host_key(key)) {
            let reason = format!("{key:?} is no host or `*.suffix` in lower case (IDN: punycode)");
            refuse(field, &reason);
        }
        let limits = self.limits.iter().map(|(host, limit)| (format!("limits.{host}"), limit));
        let default = ("default_limit".to_owned(), &self.default_limit);
        for (field, limit) in std::iter::once(default).chain(limits) {
            if let Some(reason) = limit.problem() {
                refuse(&field, &reason);
            }
        }
        problems
    }

    /// The User-Agent as it is sent.
    pub fn full_user_agent(&self) -> String {
        self.user_agent.replace("{contact}", self.contact.trim())
    }

    /// The name looked for in robots.txt (RFC 9309 section 2.2.1).
    pub(super) fn product_token(&self) -> &str {
        let name = self.user_agent.split('/').next().unwrap_or_default();
        let known = |one: char| one.is_ascii_alphabetic() || one == '-' || one == '_';
        if name.chars().all(known) { name } else { "" }
    }
}

/// A host as the keys of maps write it: lower case, no port, no trailing dot.
fn is_host_key(key: &str) -> bool {
    let host = key.strip_prefix("*.").unwrap_or(key);
    let url = url::Url::parse(&format!("http://{host}/"));
    !host.ends_with('.')
        && url.is_ok_and(|url| url.host_str() == Some(host) && url.port().is_none())
}

/// Finds a host in a map keyed by host or `*.suffix`; the exact name, then the longest suffix wins.
pub(super) fn find_host<'map, T>(map: &'map BTreeMap<String, T>, host: &str) -> Option<&'map T> {
    if let Some(exact) = map.get(host) {
        return Some(exact);
    }
    let matches = |key: &str| {
        key.strip_prefix("*.").is_some_and(|suffix| {
            host.strip_suffix(suffix).is_some_and(|before| before.ends_with('.'))
        })
    };
    let best = map.iter().filter(|(key, _)| matches(key)).max_by_key(|(key, _)| key.len());
    best.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_settings_have_no_problem() {
        assert_eq!(Settings::default().problems(), []);
        assert_eq!(Settings::default().product_token(), "xunjian");
    }

    #[test]
    fn every_problem_is_reported_with_its_key() {
        let settings: Settings = toml::from_str(
            r#"
            contact = "政府"
            timeout_seconds = 0
            retry_after_max_seconds = 9223372036854775807
            robots_cache_hours = 25
            default_limit = { per_minute = 0 }
            limits = { "a.cn" = { concurrent = 0 } }
            authorised_hosts = { "b.cn" = " " }
            connect_to = { "C.cn" = "127.0.0.1:1", "d.cn:80" = "127.0.0.1:1" }
            "#,
        )
        .unwrap();
        let fields: Vec<_> = settings.problems().into_iter().map(|one| one.0).collect();
        assert_eq!(
            fields,
            [
                "timeout_seconds",
                "retry_after_max_seconds",
                "robots_cache_hours",
                "user_agent",
                "authorised_hosts.b.cn",
                "connect_to.C.cn",
                "connect_to.d.cn:80",
                "default_limit",
                "limits.a.cn",
            ]
        );
    }

    #[test]
    fn an_unknown_key_and_a_bad_address_are_errors() {
        assert!(toml::from_str::<Settings>("time_out = 3").is_err());
        assert!(toml::from_str::<Settings>("connect_to = { a = 'nowhere' }").is_err());
    }

    #[test]
    fn hosts_are_found_exactly_before_by_their_longest_suffix() {
        let map: BTreeMap<String, u8> = [("*.cn", 1), ("*.gov.cn", 2), ("www.gov.cn", 3)]
            .map(|(key, value)| (key.to_owned(), value))
            .into();
        let check = |host, expected: Option<u8>| {
            assert_eq!(find_host(&map, host).copied(), expected, "{host}");
        };
        check("www.gov.cn", Some(3));
        check("a.gov.cn", Some(2));
        check("gov.cn", Some(1));
        check("evilgov.cn", Some(1));
        check("cn", None);
        check("example.com", None);
    }
}
