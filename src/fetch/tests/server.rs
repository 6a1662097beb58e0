use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|one| one.0 == name).map(|one| one.1.as_str())
    }
}

/// What the server answers.
pub(super) struct Reply {
    head: String,
    body: Vec<u8>,
    declared: Option<usize>,
    raw: bool,
    delay: Duration,
    /// Says nothing more after the body, and keeps the connection.
    hang: bool,
}

impl Reply {
    pub(super) fn new(status: u16, body: &[u8]) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} Said\r\n"),
            body: body.to_vec(),
            declared: Some(body.len()),
            raw: false,
            delay: Duration::ZERO,
            hang: false,
        }
    }

    pub(super) fn raw(bytes: &[u8]) -> Self {
        Self { raw: true, ..Self::new(0, bytes) }
    }

    pub(super) fn gzip(plain: &[u8]) -> Self {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        encoder.write_all(plain).unwrap();
        Self::new(200, &encoder.finish().unwrap()).header("Content-Encoding", "gzip")
    }

    pub(super) fn redirect(location: &str) -> Self {
        Self::new(302, b"moved").header("Location", location)
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(super) fn declared(self, length: Option<usize>) -> Self {
        Self { declared: length, ..self }
    }

    pub(super) fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(super) fn hanging(self) -> Self {
        Self { hang: true, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        if self.raw {
            return self.body.clone();
        }
        let length = self.declared.map(|length| format!("Content-Length: {length}\r\n"));
        let head = format!("{}{}Connection: close\r\n\r\n", self.head, length.unwrap_or_default());
        [head.as_bytes(), &self.body].concat()
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

#[derive(Default)]
struct Record {
    seen: Vec<Seen>,
    in_flight: usize,
    in_flight_max: usize,
}

/// Answers by a script and keeps a record; stops when dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    record: Arc<Mutex<Record>>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(super) fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Mutex::new(Record::default()));
        let mut tasks = JoinSet::new();
        let script: Arc<Script> = Arc::new(script);
        tasks.spawn(accept(TcpListener::from_std(listener).unwrap(), script, record.clone()));
        Self { address, record, _tasks: tasks }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.record.lock().unwrap().seen.clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|one| one.path).collect()
    }

    pub(super) fn in_flight_max(&self) -> usize {
        self.record.lock().unwrap().in_flight_max
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>, record: Arc<Mutex<Record>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, script.clone(), record.clone()));
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, record: Arc<Mutex<Record>>) {
    let Some(seen) = read(&mut stream).await else { return };
    {
        let mut record = record.lock().unwrap();
        record.seen.push(seen.clone());
        record.in_flight += 1;
        record.in_flight_max = record.in_flight_max.max(record.in_flight);
    }
    let reply = script(&seen);
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    // Before the last byte: the client may ask again as soon as it has it.
    record.lock().unwrap().in_flight -= 1;
    // The client may hang up in the middle of a body it refuses.
    let _ = stream.write_all(&reply.bytes()).await;
    if reply.hang {
        std::future::pending::<()>().await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = vec![stream.read_u8().await.ok()?];
    if bytes == [0x16] {
        // The hello of TLS, which gets a plain answer.
        return Some(Seen { path: "tls".to_owned(), headers: Vec::new() });
    }
    while !bytes.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.ok()?;
        bytes.push(byte);
    }
    let text = String::from_utf8(bytes).unwrap();
    let mut lines = text.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Some(Seen { path, headers: headers.collect() })
}
