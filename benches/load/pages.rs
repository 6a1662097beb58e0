//! Loopback hosts: every name is answered, every request noted, in a process of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use xunjian::app::clock::SystemClock;
use xunjian::domain::Clock;

use crate::column;

/// What was noted of all hosts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// Hosts that were asked.
    pub(crate) hosts: usize,
    /// Requests in all, robots.txt included.
    pub(crate) requests: u64,
    /// The least time between two requests of one host, in seconds.
    pub(crate) gap_least: f64,
    /// Requests that came sooner than allowed after the one before, or while it was answered.
    pub(crate) violations: u64,
}

#[derive(Default)]
struct Host {
    last: Option<Instant>,
    in_flight: u32,
    /// How often each column was asked for.
    columns: HashMap<String, usize>,
}

#[derive(Default)]
struct Hosts {
    hosts: HashMap<String, Host>,
    noted: Noted,
}

/// Answers until the standard input ends, then says what was noted; the first line of the output is
/// the port. `gap` is the least time allowed between two requests of a host.
pub(crate) async fn answer(gap: Duration) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    let hosts = Arc::new(Mutex::new(Hosts::default()));
    let mut ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut answering = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut ended => break,
            Some(_) = answering.join_next() => {}
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let hosts = hosts.clone();
                answering.spawn(async move {
                    let service = service_fn(move |request| {
                        let hosts = hosts.clone();
                        async move { Ok::<_, Infallible>(page(&hosts, &request, gap)) }
                    });
                    // One that ends early has been answered or does not want to be.
                    let builder = http1::Builder::new();
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
    let mut hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
    hosts.noted.hosts = hosts.hosts.len();
    println!("{}", serde_json::to_string(&hosts.noted)?);
    Ok(())
}

fn page(hosts: &Mutex<Hosts>, request: &Request<Incoming>, gap: Duration) -> Response<Body> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = header("host").unwrap_or_default().to_owned();
    note(&mut hosts.lock().unwrap_or_else(PoisonError::into_inner), &host, gap);
    let path = request.uri().path();
    let packs = header("accept-encoding").is_some_and(|codings| codings.contains("gzip"));
    let mut response = if path == "/robots.txt" {
        let mut response = Response::new(Body::from("not here"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    } else if path.ends_with("/index.html") {
        let mut hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let columns = &mut hosts.hosts.entry(host.clone()).or_default().columns;
        let asked = columns.entry(path.to_owned()).or_default();
        *asked += 1;
        let (plain, packed) = &column::editions()[(*asked - 1).min(column::EDITIONS - 1)];
        Response::new(Body::from(if packs { packed.clone() } else { plain.clone() }))
    } else {
        let text = feed(&host, path, SystemClock.now()).into_bytes();
        Response::new(Body::from(if packs { packed(&text) } else { text.into() }))
    };
    if response.status() == StatusCode::OK {
        let kind = if path.ends_with(".html") {
            "text/html; charset=utf-8"
        } else {
            "application/rss+xml"
        };
        response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
        if packs {
            response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
        }
    }
    let mut hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = hosts.hosts.get_mut(&host) {
        host.in_flight -= 1;
    }
    response
}

/// As gzip.
pub(crate) fn packed(body: &[u8]) -> Bytes {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(body).expect("memory takes all");
    packer.finish().expect("memory takes all").into()
}

fn note(hosts: &mut Hosts, name: &str, gap: Duration) {
    let now = Instant::now();
    let host = hosts.hosts.entry(name.to_owned()).or_default();
    let since = host.last.map(|last| now - last);
    let (noted, busy) = (&mut hosts.noted, host.in_flight > 0);
    (host.last, host.in_flight) = (Some(now), host.in_flight + 1);
    noted.requests += 1;
    if let Some(since) = since {
        let seconds = since.as_secs_f64();
        noted.gap_least =
            if noted.gap_least == 0.0 { seconds } else { noted.gap_least.min(seconds) };
        noted.violations += u64::from(busy || since < gap);
    }
}

/// Ten items of an account that publishes every few hours.
fn feed(host: &str, path: &str, now: DateTime<Utc>) -> String {
    let seed: i64 = host.bytes().chain(path.bytes()).map(i64::from).sum();
    let every = 3600 * (4 + seed % 90);
    let newest = now.timestamp() / every;
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel>\
         <title>某市某区发布</title><link>http://{host}/</link><description>政务信息</description>"
    );
    for number in (newest - 9..=newest).rev() {
        let at = DateTime::from_timestamp(number * every, 0).unwrap_or_default();
        let _ = write!(
            text,
            "<item><title>关于做好第{number}号事项有关工作的通知</title>\
             <link>http://{host}{path}/{number}.html</link><guid>http://{host}{path}/{number}.html\
             </guid><pubDate>{}</pubDate><description>各镇人民政府，各有关单位：现将第{number}号事项\
             的工作要求通知如下，请认真贯彻执行。</description></item>",
            at.to_rfc2822()
        );
    }
    text.push_str("</channel></rss>");
    text
}
