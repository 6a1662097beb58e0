//! Which addresses may be asked at all: checked before every hop.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use url::{Host, Url};

use super::outcome::{Fetched, RefusedReason};
use super::ranges::special_range;
use super::settings::{Settings, find_host};

/// An address that may be asked, as far as that can be told before its name is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The address as asked for.
    pub(super) url: Url,
    /// The host in lower case without a trailing dot: the key of limits and settings.
    pub(super) host: String,
    /// Where to connect instead, over plain HTTP.
    pub(super) connect_to: Option<SocketAddr>,
}

impl Target {
    /// Scheme, host and port: what a robots.txt speaks for.
    pub(super) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Host, and the port where it is not the scheme's own: the `Host` header.
    pub(super) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

/// Checks addresses against the settings.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    settings: Arc<Settings>,
}

impl Guard {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { settings }
    }

    /// Checks an address as somebody wrote it: a request's, or a `Location` seen at `base`.
    pub(super) fn check(&self, written: &str, base: Option<&Url>) -> Result<Target, Fetched> {
        let refused = |reason, detail: String| Err(Fetched::refused(reason, detail));
        let parsed = match base {
            Some(base) => base.join(written),
            None => Url::parse(written),
        };
        let url = match parsed {
            Ok(url) => url,
            Err(error) => {
                return refused(RefusedReason::BadUrl, format!("{error}: {written:.200}"));
            }
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refused(RefusedReason::Scheme, format!("not http or https: {}", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let detail = "the address carries credentials".to_owned();
            return refused(RefusedReason::Credentials, detail);
        }
        let Some(host) = url.host() else {
            return refused(RefusedReason::BadUrl, "the address has no host".to_owned());
        };
        if let Host::Ipv4(address) = host
            && base.is_none_or(|base| base.host() != url.host())
            && !written.contains(&address.to_string())
        {
            let detail = format!("{address} is not written in four decimal parts: {written:.200}");
            return refused(RefusedReason::AmbiguousHost, detail);
        }
        let name = host.to_string().trim_end_matches('.').to_ascii_lowercase();
        let connect_to = find_host(&self.settings.connect_to, &name).copied();
        if connect_to.is_none() {
            self.check_outside(&url, &name)?;
        }
        Ok(Target { url, host: name, connect_to })
    }

    /// What holds for every host that is not mapped to an address by the operator.
    fn check_outside(&self, url: &Url, name: &str) -> Result<(), Fetched> {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if let Some(address) = literal {
            self.check_address(address).map_err(|refusal| {
                Fetched::refused(RefusedReason::PrivateAddress, refusal.to_string())
            })?;
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let special =
            name == "localhost" || literal.is_some_and(|one| special_range(one).is_some());
        let allowed = matches!(port, 80 | 443)
            || self.settings.allowed_ports.contains(&port)
            || (self.settings.allow_private && special);
        if !allowed {
            let detail = format!("port {port} is not in fetch.allowed_ports");
            return Err(Fetched::refused(RefusedReason::Port, detail));
        }
        if self.settings.contact.trim().is_empty() && !self.settings.allow_private {
            let detail = "set fetch.contact: hosts must be able to reach whoever asks them";
            return Err(Fetched::refused(RefusedReason::NoContact, detail));
        }
        Ok(())
    }

    /// Checks one address that a name was resolved to, or that was written out.
    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), AddressRefused> {
        match special_range(address) {
            Some(range) if !self.settings.allow_private => Err(AddressRefused { address, range }),
            _ => Ok(()),
        }
    }
}

/// An address inside a special range; travels through the client's errors back to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is a special address ({range})")]
pub(super) struct AddressRefused {
    address: IpAddr,
    range: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(text: &str) -> Guard {
        Guard::new(Arc::new(toml::from_str(text).unwrap()))
    }

    fn check(guard: &Guard, url: &str, expected: &str) {
        let word = match guard.check(url, None) {
            Ok(_) => "ok",
            Err(refused) => refused.reason().unwrap(),
        };
        assert_eq!(word, expected, "{url}");
    }

    #[test]
    fn unsafe_addresses_are_refused_before_any_lookup() {
        let guard = guard("contact = 'mailto:a@example.cn'\nallowed_ports = [8080]");
        for (url, expected) in [
            ("http://m.weibo.cn/u/1", "ok"),
            ("https://m.weibo.cn:443/u/1", "ok"),
            ("https://m.weibo.cn:8080/u/1", "ok"),
            ("https://m.weibo.cn:8443/u/1", "port"),
            ("https://m.weibo.cn:22/", "port"),
            ("http://1.1.1.1/", "ok"),
            ("http://127.0.0.1/", "private_address"),
            ("http://127.0.0.1./", "private_address"),
            ("http://127.1/", "ambiguous_host"),
            ("http://2130706433/", "ambiguous_host"),
            ("http://0x7f.0.0.1/", "ambiguous_host"),
            ("http://0177.0.0.1/", "ambiguous_host"),
            ("http://0x7f000001/", "ambiguous_host"),
            ("http://[::1]/", "private_address"),
            ("http://[::ffff:10.0.0.1]/", "private_address"),
            ("http://[fe80::1]/", "private_address"),
            ("http://169.254.169.254/latest/meta-data", "private_address"),
            ("http://user@m.weibo.cn/", "credentials"),
            ("http://user:secret@m.weibo.cn/", "credentials"),
            ("http://:secret@m.weibo.cn/", "credentials"),
            ("ftp://m.weibo.cn/", "scheme"),
            ("file:///etc/passwd", "scheme"),
            ("gopher://m.weibo.cn/", "scheme"),
            ("m.weibo.cn/u/1", "bad_url"),
            ("http://", "bad_url"),
            ("", "bad_url"),
        ] {
            check(&guard, url, expected);
        }
    }

    #[test]
    fn a_redirect_is_checked_like_an_address_of_its_own() {
        let guard = guard("contact = 'a'");
        let base = Url::parse("http://1.1.1.1/a").unwrap();
        let word =
            |location| guard.check(location, Some(&base)).map(|target| target.url.to_string());
        assert_eq!(word("/b").unwrap(), "http://1.1.1.1/b");
        assert_eq!(word("//10.0.0.1/").unwrap_err().reason(), Some("private_address"));
        assert_eq!(word("http://0x0a000001/").unwrap_err().reason(), Some("ambiguous_host"));
        assert_eq!(word("javascript:alert(1)").unwrap_err().reason(), Some("scheme"));
    }

    #[test]
    fn a_public_host_is_asked_only_under_a_contact() {
        check(&guard(""), "http://m.weibo.cn/", "no_contact");
        let mapped = guard("connect_to = { 'm.weibo.cn' = '127.0.0.1:4000' }");
        check(&mapped, "http://m.weibo.cn/", "ok");
        check(&mapped, "https://m.weibo.cn.:8443/", "ok");
        check(&mapped, "http://weibo.com/", "no_contact");
        check(&mapped, "http://127.0.0.1:4000/", "private_address");
    }

    #[test]
    fn allow_private_opens_loopback_with_its_ports_and_no_other_port() {
        let guard = guard("allow_private = true");
        check(&guard, "http://127.0.0.1:34567/", "ok");
        check(&guard, "http://localhost:34567/", "ok");
        check(&guard, "http://m.weibo.cn:34567/", "port");
    }
}
