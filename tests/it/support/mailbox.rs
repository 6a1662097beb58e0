use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    /// The part in plain text.
    pub(crate) text: String,
}

/// A mail server on loopback that takes everything and delivers nothing.
pub(crate) struct Mailbox {
    pub(crate) address: SocketAddr,
    taken: Arc<Mutex<Vec<Mail>>>,
    _server: JoinSet<()>,
}

impl Mailbox {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken: Arc<Mutex<Vec<Mail>>> = Arc::default();
        let mut server = JoinSet::new();
        let into = Arc::clone(&taken);
        server.spawn(async move {
            let mut talks = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                talks.spawn(talk(stream, Arc::clone(&into)));
            }
        });
        Self { address, taken, _server: server }
    }

    /// What came in for an address, in its order.
    pub(crate) fn to(&self, address: &str) -> Vec<Mail> {
        let all = self.taken.lock().unwrap();
        all.iter().filter(|one| one.to.iter().any(|to| to == address)).cloned().collect()
    }
}

/// SMTP as far as a plain sender needs it: RFC 5321 without extensions.
async fn talk(stream: TcpStream, taken: Arc<Mutex<Vec<Mail>>>) {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut answer = "220 mailbox";
    loop {
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        // A sender that hangs up has said all that it had to say.
        if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
            return;
        }
        let argument = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        answer = match line.trim().get(..4).unwrap_or_default().to_uppercase().as_str() {
            "MAIL" => {
                (from, to) = (argument, Vec::new());
                "250 ok"
            }
            "RCPT" => {
                to.push(argument);
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                let Some(message) = data(&mut stream).await else { return };
                taken.lock().unwrap().push(read(&message, from.clone(), to.clone()));
                "250 taken"
            }
            "EHLO" | "HELO" | "RSET" | "NOOP" => "250 ok",
            "QUIT" => "221 bye",
            _ => "500 unknown",
        };
    }
}

/// Everything up to the lone dot; `None` where it never came.
async fn data(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
        if line == ".\r\n" {
            return Some(message);
        }
        message += line.strip_prefix('.').unwrap_or(&line);
    }
}

fn read(message: &str, from: String, to: Vec<String>) -> Mail {
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let subject = head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap();
    let words = subject.split("=?utf-8?q?").map(|word| word.trim().trim_end_matches("?="));
    let subject = unquoted(&words.collect::<String>().replace('_', " "));
    let (_, part) = body.split_once("Content-Type: text/plain").unwrap();
    let (_, part) = part.split_once("\r\n\r\n").unwrap();
    let part = part.split("\r\n--").next().unwrap();
    Mail { from, to, subject, text: unquoted(&part.replace("=\r\n", "").replace("\r\n", "\n")) }
}

/// Quoted-printable without its soft line ends.
fn unquoted(text: &str) -> String {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}
