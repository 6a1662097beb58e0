//! What Alertmanager's webhook says (version 4), and the message it becomes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::domain::SHANGHAI;

/// 钉钉 takes 20,000 bytes of text, 飞书 20 KB of request; the frame around it needs some.
const BODY_BYTES_MAX: usize = 16_000;
/// Alerts written out one by one; the others are counted.
const ALERTS_SHOWN: usize = 50;
/// A name or sentence of more than so many characters is cut.
const TEXT_CHARACTERS_MAX: usize = 300;

/// The body is not what Alertmanager sends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Misread(pub String);

/// A notification of Alertmanager: the alerts of one group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    version: String,
    group_key: String,
    #[serde(default)]
    truncated_alerts: u64,
    #[serde(default)]
    group_labels: BTreeMap<String, String>,
    alerts: Vec<Alert>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: DateTime<Utc>,
    #[serde(default)]
    ends_at: Option<DateTime<Utc>>,
    #[serde(default)]
    fingerprint: String,
}

/// What a group is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for the same news of the same group.
    pub key: String,
    /// 标题.
    pub title: String,
    /// 正文， in the Markdown that both vendors read.
    pub body: String,
}

impl Alert {
    fn is_firing(&self) -> bool {
        self.status == "firing"
    }

    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }

    /// The gravest first, the healed last.
    fn rank(&self) -> (bool, usize, &str) {
        let order = ["critical", "warning", "info"];
        let severity = self.label("severity");
        let place = order.iter().position(|one| *one == severity).unwrap_or(order.len());
        (!self.is_firing(), place, self.annotation("summary"))
    }
}

impl Notification {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no webhook of version 4, or has no alerts.
    pub fn read(body: &[u8]) -> Result<Self, Misread> {
        let read: Self =
            serde_json::from_slice(body).map_err(|error| Misread(error.to_string()))?;
        if read.version != "4" {
            return Err(Misread(format!("version {:?}, only 4 is known", read.version)));
        }
        if read.alerts.is_empty() {
            return Err(Misread("it has no alerts".to_owned()));
        }
        Ok(read)
    }

    /// The message for a group.
    pub fn message(&self) -> Message {
        let mut alerts: Vec<&Alert> = self.alerts.iter().collect();
        alerts.sort_by_key(|alert| alert.rank());
        let firing = alerts.iter().filter(|alert| alert.is_firing()).count();
        let healed = alerts.len() - firing;
        let about = self.group_labels.get("sponsor").or(self.group_labels.get("platform"));
        let about = about.map(|name| harmless(name)).unwrap_or_else(|| "系统".to_owned());
        let title = match (firing, healed) {
            (0, healed) => format!("【巡检解除】{about}：{healed} 项"),
            (firing, 0) => format!("【巡检报警】{about}：{firing} 项"),
            (firing, healed) => format!("【巡检报警】{about}：{firing} 项，解除 {healed} 项"),
        };
        let body = written(&title, &alerts, self.truncated_alerts);
        Message { key: self.key(), title, body }
    }

    /// Which alerts, since when and whether they fire: a repetition by another Alertmanager of a
    /// pair, or after an answer that was lost, has the same.
    fn key(&self) -> String {
        let mut parts: Vec<String> = self.alerts.iter().map(Alert::news).collect();
        parts.sort();
        let mut hasher = Sha256::new();
        hasher.update(self.group_key.as_bytes());
        for part in parts {
            hasher.update([0]);
            hasher.update(part.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

impl Alert {
    fn news(&self) -> String {
        let ended = if self.is_firing() { None } else { self.ends_at };
        format!("{}\0{}\0{}\0{ended:?}", self.fingerprint, self.status, self.starts_at)
    }
}

fn written(title: &str, alerts: &[&Alert], truncated: u64) -> String {
    let mut body = format!("**{title}**\n");
    let mut shown = 0;
    for alert in alerts.iter().take(ALERTS_SHOWN) {
        let entry = entry(alert);
        if body.len() + entry.len() > BODY_BYTES_MAX {
            break;
        }
        body.push_str(&entry);
        shown += 1;
    }
    let left = (alerts.len() - shown) as u64 + truncated;
    if left > 0 {
        let _ = write!(body, "\n另有 {left} 项，请到看板查看。\n");
    }
    body
}

fn entry(alert: &Alert) -> String {
    let word = match (alert.is_firing(), alert.label("severity")) {
        (false, _) => "已解除",
        (true, "critical") => "严重",
        (true, "warning") => "警告",
        (true, _) => "提示",
    };
    let local = alert.starts_at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
    let summary = match alert.annotation("summary") {
        "" => alert.label("alertname"),
        summary => summary,
    };
    let mut entry = format!("\n- **{word}** {}\n", harmless(summary));
    let description = alert.annotation("description");
    if alert.is_firing() && !description.is_empty() {
        let _ = writeln!(entry, "  {}", harmless(description));
    }
    let _ = writeln!(entry, "  自 {local}（北京时间）");
    entry
}

/// A text of the ledger or of a page that must neither call anybody nor lead anywhere: what the
/// vendors' Markdown would act on becomes its full-width likeness.
fn harmless(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control()).take(TEXT_CHARACTERS_MAX);
    let shown = kept.map(|c| match c {
        '<' => '\u{ff1c}',
        '>' => '\u{ff1e}',
        '[' => '\u{ff3b}',
        ']' => '\u{ff3d}',
        '@' => '\u{ff20}',
        '*' => '\u{ff0a}',
        '`' => '\u{2018}',
        '#' => '\u{ff03}',
        '~' => '\u{ff5e}',
        '!' => '\u{ff01}',
        other => other,
    });
    shown.collect()
}
