//! A headless Chromium, driven over its debugging pipe.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longest wait for an answer or an event.
const PATIENCE: Duration = Duration::from_secs(20);

/// One page of a browser.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: Option<String>,
    sent: u64,
    /// What the browser told by itself, in its order.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts it with an empty page whose requests and messages are told.
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The browser talks over the descriptors 3 and 4. Without a sandbox of its own it runs as
        // root as well; it sees nothing but our own pages.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 0</dev/null 1>&2", "sh"])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-extensions", "--mute-audio"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut browser = Self {
            child,
            input,
            output: BufReader::new(output),
            session: None,
            sent: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let page = browser.ask("Target.createTarget", json!({ "url": "about:blank" })).await;
        let target = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.ask("Target.attachToTarget", target).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({})).await;
        }
        browser
    }

    /// Has a command done.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).await.unwrap();
        loop {
            let told = self.read().await;
            if told["id"] == self.sent {
                assert!(told["error"].is_null(), "{method}: {told}");
                return told["result"].clone();
            }
            self.events.push(told);
        }
    }

    async fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.output.read_until(0, &mut bytes)).await;
        let read = read.expect("the browser answers").unwrap();
        assert!(
            read > 0,
            "chromium did not start or has ended; `deploy/install.sh test` installs it"
        );
        bytes.pop();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Waits for the next page to be loaded, from now on.
    async fn loaded(&mut self, since: usize) {
        let is_loaded = |one: &Value| one["method"] == "Page.loadEventFired";
        while !self.events[since..].iter().any(is_loaded) {
            let told = self.read().await;
            self.events.push(told);
        }
    }

    /// Opens an address.
    pub(crate) async fn open(&mut self, url: &str) {
        let since = self.events.len();
        self.ask("Page.navigate", json!({ "url": url })).await;
        self.loaded(since).await;
    }

    /// Does something on the page that leads to another.
    pub(crate) async fn lead_on(&mut self, script: &str) {
        let since = self.events.len();
        self.evaluate(script).await;
        self.loaded(since).await;
    }

    /// What an expression comes to on the page.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let done = self.ask("Runtime.evaluate", params).await;
        assert!(done["exceptionDetails"].is_null(), "{expression}: {done}");
        done["result"]["value"].clone()
    }

    /// Gives the page this width, as a telephone or as a desk has it.
    pub(crate) async fn resize(&mut self, width: u32, height: u32) {
        let params = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", params).await;
    }

    /// Presses a key.
    pub(crate) async fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let params =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.ask("Input.dispatchKeyEvent", params).await;
        }
    }

    /// The whole page as PNG, in base64.
    pub(crate) async fn picture(&mut self) -> String {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.ask("Page.captureScreenshot", params).await;
        taken["data"].as_str().unwrap().to_owned()
    }

    /// The addresses of everything that was asked for.
    pub(crate) fn requests(&self) -> Vec<&str> {
        let of = |one: &&Value| one["method"] == "Network.requestWillBeSent";
        let asked = self.events.iter().filter(of);
        asked.map(|one| one["params"]["request"]["url"].as_str().unwrap()).collect()
    }

    /// What the browser complains of: errors, warnings, broken rules; no recommendations.
    pub(crate) fn complaints(&self) -> Vec<&Value> {
        let methods = ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
        let of = |one: &&Value| methods.iter().any(|method| one["method"] == *method);
        let is_grave = |one: &&Value| one["params"]["entry"]["level"] != "verbose";
        self.events.iter().filter(of).filter(is_grave).collect()
    }

    /// Ends it.
    pub(crate) async fn close(mut self) {
        self.session = None;
        self.ask("Browser.close", json!({})).await;
        let _ = tokio::time::timeout(PATIENCE, self.child.wait()).await;
    }
}
