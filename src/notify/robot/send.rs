use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::{Message, RobotKind, sign};
use crate::notify::Settings;

/// One message may take so long.
const TIMEOUT: Duration = Duration::from_secs(15);
/// 钉钉 refuses everything for ten minutes once it was asked more than 20 times in one.
const LIMITED_FOR: Duration = Duration::from_secs(600);
/// An answer of more bytes is no robot's.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RobotError {
    /// The same may succeed later; not before this time has passed, where it is known.
    #[error("{0}")]
    Later(String, Option<Duration>),
    /// It never will as things are set up: a wrong token or signature, a word the robot misses.
    #[error("{0}")]
    Never(String),
}

/// The robots that are set up.
pub struct Robots {
    client: Client,
    dingtalk: Option<(String, String)>,
    feishu: Option<(String, String)>,
}

impl Robots {
    /// Those of these settings.
    ///
    /// # Errors
    /// The client cannot be built, in words.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        // Fails only where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("xunjian/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| format!("the client for messages: {error}"))?;
        let (ding, fei) = (&settings.dingtalk, &settings.feishu);
        let address = |server: &str, path: &str, token: &str, secret: &str| {
            let server = server.trim_end_matches('/');
            (!token.is_empty()).then(|| (format!("{server}{path}{token}"), secret.to_owned()))
        };
        Ok(Self {
            client,
            dingtalk: address(
                &ding.server,
                "/robot/send?access_token=",
                &ding.access_token,
                &ding.sign_secret,
            ),
            feishu: address(
                &fei.server,
                "/open-apis/bot/v2/hook/",
                &fei.hook_token,
                &fei.sign_secret,
            ),
        })
    }

    /// Whether there is a robot of this kind.
    pub fn has(&self, kind: RobotKind) -> bool {
        self.robot(kind).is_some()
    }

    fn robot(&self, kind: RobotKind) -> Option<&(String, String)> {
        match kind {
            RobotKind::Dingtalk => self.dingtalk.as_ref(),
            RobotKind::Feishu => self.feishu.as_ref(),
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// There is no robot of this kind, or it did not take the message.
    pub async fn send(
        &self,
        kind: RobotKind,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<(), RobotError> {
        let (address, secret) = self
            .robot(kind)
            .ok_or_else(|| RobotError::Later(format!("{} is not set up", kind.as_str()), None))?;
        let (address, body) = match kind {
            RobotKind::Dingtalk => dingtalk(address, secret, message, now),
            RobotKind::Feishu => (address.clone(), feishu(secret, message, now)),
        };
        let request = self.client.post(address);
        let request = request.header("content-type", "application/json; charset=utf-8");
        // Without the address, which holds the token.
        let failed =
            |error: reqwest::Error| RobotError::Later(error.without_url().to_string(), None);
        let answer = request.body(body.to_string()).send().await.map_err(failed)?;
        let status = answer.status();
        let bytes = read(answer).await.map_err(failed)?;
        if !status.is_success() {
            let reason = format!("{} answered {status}", kind.as_str());
            let again = status.is_server_error() || status.as_u16() == 429;
            let pause = (status.as_u16() == 429).then_some(LIMITED_FOR);
            return Err(match again {
                true => RobotError::Later(reason, pause),
                false => RobotError::Never(reason),
            });
        }
        understand(kind, &bytes)
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > ANSWER_BYTES_MAX {
            bytes.truncate(ANSWER_BYTES_MAX);
            break;
        }
    }
    Ok(bytes)
}

fn dingtalk(
    address: &str,
    secret: &str,
    message: &Message,
    now: DateTime<Utc>,
) -> (String, serde_json::Value) {
    let body = json!({
        "msgtype": "markdown",
        "markdown": { "title": message.title, "text": message.body },
    });
    if secret.is_empty() {
        return (address.to_owned(), body);
    }
    let at = now.timestamp_millis();
    let signed: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("timestamp", &at.to_string())
        .append_pair("sign", &sign::dingtalk(at, secret))
        .finish();
    (format!("{address}&{signed}"), body)
}

fn feishu(secret: &str, message: &Message, now: DateTime<Utc>) -> serde_json::Value {
    let healed = message.title.starts_with("【巡检解除】");
    let mut body = json!({
        "msg_type": "interactive",
        "card": {
            "header": {
                "title": { "tag": "plain_text", "content": message.title },
                "template": if healed { "green" } else { "red" },
            },
            "elements": [{ "tag": "markdown", "content": message.body }],
        },
    });
    if !secret.is_empty() {
        let at = now.timestamp();
        body["timestamp"] = json!(at.to_string());
        body["sign"] = json!(sign::feishu(at, secret));
    }
    body
}

/// Both answer 200 whatever happened; a code says what.
#[derive(Deserialize)]
struct Said {
    #[serde(alias = "errcode")]
    code: i64,
    #[serde(default, alias = "errmsg")]
    msg: String,
}

fn understand(kind: RobotKind, bytes: &[u8]) -> Result<(), RobotError> {
    let Ok(said) = serde_json::from_slice::<Said>(bytes) else {
        let reason = format!("{} gave an answer that is none of its own", kind.as_str());
        return Err(RobotError::Later(reason, None));
    };
    let shown: String = said.msg.chars().filter(|c| !c.is_control()).take(200).collect();
    let reason = format!("{} says {}: {shown}", kind.as_str(), said.code);
    match (kind, said.code) {
        (_, 0) => Ok(()),
        // Too many in a minute.
        (RobotKind::Dingtalk, 130_101 | 410_100) | (RobotKind::Feishu, 11_232) => {
            Err(RobotError::Later(reason, Some(LIMITED_FOR)))
        }
        // Token, signature, words or addresses are not those of the robot; a body it cannot read.
        (RobotKind::Dingtalk, 300_001 | 300_005 | 310_000 | 40_035 | 400_013 | 400_101)
        | (RobotKind::Feishu, 19_001 | 19_002 | 19_021 | 19_022 | 19_024 | 9_499) => {
            Err(RobotError::Never(reason))
        }
        _ => Err(RobotError::Later(reason, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_vendors_say_is_understood() {
        let check = |kind, text: &str, wanted: &str| {
            let got = match understand(kind, text.as_bytes()) {
                Ok(()) => "sent",
                Err(RobotError::Later(_, None)) => "later",
                Err(RobotError::Later(_, Some(LIMITED_FOR))) => "limited",
                Err(RobotError::Later(..)) => "?",
                Err(RobotError::Never(_)) => "never",
            };
            assert_eq!(got, wanted, "{text}");
        };
        use RobotKind::{Dingtalk, Feishu};
        check(Dingtalk, r#"{"errcode":0,"errmsg":"ok"}"#, "sent");
        check(Dingtalk, r#"{"errcode":130101,"errmsg":"send too fast"}"#, "limited");
        check(Dingtalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, "never");
        check(Dingtalk, r#"{"errcode":-1,"errmsg":"系统繁忙"}"#, "later");
        check(Feishu, r#"{"code":0,"msg":"success","data":{}}"#, "sent");
        check(Feishu, r#"{"code":19021,"msg":"sign match fail"}"#, "never");
        check(Feishu, r#"{"code":11232,"msg":"frequency limited"}"#, "limited");
        check(Feishu, "<html>", "later");
        check(Dingtalk, "{}", "later");
    }
}
