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
