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
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::{Character, Outage, Venue};
    use super::*;

    /// A clock that stands still.
    struct Stopped(DateTime<Utc>);

    impl Clock for Stopped {
        fn now(&self) -> DateTime<Utc> {
            self.0
        }
    }

    struct Running {
        simulator: Simulator,
        tracker: TaskTracker,
        stop: CancellationToken,
    }

    impl Running {
        async fn start() -> Self {
            let now = "2026-11-22T02:30:00Z".parse().unwrap();
            let city = City::generate(1, now, 200);
            let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
            let listen = "127.0.0.1:0".parse().unwrap();
            let clock = Arc::new(Stopped(now));
            let simulator = Simulator::start(city, clock, listen, &tracker, stop.clone());
            Self { simulator: simulator.await.unwrap(), tracker, stop }
        }

        fn page(&self, venue: Venue, character: Character) -> (String, String) {
            let keys = self.simulator.city().keys_of(character);
            let mut found = keys.iter().filter_map(|key| self.simulator.city().resident(key));
            let address = found.find(|one| one.venue == venue).unwrap().address();
            let (host, path) = address.split_at(address.find('/').unwrap());
            (host.to_owned(), path.to_owned())
        }

        async fn ask(&self, host: &str, path: &str, headers: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.simulator.address()).await.unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test/1\r\n\
                 Connection: close\r\n{headers}\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            stream
        }

        async fn get(&self, host: &str, path: &str, headers: &str) -> String {
            let mut answer = Vec::new();
            let mut stream = self.ask(host, path, headers).await;
            stream.read_to_end(&mut answer).await.unwrap_or_default();
            String::from_utf8_lossy(&answer).into_owned()
        }

        async fn stop(self) {
            self.stop.cancel();
            self.tracker.close();
            self.tracker.wait().await;
        }
    }

    #[tokio::test]
    async fn answers_carry_the_citys_date_and_validators() {
        let running = Running::start().await;
        let (host, path) = running.page(Venue::Feed, Character::Active);
        let answer = running.get(&host, &path, "").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.contains("date: Sun, 22 Nov 2026 02:30:00 GMT"), "{answer}");
        let tag = answer.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let again = running.get(&host, &path, &format!("If-None-Match: {tag}\r\n")).await;
        assert!(again.starts_with("HTTP/1.1 304"), "{again}");
        let zipped = running.get(&host, &path, "Accept-Encoding: gzip\r\n").await;
        assert!(zipped.contains("content-encoding: gzip"));
        running.stop().await;
    }

    #[tokio::test]
    async fn a_city_served_by_itself_ends_when_told() {
        let now = "2026-11-22T02:30:00Z".parse().unwrap();
        let stop = CancellationToken::new();
        let listen = "127.0.0.1:0".parse().unwrap();
        let ready = |simulator: &Simulator| {
            assert_eq!(simulator.city().ledger().len(), 20);
            assert_ne!(simulator.address().port(), 0);
            stop.cancel();
        };
        simulate(1, 20, Arc::new(Stopped(now)), listen, stop.clone(), ready).await.unwrap();
        let taken = "192.0.2.1:1".parse().unwrap();
        let failed = simulate(1, 20, Arc::new(Stopped(now)), taken, stop.clone(), |_| {}).await;
        assert!(failed.is_err());
    }

    #[tokio::test]
    async fn requests_are_recorded_by_host() {
        let running = Running::start().await;
        let (host, path) = running.page(Venue::Portal, Character::Active);
        running.get(&host, &path, "").await;
        running.get(&host, "/robots.txt", "If-Modified-Since: x\r\n").await;
        let requests = running.simulator.requests();
        let seen = requests[&host].iter().map(|one| (one.path.as_str(), one.conditional));
        assert_eq!(seen.collect::<Vec<_>>(), [(path.as_str(), false), ("/robots.txt", true)]);
        assert!(requests[&host].iter().all(|one| one.in_flight == 1 && one.user_agent == "test/1"));
        assert_eq!(running.simulator.requests_total(), 2);
        running.stop().await;
    }

    #[tokio::test]
    async fn faults_are_real_on_the_socket() {
        let running = Running::start().await;
        let (host, path) = running.page(Venue::Portal, Character::Active);
        let set = |fault| running.simulator.set_fault(&host, fault);
        set(Some(Fault::Outage(Outage::Closed)));
        assert_eq!(running.get(&host, &path, "").await, "");
        set(Some(Fault::Outage(Outage::Status(502))));
        assert!(running.get(&host, &path, "").await.starts_with("HTTP/1.1 502"));
        set(Some(Fault::Outage(Outage::Hanging)));
        let mut hanging = running.ask(&host, &path, "").await;
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_millis(100), hanging.read(&mut byte));
        assert!(read.await.is_err(), "a hanging host answers nothing");
        let second = running.ask(&host, "/second", "").await;
        while running.simulator.requests_total() < 4 {
            tokio::task::yield_now().await;
        }
        let in_flight = running.simulator.requests()[&host].iter().map(|one| one.in_flight).max();
        assert_eq!(in_flight, Some(2));
        drop((hanging, second));
        running.simulator.clear_faults();
        // Visitors who give up are counted out as soon as the server sees them gone.
        let mut in_flight = usize::MAX;
        for _ in 0..1000 {
            assert!(running.get(&host, &path, "").await.starts_with("HTTP/1.1 200"));
            in_flight = running.simulator.requests()[&host].last().unwrap().in_flight;
            if in_flight == 1 {
                break;
            }
        }
        assert_eq!(in_flight, 1);
        running.stop().await;
    }

    #[tokio::test]
    async fn the_host_map_leads_every_host_here() {
        let running = Running::start().await;
        let map = running.simulator.connect_to();
        assert_eq!(map["m.weibo.cn"], running.simulator.address());
        for host in running.simulator.city().hosts() {
            let covered = map.contains_key(&host) || host.ends_with(".lucheng.example");
            assert!(covered, "{host}");
            let resident = running.simulator.city().first_on_host(&host);
            if resident.is_none_or(|one| one.character != Character::Unreachable) {
                let robots = running.get(&host, "/robots.txt", "").await;
                assert!(robots.starts_with("HTTP/1.1 200"), "{host}");
            }
        }
        running.stop().await;
    }
}
