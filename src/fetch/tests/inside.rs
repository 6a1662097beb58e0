//! Every way known to lead a crawler into the office's own network, refused.

use std::io;
use std::net::IpAddr;

use futures::FutureExt;

use super::*;
use crate::fetch::{Lookup, Resolver};

/// Addresses that lead inside, however they are written, and why each is refused. `{port}` is a
/// port on which somebody listens.
const INSIDE: [(&str, &str); 51] = [
    // As they are.
    ("http://127.0.0.1:{port}/", "private_address"),
    ("http://127.255.255.254/", "private_address"),
    ("http://0.0.0.0:{port}/", "private_address"),
    ("http://10.0.0.1/", "private_address"),
    ("http://172.16.0.1/", "private_address"),
    ("http://172.31.255.254/", "private_address"),
    ("http://192.168.1.1/", "private_address"),
    ("http://100.64.0.1/", "private_address"),
    ("http://169.254.1.1/", "private_address"),
    ("http://224.0.0.1/", "private_address"),
    ("http://255.255.255.255/", "private_address"),
    // Metadata services: most clouds, Alibaba, Azure, AWS over IPv6.
    ("http://169.254.169.254/latest/meta-data/", "private_address"),
    ("http://100.100.100.200/latest/meta-data/", "private_address"),
    ("http://168.63.129.16/", "private_address"),
    ("http://[fd00:ec2::254]/", "private_address"),
    // IPv6.
    ("http://[::1]:{port}/", "private_address"),
    ("http://[::]/", "private_address"),
    ("http://[fe80::1]/", "private_address"),
    ("http://[fc00::1]/", "private_address"),
    ("http://[fec0::1]/", "private_address"),
    ("http://[ff02::1]/", "private_address"),
    // IPv4 inside IPv6: mapped, compatible, NAT64 of both kinds, 6to4, Teredo.
    ("http://[::ffff:127.0.0.1]:{port}/", "private_address"),
    ("http://[::ffff:7f00:1]:{port}/", "private_address"),
    ("http://[0:0:0:0:0:ffff:a9fe:a9fe]/", "private_address"),
    ("http://[::127.0.0.1]/", "private_address"),
    ("http://[64:ff9b::127.0.0.1]/", "private_address"),
    ("http://[64:ff9b::a9fe:a9fe]/", "private_address"),
    ("http://[64:ff9b:1::7f00:1]/", "private_address"),
    ("http://[2002:7f00:1::1]/", "private_address"),
    ("http://[2001:0:7f00:1::1]/", "private_address"),
    // Decimal, octal, hexadecimal, shortened, mixed.
    ("http://2130706433:{port}/", "ambiguous_host"),
    ("http://2852039166/", "ambiguous_host"),
    ("http://017700000001/", "ambiguous_host"),
    ("http://0177.0.0.1/", "ambiguous_host"),
    ("http://0x7f000001/", "ambiguous_host"),
    ("http://0x7f.0x0.0x0.0x1/", "ambiguous_host"),
    ("http://0x7F.1/", "ambiguous_host"),
    ("http://127.1/", "ambiguous_host"),
    ("http://0/", "ambiguous_host"),
    ("http://192.168.257/", "ambiguous_host"),
    // In other digits and stops, or escaped.
    ("http://１２７.0.0.1/", "ambiguous_host"),
    ("http://127。0。0。1/", "ambiguous_host"),
    ("http://%31%32%37.0.0.1/", "ambiguous_host"),
    ("http://127.0.\t0.1/", "ambiguous_host"),
    // Behind what looks like another host.
    ("http://www.gov.cn@127.0.0.1/", "credentials"),
    ("http:\\\\127.0.0.1\\@www.gov.cn/", "private_address"),
    ("http://127.0.0.1#@www.gov.cn/", "private_address"),
    // By name.
    ("http://localhost/", "private_address"),
    ("http://innocent.example/", "private_address"),
    // By another protocol.
    ("file:///etc/passwd", "scheme"),
    ("gopher://127.0.0.1:6379/_FLUSHALL", "scheme"),
];

/// Knows every name as the machine itself.
struct Loopback;

