use serde::{Deserialize, Serialize};

/// `[notify.dingtalk]`: the custom robot of a 钉钉 group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DingtalkSettings {
    /// Where it answers; another one for a private edition.
    pub server: String,
    /// What stands behind `access_token=` in the robot's address; empty: there is no robot.
    pub access_token: String,
    /// 加签: the key that begins with `SEC`; empty: the robot checks words or addresses instead.
    pub sign_secret: String,
}

impl Default for DingtalkSettings {
    fn default() -> Self {
        Self {
            server: "https://oapi.dingtalk.com".to_owned(),
            access_token: String::new(),
            sign_secret: String::new(),
        }
    }
}

/// `[notify.feishu]`: the custom robot of a 飞书 group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeishuSettings {
    /// Where it answers; another one for a private edition.
    pub server: String,
    /// What stands behind `/hook/` in the robot's address; empty: there is no robot.
    pub hook_token: String,
    /// 签名校验: its key; empty: the robot checks words or addresses instead.
    pub sign_secret: String,
}

impl Default for FeishuSettings {
    fn default() -> Self {
        Self {
            server: "https://open.feishu.cn".to_owned(),
            hook_token: String::new(),
            sign_secret: String::new(),
        }
    }
}

/// What is wrong with a robot's server and token, if there is a robot.
pub(crate) fn problem(server: &str, token: &str) -> Option<(&'static str, &'static str)> {
    if token.is_empty() {
        return None;
    }
    let Ok(url) = server.parse::<url::Url>() else { return Some(("server", "is no address")) };
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        Some(("server", "must begin with https://"))
    } else if !token.bytes().all(plain) {
        Some(("token", "is the last part of the robot's address alone"))
    } else {
        None
    }
}
