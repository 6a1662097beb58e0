//! How the vendors sign: both HMAC-SHA-256 and base64, with the parts the other way round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

fn hmac(key: &str, message: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    let mac = mac.expect("HMAC takes a key of any length").chain_update(message);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// 钉钉 加签: the secret signs `timestamp`, a line feed and itself; milliseconds, in the address.
/// Source: open.dingtalk.com, 自定义机器人安全设置.
pub(super) fn dingtalk(milliseconds: i64, secret: &str) -> String {
    hmac(secret, &format!("{milliseconds}\n{secret}"))
}

/// 飞书 签名校验: `timestamp`, a line feed and the secret sign nothing; seconds, in the body.
/// Source: open.feishu.cn, 自定义机器人使用指南.
pub(super) fn feishu(seconds: i64, secret: &str) -> String {
    hmac(&format!("{seconds}\n{secret}"), "")
}