impl Resolver for Loopback {
    fn lookup(&self, _host: &str) -> Lookup {
        std::future::ready(Ok(vec![IpAddr::from([127, 0, 0, 1])])).boxed()
    }
}

/// A name with a public address first and one of the office ever after (DNS rebinding); the public
/// one answers nobody, since nothing of a test may leave the machine.
struct Rebinding(std::sync::atomic::AtomicUsize);

impl Resolver for Rebinding {
    fn lookup(&self, _host: &str) -> Lookup {
        let first = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let unanswered = || Err(io::Error::from(io::ErrorKind::TimedOut));
        let inside = || Ok(vec![IpAddr::from([127, 0, 0, 1])]);
        std::future::ready(if first { unanswered() } else { inside() }).boxed()
    }
}

fn settings(port: u16, more: &str) -> Settings {
    let text = format!(
        "contact = 'a'\nallowed_ports = [{port}]\nrobots_retry_seconds = 1\n{more}\n\
         default_limit = {{ per_minute = 60000 }}"
    );
    toml::from_str(&text).unwrap()
}

#[tokio::test]
async fn every_address_that_leads_inside_is_refused() {
    let server = Server::start(|_| Reply::new(200, b"secret"));
    let port = server.address.port();
    let settings = settings(port, "");
    let fetcher =
        Fetcher::with_resolver(settings, [], SteppedClock::new(), Arc::new(Loopback)).unwrap();
    for (written, reason) in INSIDE {
        let fetched = get(&fetcher, &written.replace("{port}", &port.to_string())).await;
        assert_eq!((fetched.as_str(), fetched.reason()), ("refused", Some(reason)), "{written}");
    }
    assert_eq!(server.paths(), [""; 0]);
}

#[tokio::test]
async fn no_redirect_or_chain_of_them_leads_inside() {
    let inside = Server::start(|_| Reply::new(200, b"secret"));
    let port = inside.address.port();
    let outside = Server::start(move |seen| {
        let (_, path) = seen.path.split_at(1);
        let (hops, place) = path.split_once('/').unwrap_or(("", ""));
        match (hops.parse::<u32>(), place.parse::<usize>()) {
            (Ok(0), Ok(place)) => {
                let target = INSIDE[place].0.replace("{port}", &port.to_string());
                // A header line holds no tab in the middle of an address, and bytes of UTF-8.
                Reply::redirect(&target)
            }
            (Ok(hops), Ok(place)) => {
                Reply::redirect(&format!("https://hop{hops}.example/{}/{place}", hops - 1))
            }
            _ => Reply::new(404, b""),
        }
    });
    let mapped = format!("connect_to = {{ '*.example' = '{}' }}", outside.address);
    let settings = settings(port, &mapped);
    let fetcher =
        Fetcher::with_resolver(settings, [], SteppedClock::new(), Arc::new(Loopback)).unwrap();
    for (place, (written, reason)) in INSIDE.into_iter().enumerate() {
        // This name is the outside server here; and a tab cannot stand in a header line.
        if written.contains("innocent") || written.contains('\t') {
            continue;
        }
        for hops in [0, 3] {
            let fetched = get(&fetcher, &format!("http://start.example/{hops}/{place}")).await;
            let ended = (fetched.as_str(), fetched.reason());
            assert_eq!(ended, ("refused", Some(reason)), "{written} after {hops} hops");
        }
    }
    assert_eq!(inside.paths(), [""; 0]);
}

#[tokio::test]
async fn a_name_that_turns_inside_between_two_lookups_is_refused() {
    let inside = Server::start(|_| Reply::new(200, b"secret"));
    let port = inside.address.port();
    let clock = SteppedClock::new();
    let resolver = Arc::new(Rebinding(0.into()));
    let fetcher = Fetcher::with_resolver(settings(port, ""), [], clock.clone(), resolver).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    assert_ended(&get(&fetcher, &url).await, "unreachable", "dns");
    clock.step(TimeDelta::seconds(2));
    assert_ended(&get(&fetcher, &url).await, "refused", "private_address");
    assert_eq!(inside.paths(), [""; 0]);
}
