use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;

use super::*;
use crate::fetch::{Lookup, Resolver};

/// Answers each lookup with the next row, the last row for ever; counts.
struct Table {
    rows: Vec<Vec<IpAddr>>,
    lookups: AtomicUsize,
}

impl Table {
    fn new(rows: &[&[&str]]) -> Arc<Self> {
        let parse = |row: &&[&str]| row.iter().map(|one| one.parse().unwrap()).collect();
        Arc::new(Self { rows: rows.iter().map(parse).collect(), lookups: AtomicUsize::new(0) })
    }
}

impl Resolver for Table {
    fn lookup(&self, _host: &str) -> Lookup {
        let count = self.lookups.fetch_add(1, Ordering::SeqCst);
        let row = self.rows.get(count).or(self.rows.last()).cloned();
        let found = row.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
        std::future::ready(found).boxed()
    }
}

fn open_port(server: &Server, more: &str) -> Settings {
    let port = server.address.port();
    let text = format!(
        "contact = 'a'\nallowed_ports = [{port}]\n{more}\n\
         default_limit = {{ per_minute = 60000 }}"
    );
    toml::from_str(&text).unwrap()
}

fn resolving(settings: Settings, table: Arc<Table>) -> Fetcher {
    Fetcher::with_resolver(settings, [], SteppedClock::new(), table).unwrap()
}

#[tokio::test]
async fn a_name_that_resolves_to_a_special_address_is_refused() {
    let server = Server::start(|_| Reply::new(200, b"secret"));
    let url = format!("http://innocent.example:{}/", server.address.port());
    for row in [&["127.0.0.1"][..], &["8.8.8.8", "127.0.0.1"], &["::ffff:127.0.0.1"]] {
        let fetcher = resolving(open_port(&server, ""), Table::new(&[row]));
        assert_ended(&get(&fetcher, &url).await, "refused", "private_address");
    }
    assert_eq!(server.paths(), [""; 0]);
}

#[tokio::test]
async fn a_name_that_changes_its_address_after_the_check_gains_nothing() {
    let server = Server::start(|_| Reply::new(200, b"page"));
    let url = format!("http://rebinding.example:{}/", server.address.port());
    let table = Table::new(&[&["127.0.0.1"], &["127.0.0.1"], &["10.0.0.1"]]);
    let fetcher = resolving(open_port(&server, "allow_private = true"), table.clone());
    page(get(&fetcher, &url).await);
    // Robots and page: two connections, two lookups, each used as it was checked.
    assert_eq!(table.lookups.load(Ordering::SeqCst), 2);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_redirect_into_the_office_is_refused() {
    let target = Server::start(|_| Reply::new(200, b"secret"));
    let inside = format!("http://127.0.0.1:{}/admin", target.address.port());
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        "/inside" => Reply::redirect(&inside),
        "/metadata" => Reply::redirect("http://169.254.169.254/latest/"),
        "/decimal" => Reply::redirect("http://2130706433/"),
        "/chain" => Reply::redirect("//b.example/inside"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/login" => Reply::redirect("http://user:pass@b.example/"),
        _ => Reply::new(200, b"page"),
    });
    let fetcher = fetcher(mapped(&server, "contact = 'a'"));
    for (path, reason) in [
        ("inside", "private_address"),
        ("metadata", "private_address"),
        ("decimal", "ambiguous_host"),
        ("chain", "private_address"),
        ("file", "scheme"),
        ("login", "credentials"),
    ] {
        let fetched = get(&fetcher, &format!("http://a.example/{path}")).await;
        assert_ended(&fetched, "refused", reason);
    }
    assert_eq!(target.paths(), [""; 0]);
}

#[tokio::test]
async fn redirects_are_followed_up_to_the_limit() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        "/loop" => Reply::redirect("/loop"),
        "/3" => Reply::redirect("https://b.example/2"),
        "/2" => Reply::redirect("1"),
        "/nowhere" => Reply::new(302, b""),
        _ => Reply::new(200, b"page"),
    });
    let fetcher = fetcher(mapped(&server, "redirects_max = 2"));
    let found = page(get(&fetcher, "http://a.example/3").await);
    assert_eq!((found.final_url.as_str(), found.redirects), ("https://b.example/1", 2));
    let fetched = get(&fetcher, "http://a.example/loop").await;
    assert_ended(&fetched, "refused", "too_many_redirects");
    assert_eq!(server.paths().iter().filter(|path| *path == "/loop").count(), 3);
    assert_eq!(page(get(&fetcher, "http://a.example/nowhere").await).status, 302);
}

