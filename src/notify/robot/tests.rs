use serde_json::json;

use super::*;

#[test]
fn signatures_are_those_of_the_vendors() {
    // Computed with Python's hmac and base64 by the rule of each vendor's documentation.
    assert_eq!(sign::dingtalk(1_700_000_000_000, "SECtest"), DINGTALK);
    assert_eq!(sign::feishu(1_700_000_000, "test"), FEISHU);
}

const DINGTALK: &str = "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g=";
const FEISHU: &str = "eSJQnOl8XqPTMPHWz9e5IzeHS/tqoc68g2967ekIPmg=";

fn alert(status: &str, severity: &str, summary: &str) -> serde_json::Value {
    json!({
        "status": status,
        "labels": { "alertname": "XunjianAccountZombie", "severity": severity, "sponsor": "某局" },
        "annotations": { "summary": summary, "description": "已证实" },
        "startsAt": "2026-11-28T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": summary,
    })
}

fn notification(alerts: &[serde_json::Value]) -> Vec<u8> {
    let whole = json!({
        "version": "4", "groupKey": "{}:{sponsor=\"某局\"}", "truncatedAlerts": 0,
        "status": "firing", "receiver": "supervisors", "groupLabels": { "sponsor": "某局" },
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am", "alerts": alerts,
    });
    whole.to_string().into_bytes()
}

fn message(alerts: &[serde_json::Value]) -> Message {
    Notification::read(&notification(alerts)).unwrap().message()
}

#[test]
fn a_digest_tells_the_gravest_first_in_chinese() {
    let told = message(&[
        alert("resolved", "critical", "僵尸：丙"),
        alert("firing", "info", "临近休眠：乙"),
        alert("firing", "critical", "僵尸：甲"),
    ]);
    assert_eq!(told.title, "【巡检报警】某局：2 项，解除 1 项");
    let order = ["**严重** 僵尸：甲", "**提示** 临近休眠：乙", "**已解除** 僵尸：丙"];
    let places: Vec<_> = order.iter().map(|part| told.body.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{}", told.body);
    assert!(told.body.contains("自 2026-11-28 08:00（北京时间）"), "{}", told.body);
    let healed = message(&[alert("resolved", "critical", "僵尸：甲")]);
    assert_eq!(healed.title, "【巡检解除】某局：1 项");
}

#[test]
fn the_same_news_has_the_same_key_in_any_order_and_other_news_another() {
    let (one, two) = (alert("firing", "info", "甲"), alert("firing", "info", "乙"));
    let key = message(&[one.clone(), two.clone()]).key;
    assert_eq!(message(&[two.clone(), one.clone()]).key, key);
    assert_ne!(message(std::slice::from_ref(&one)).key, key);
    assert_ne!(message(&[one, alert("resolved", "info", "乙")]).key, key);
}

#[test]
fn names_call_nobody_and_lead_nowhere() {
    let told =
        message(&[alert("firing", "info", "<at id=all></at> [点我](http://x) @所有人\n# *x*")]);
    let line = told.body.lines().find(|line| line.contains("点我")).unwrap();
    assert!(!line.contains(['<', '[', '@', '#', '`']), "{line}");
    assert_eq!(line.matches('*').count(), 4, "only our own: {line}");
}

#[test]
fn a_long_digest_is_cut_and_says_what_is_left() {
    let many = (0..400).map(|n| alert("firing", "info", &format!("{n}{}", "长".repeat(500))));
    let told = message(&many.collect::<Vec<_>>());
    assert!(told.body.len() < 17_000, "{}", told.body.len());
    let shown = told.body.matches("**提示**").count();
    assert!(told.body.contains(&format!("另有 {} 项", 400 - shown)), "{shown}");
}

#[test]
fn what_is_no_notification_is_refused() {
    let check = |body: &[u8], reason: &str| {
        let refused = Notification::read(body).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    };
    check(b"{", "EOF");
    check(b"{}", "missing field");
    check(&notification(&[]), "no alerts");
    let other = String::from_utf8(notification(&[alert("firing", "info", "甲")])).unwrap();
    check(other.replace("\"version\":\"4\"", "\"version\":\"3\"").as_bytes(), "only 4");
}
