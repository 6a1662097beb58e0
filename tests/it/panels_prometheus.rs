//! A real Prometheus on loopback, for the tests of boards and rules.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use url::form_urlencoded::Serializer;

use crate::panels_boards::{files, root};

/// Looks at another process until it is ready; 100 ms apart.
const LOOKS_MAX: u32 = 900;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Prometheus' query API.
#[derive(Debug)]
pub(crate) struct PrometheusApi {
    authority: String,
}

impl PrometheusApi {
    /// `http://host:port`, without a path.
    pub(crate) fn at(url: &str) -> Self {
        let authority = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { authority }
    }

    /// HTTP/1.0: the answer ends where the connection ends.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.authority).await?;
            let request = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", self.authority);
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.map(|_| answer)
        };
        let answer: std::io::Result<Vec<u8>> = exchange.await;
        let answer = answer.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).map_err(|error| format!("{error}: {text}"))
    }

    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
        let answer = self.get(&format!("/api/v1/{path}?{query}")).await?;
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["data"]["result"].clone()),
        }
    }

    /// How many series answer an expression with a number; NaN is none. A panel over time asks for
    /// its newest ten seconds, by Prometheus' own clock.
    pub(crate) async fn samples(&self, expression: &str, instant: bool) -> Result<usize, String> {
        let result = if instant {
            self.ask("query", &[("query", expression)]).await?
        } else {
            let now = self.ask("query", &[("query", "time()")]).await?;
            let end = now[0].as_f64().ok_or("Prometheus does not tell its time")?;
            let (start, end) = ((end - 10.0).to_string(), end.to_string());
            let range = [("query", expression), ("start", &start), ("end", &end), ("step", "1")];
            self.ask("query_range", &range).await?
        };
        let is_number = |sample: &Value| sample[1].as_str().is_some_and(|text| text != "NaN");
        let has_number = |series: &&Value| {
            is_number(&series["value"])
                || series["values"].as_array().is_some_and(|all| all.iter().any(is_number))
        };
        Ok(result.as_array().map_or(0, |all| all.iter().filter(has_number).count()))
    }
}

/// A Prometheus that ends with this value.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    _process: Child,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one with the shipped configuration and rules, aimed at `target` and hurried to one
    /// scrape a second, and waits until it has scraped each page `scrapes` times.
    pub(crate) async fn watch(target: SocketAddr, scrapes: u32) -> Self {
        let nobody = "127.0.0.1:1".parse().unwrap();
        Self::alerting(target, scrapes, nobody, str::to_owned).await
    }

    /// The same, telling an Alertmanager, with the rules altered.
    pub(crate) async fn alerting(
        target: SocketAddr,
        scrapes: u32,
        alertmanager: SocketAddr,
        alter: impl Fn(&str) -> String,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let shipped = std::fs::read_to_string(root().join("deploy/prometheus/prometheus.yml"));
        let rules = folder.path().join("rules");
        std::fs::create_dir(&rules).unwrap();
        for (name, text) in files("deploy/prometheus/rules", "yml") {
            std::fs::write(rules.join(name), alter(&text)).unwrap();
        }
        let hurried = shipped
            .unwrap()
            .replace("127.0.0.1:9611", &target.to_string())
            .replace("127.0.0.1:9093", &alertmanager.to_string())
            .replace("rules/*.yml", &format!("{}/*.yml", rules.display()))
            .replace(": 15s", ": 1s")
            .replace(": 60s", ": 1s")
            .replace(": 20s", ": 1s");
        std::fs::write(folder.path().join("prometheus.yml"), hurried).unwrap();
        // The port is free when it is chosen; should somebody else take it, another is chosen.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut process = start(&folder, address);
            let api = PrometheusApi::at(&address.to_string());
            if is_watching(&mut process, &api, scrapes).await {
                let url = format!("http://{address}");
                return Self { url, _process: process, _folder: folder };
            }
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        panic!("Prometheus did not come to scrape {target}:\n{log}");
    }
}

fn start(folder: &TempDir, address: SocketAddr) -> Child {
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let started = Command::new("prometheus")
        .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn();
    match started {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("prometheus is not installed: apt-get install prometheus")
        }
        started => started.unwrap(),
    }
}

async fn is_watching(process: &mut Child, api: &PrometheusApi, scrapes: u32) -> bool {
    let scraped = format!("count(sum_over_time(up[1h]) >= {scrapes}) >= 2");
    for _ in 0..LOOKS_MAX {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        if api.samples(&scraped, true).await == Ok(1) {
            return true;
        }
        // Another process works meanwhile and has no way to tell us.
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    false
}