#[tokio::test]
async fn answers_beyond_the_caps_are_refused() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        "/bomb" => Reply::gzip(&vec![0; 20_000_000]),
        "/long" => Reply::new(200, &[b'a'; 70_000]),
        "/endless" => Reply::new(200, &[b'a'; 70_000]).declared(None).hanging(),
        "/declared" => Reply::new(200, b"").declared(Some(70_000)).hanging(),
        "/headers" => (0..60)
            .fold(Reply::new(200, b""), |reply, index| reply.header(&format!("X-{index}"), "1")),
        _ => Reply::new(200, &[b'a'; 64_000]),
    });
    let fetcher = fetcher(mapped(&server, "body_max_bytes = 64000\nheaders_max = 50"));
    assert_eq!(page(get(&fetcher, "http://a.example/whole").await).body.len(), 64_000);
    for path in ["bomb", "long", "endless", "declared"] {
        let fetched = get(&fetcher, &format!("http://a.example/{path}")).await;
        assert_ended(&fetched, "refused", "too_large");
    }
    let fetched = get(&fetcher, "http://a.example/headers").await;
    assert_ended(&fetched, "refused", "too_many_headers");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        _ => Reply::new(200, b"slow").declared(Some(1000)).hanging(),
    });
    let fetched = get(&fetcher(mapped(&server, "")), "http://a.example/").await;
    assert_ended(&fetched, "unreachable", "timeout");
}

#[tokio::test]
async fn every_kind_of_failure_has_its_name() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        "/noise" => Reply::raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        "/nothing" => Reply::raw(b""),
        "/cut" => Reply::new(200, b"half").declared(Some(8)),
        "/packed" => Reply::new(200, b"not packed").header("Content-Encoding", "gzip"),
        "/brotli" => Reply::new(200, b"?").header("Content-Encoding", "br"),
        _ => Reply::new(502, b""),
    });
    let fetcher = fetcher(mapped(&server, "breaker_failures = 100"));
    for (path, reason) in [
        ("noise", "broken_answer"),
        ("nothing", "broken_answer"),
        ("cut", "broken_answer"),
        ("packed", "broken_answer"),
        ("brotli", "broken_answer"),
        ("down", "server_error"),
    ] {
        let fetched = get(&fetcher, &format!("http://a.example/{path}")).await;
        assert_ended(&fetched, "unreachable", reason);
    }

    let port = server.address.port();
    let plain =
        resolving(open_port(&server, "allow_private = true"), Table::new(&[&["127.0.0.1"]]));
    let fetched = get(&plain, &format!("https://a.example:{port}/")).await;
    assert_ended(&fetched, "unreachable", "tls");
    let unknown = resolving(open_port(&server, ""), Table::new(&[]));
    assert_ended(&get(&unknown, "http://a.example/").await, "unreachable", "dns");
    drop(server);
    let settings = format!("connect_to = {{ 'a.example' = '127.0.0.1:{port}' }}");
    let closed = super::fetcher(toml::from_str(&settings).unwrap());
    assert_ended(&get(&closed, "http://a.example/").await, "unreachable", "connect");
}

#[tokio::test]
async fn settings_that_cannot_be_kept_are_refused_all_at_once() {
    let settings: Settings = toml::from_str("timeout_seconds = 0\nheaders_max = 0").unwrap();
    let limit = crate::fetch::HostLimit { per_minute: f64::NAN, ..Default::default() };
    let limits = [("a.example".to_owned(), limit)];
    let Err(error) = Fetcher::new(settings, limits, SteppedClock::new()) else {
        panic!("accepted");
    };
    let text = error.to_string();
    for part in ["timeout_seconds", "headers_max", "limit of a.example"] {
        assert!(text.contains(part), "{text}");
    }
}
