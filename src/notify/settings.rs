use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::robot::{self, DingtalkSettings, FeishuSettings};

/// `[notify]`: letters to sponsors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether letters are written and sent at all.
    pub enabled: bool,
    /// Who signs them (落款).
    pub signature: String,
    /// Where printed letters are put; empty: `letters` under `data_dir`.
    pub letters_dir: PathBuf,
    /// No letter is sent before this hour of the day in Asia/Shanghai, 0–23.
    pub send_from_hour: u32,
    /// Most letters a channel sends in a day.
    pub per_day_max: u32,
    /// After so many failed attempts a letter is given up and left to a person.
    pub attempts_max: u32,
    /// The delay after the first failed attempt; it doubles with each, to a day.
    pub retry_first_minutes: u32,
    /// Most messages a chat group is sent in a minute; the vendors allow 20.
    pub messages_per_minute: u32,
    /// The same news handed in again within this time is sent once.
    pub messages_once_minutes: u32,
    /// 钉钉.
    pub dingtalk: DingtalkSettings,
    /// 飞书.
    pub feishu: FeishuSettings,
    /// Letters by mail.
    pub email: EmailSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            signature: "政务公开工作机构".to_owned(),
            letters_dir: PathBuf::new(),
            send_from_hour: 9,
            per_day_max: 500,
            attempts_max: 8,
            retry_first_minutes: 10,
            messages_per_minute: 20,
            messages_once_minutes: 60,
            dingtalk: DingtalkSettings::default(),
            feishu: FeishuSettings::default(),
            email: EmailSettings::default(),
        }
    }
}

/// `[notify.email]`: which server takes the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmailSettings {
    /// The server's name; empty: no mail is sent, and letters meant for it are printed.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: EmailSecurity,
    /// The account on the server; empty: none is needed.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Whom the mail comes from, as `巡检 <xunjian@example.gov.cn>`.
    pub from: String,
}

impl Default for EmailSettings {
    fn default() -> Self {
        Self {
            server: String::new(),
            port: 465,
            security: EmailSecurity::Tls,
            user: String::new(),
            password: String::new(),
            from: String::new(),
        }
    }
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailSecurity {
    /// TLS from the first byte (port 465).
    Tls,
    /// Begins in the clear and must change to TLS (port 587).
    Starttls,
    /// None: only for a server on this machine.
    None,
}

impl Settings {
    /// What is wrong with the settings: each key with the reason.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut wrong =
            |key: &str, reason: &str| problems.push((key.to_owned(), reason.to_owned()));
        if self.send_from_hour > 23 {
            wrong("send_from_hour", "is an hour, 0 to 23");
        }
        if self.attempts_max == 0 {
            wrong("attempts_max", "must be at least 1");
        }
        if !(1..=1440).contains(&self.retry_first_minutes) {
            wrong("retry_first_minutes", "must be from 1 to 1440");
        }
        if self.signature.trim().is_empty() {
            wrong("signature", "must name who signs the letters");
        }
        if !(1..=20).contains(&self.messages_per_minute) {
            wrong("messages_per_minute", "must be from 1 to 20");
        }
        if !(1..=1440).contains(&self.messages_once_minutes) {
            wrong("messages_once_minutes", "must be from 1 to 1440");
        }
        let (ding, fei) = (&self.dingtalk, &self.feishu);
        if let Some((_, reason)) = robot::problem(&ding.server, &ding.access_token) {
            wrong("dingtalk", reason);
        }
        if let Some((_, reason)) = robot::problem(&fei.server, &fei.hook_token) {
            wrong("feishu", reason);
        }
        let email = &self.email;
        if !email.server.is_empty() {
            if email.from.parse::<lettre::message::Mailbox>().is_err() {
                wrong("email.from", "must be a mail address, as 巡检 <xunjian@example.gov.cn>");
            }
            let here = ["localhost", "127.0.0.1", "::1"].contains(&email.server.as_str());
            if email.security == EmailSecurity::None && !here {
                wrong("email.security", "none is only for a server on this machine");
            }
        }
        problems
    }
}
