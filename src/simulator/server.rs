use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, header};
use chrono::{DateTime, Utc};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::Clock;

use super::answer::{self, Ask, Manner, Reply, http_date};
use super::city::City;
use super::fault::{Fault, Faults};
use super::requests::{Arrival, Requests};

/// The city on one port of the loopback: every host of it, told apart by the Host header.
///
/// Plain HTTP/1.1. Cheap to clone; all clones speak of the same server.
#[derive(Clone)]
pub struct Simulator {
    address: SocketAddr,
    street: Arc<Street>,
}

/// What the connections share.
struct Street {
    city: City,
    clock: Arc<dyn Clock>,
    faults: Mutex<Faults>,
    requests: Mutex<Requests>,
}

/// Answers are held back no longer than this, whatever the script says.
const HANGING_MAX: Duration = Duration::from_secs(120);

impl Simulator {
    /// Opens the port (0 for a free one) and serves the city until `stop` is cancelled. The one
    /// task is spawned on `tracker`; connections end with it. Times are read from `clock`.
    pub async fn start(
        city: City,
        clock: Arc<dyn Clock>,
        listen: SocketAddr,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let street = Street { city, clock, faults: Mutex::default(), requests: Mutex::default() };
        let street = Arc::new(street);
        tracker.spawn(serve(listener, Arc::clone(&street), stop));
        Ok(Self { address, street })
    }

    /// Where the city is reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The city served.
    pub fn city(&self) -> &City {
        &self.street.city
    }

    /// The host map that puts the city in the internet's place: every host of the city, exact or
    /// as `*.suffix`, with this server's address.
    pub fn connect_to(&self) -> BTreeMap<String, SocketAddr> {
        let hosts = self.street.city.hosts().into_iter();
        let outside = hosts.filter(|host| !host.ends_with(".lucheng.example"));
        outside.chain(["*.lucheng.example".to_owned()]).map(|host| (host, self.address)).collect()
    }

    /// Switches a fault of a host or an account key on, or off with `None`. A fault of an account
    /// goes before its host's, and both before what the city's script has for it.
    pub fn set_fault(&self, target: &str, fault: Option<Fault>) {
        lock(&self.street.faults).set(target, fault);
    }

    /// Switches off every fault that was switched on.
    pub fn clear_faults(&self) {
        lock(&self.street.faults).clear();
    }

    /// The newest requests (at most 50,000) by host, oldest first.
    pub fn requests(&self) -> BTreeMap<String, Vec<Arrival>> {
        lock(&self.street.requests).by_host()
    }

    /// All requests since the start, those no longer remembered included.
    pub fn requests_total(&self) -> u64 {
        lock(&self.street.requests).total()
    }
}

/// Serves a city of its own until `stop` is cancelled, for load from outside: made from a seed, its
/// number of accounts and the clock's time at the start. `ready` is called once the port is open.
pub async fn simulate(
    seed: u64,
    accounts: usize,
    clock: Arc<dyn Clock>,
    listen: SocketAddr,
    stop: CancellationToken,
    ready: impl FnOnce(&Simulator),
) -> io::Result<()> {
    let city = City::generate(seed, clock.now(), accounts);
    let tracker = TaskTracker::new();
    let simulator = Simulator::start(city, clock, listen, &tracker, stop).await?;
    ready(&simulator);
    tracker.close();
    tracker.wait().await;
    Ok(())
}

/// A poisoned lock is used on: the data behind it is replaced whole or counted.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, street: Arc<Street>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(talk(stream, Arc::clone(&street)));
                }
                // Out of descriptors: wait for connections to end instead of spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    connections.shutdown().await;
}

async fn talk(stream: TcpStream, street: Arc<Street>) {
    // Small answers over loopback wait 40 ms for an acknowledgement otherwise.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| handle(request, Arc::clone(&street)));
    // An error here is a visitor that went away, or a connection closed by script.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A request in flight; ends when dropped, so that a visitor who gives up is counted out.
struct InFlight {
    street: Arc<Street>,
    host: String,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        lock(&self.street.requests).done(&self.host);
    }
}

async fn handle(request: Request<Incoming>, street: Arc<Street>) -> io::Result<Response<Body>> {
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let now = street.clock.now();
    let ask = Ask::new(text(header::HOST), path, now);
    lock(&street.requests).arrived(Arrival {
        host: ask.host.clone(),
        at: now,
        instant: Instant::now(),
        path: path.to_owned(),
        user_agent: text(header::USER_AGENT).to_owned(),
        conditional: headers.contains_key(header::IF_NONE_MATCH)
            || headers.contains_key(header::IF_MODIFIED_SINCE),
        in_flight: 0,
    });
    let _in_flight = InFlight { street: Arc::clone(&street), host: ask.host.clone() };
    if request.method() != Method::GET {
        return written(Reply::new(405, "text/plain", "").with("allow", "GET"), headers, now);
    }
    let faults = lock(&street.faults).clone();
    let reply = answer::answer(&street.city, &faults, &ask);
    match reply.manner {
        Manner::Answered(0) => {}
        Manner::Answered(milliseconds) => {
            tokio::time::sleep(Duration::from_millis(milliseconds).min(HANGING_MAX)).await;
        }
        Manner::Closed => return Err(io::ErrorKind::ConnectionReset.into()),
        Manner::Hanging => {
            tokio::time::sleep(HANGING_MAX).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    written(reply, headers, now)
}

/// Turns a reply into an HTTP answer: date, validators, compression.
fn written(reply: Reply, asked: &HeaderMap, now: DateTime<Utc>) -> io::Result<Response<Body>> {
    let asked = |name| asked.get(name).and_then(|value| value.to_str().ok());
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&reply.body)[..8]));
    let modified = reply.headers.iter().find(|(name, _)| *name == "last-modified");
    // RFC 9110: If-Modified-Since is not looked at beside If-None-Match.
    let unchanged = match (asked(header::IF_NONE_MATCH), asked(header::IF_MODIFIED_SINCE)) {
        (Some(tags), _) => tags.contains(&tag),
        (None, Some(since)) => modified.is_some_and(|(_, at)| at == since),
        (None, None) => false,
    };
    let not_modified = reply.validators && reply.status == 200 && unchanged;
    let mut answer = Response::builder().status(if not_modified { 304 } else { reply.status });
    if !reply.headers.iter().any(|(name, _)| *name == "date") {
        answer = answer.header(header::DATE, http_date(now));
    }
    if reply.validators {
        answer = answer.header(header::ETAG, tag);
    }
    for (name, value) in &reply.headers {
        answer = answer.header(*name, value);
    }
    let zip = asked(header::ACCEPT_ENCODING).is_some_and(|kinds| kinds.contains("gzip"));
    let body = match (not_modified, zip && reply.body.len() > 1000) {
        (true, _) => Vec::new(),
        (false, true) => {
            answer = answer.header(header::CONTENT_ENCODING, "gzip");
            zipped(&reply.body)?
        }
        (false, false) => reply.body,
    };
    answer.header(header::VARY, "Accept-Encoding").body(Body::from(body)).map_err(io::Error::other)
}

fn zipped(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(body)?;
    writer.finish()
}

#[cfg(test)]
mod tests;
