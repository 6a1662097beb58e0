use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// One request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the next requests are answered with; afterwards everything is taken.
type Script = Arc<Mutex<VecDeque<(u16, Value)>>>;

/// The chat services of 企业微信, 钉钉 and 飞书 on loopback.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    script: Script,
    _server: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, script) = (Arc::default(), Script::default());
        let router =
            Router::new().fallback(take).with_state((Arc::clone(&received), script.clone()));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, received, script, _server: server }
    }

    /// Answers the next request like this, once.
    pub(crate) fn answer(&self, status: u16, body: Value) {
        self.script.lock().unwrap().push_back((status, body));
    }

    /// What came in on addresses that begin so, in its order.
    pub(crate) fn received(&self, path: &str) -> Vec<Received> {
        let all = self.received.lock().unwrap();
        all.iter().filter(|one| one.path.starts_with(path)).cloned().collect()
    }
}

async fn take(
    State((received, script)): State<(Arc<Mutex<Vec<Received>>>, Script)>,
    uri: Uri,
    body: Bytes,
) -> (axum::http::StatusCode, axum::Json<Value>) {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    received.lock().unwrap().push(Received {
        path: uri.path().to_owned(),
        query: query.into_owned().collect(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    // Each vendor has names of its own for the same two things.
    let taken = match uri.path().starts_with("/open-apis/") {
        true => json!({ "code": 0, "msg": "success", "data": {} }),
        false => json!({ "errcode": 0, "errmsg": "ok", "access_token": "t", "expires_in": 7200 }),
    };
    let (status, answer) = script.lock().unwrap().pop_front().unwrap_or((200, taken));
    (axum::http::StatusCode::from_u16(status).unwrap(), axum::Json(answer))
}
