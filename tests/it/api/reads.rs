//! What is read: exactly as the document says, and nothing of another county.

use serde_json::{Value, json};
use xunjian::domain::Scope;

use super::schema::faults;
use super::{Counties, EAST, Reply, WEST, ask, encoded};

impl Counties {
    async fn document(&self) -> Value {
        ask(self.app.address(), "GET", "/openapi.json", &[], b"").await.with(200)
    }
}

/// Holds an answer against what the document says of it.
#[track_caller]
fn check(document: &Value, method: &str, path: &str, reply: &Reply) {
    let place = format!("{method} {path} {}", reply.status);
    let answers = &document["paths"][path][method]["responses"];
    let described = &answers[reply.status.to_string()];
    let described = match described["$ref"].as_str() {
        Some(target) => document.pointer(&target[1..]).unwrap(),
        None => described,
    };
    let kinds = described["content"].as_object().unwrap_or_else(|| panic!("{place}: {answers}"));
    let kind = reply.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
    let essence = |kind: &str| kind.split(';').next().unwrap_or_default().to_owned();
    let kind = kinds.keys().find(|known| essence(known) == essence(kind));
    let kind = kind.unwrap_or_else(|| panic!("{place}: {}", reply.head));
    if !kind.contains("json") {
        return;
    }
    let errors = faults(document, &described["content"][kind]["schema"], &reply.json());
    assert!(errors.is_empty(), "{place}: {errors:#?}\n{}", reply.text());
}

/// A path with its names filled in.
fn filled(path: &str, key: &str, finding: i64) -> String {
    let path = path.replace("{key}", &encoded(key)).replace("{id}", &finding.to_string());
    path.replace("{period}", "2026Q4")
}

#[tokio::test]
async fn every_answer_is_what_the_document_says() {
    let counties = Counties::assessed().await;
    let document = counties.document().await;
    let all = counties.token("zhang", Scope::Read, "").await;
    let finding = counties.findings(EAST.0).await[0];
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if methods.get("get").is_none() || path == "/heartbeat.xml" {
            continue;
        }
        let real = filled(path, "甲-1", finding);
        let reply = counties.get(&all, &real).await;
        // These accounts stand on no watched site.
        let status = if path.ends_with("/site") { 404 } else { 200 };
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        check(&document, "get", path, &reply);
        if reply.head.contains("application/json") && reply.json()["items"].is_array() {
            assert_ne!(reply.json()["items"], json!([]), "{path} shows something");
            check(&document, "get", path, &counties.get(&all, &format!("{real}?limit=1")).await);
            check(&document, "get", path, &counties.get(&all, &format!("{real}?limit=0")).await);
        }
        if path.contains('{') {
            let nowhere = filled(path, "none", 999_999).replace("2026Q4", "2020");
            check(&document, "get", path, &counties.get(&all, &nowhere).await);
        }
        check(&document, "get", path, &counties.get("wrong", &real).await);
        asked += 1;
    }
    assert!(asked > 15, "{asked}");
    for form in ["csv", "xlsx"] {
        let reply = counties.get(&all, &format!("/api/v1/assessments/2026Q4.{form}")).await;
        check(&document, "get", "/api/v1/assessments/{period}", &reply);
    }
    counties.close().await;
}

#[tokio::test]
async fn a_token_of_one_county_sees_nothing_of_another_in_any_operation() {
    let counties = Counties::assessed().await;
    let document = counties.document().await;
    let (own, other) = (EAST, WEST);
    let county = counties.token("zhang", Scope::Write, own.1).await;
    let province = counties.token("wang", Scope::Write, "440000").await;
    let hidden = counties.findings(other.0).await;
    let shown = counties.findings(own.0).await;
    assert!(!hidden.is_empty() && !shown.is_empty());
    for (path, methods) in document["paths"].as_object().unwrap() {
        let is_read = methods.get("get").is_some();
        if !path.starts_with("/api/") || !is_read {
            continue;
        }
        let asked = filled(path, &format!("{}-2", other.0), hidden[0]);
        let reply = counties.get(&county, &asked).await;
        let whose = path.contains("{key}") || path.contains("{id}");
        assert_eq!(reply.status, if whose { 404 } else { 200 }, "{path}: {}", reply.text());
        for narrowed in ["", "?area=441522", "?area=44", "?account=%E4%B9%99-2"] {
            let text = counties.get(&county, &format!("{asked}{narrowed}")).await.text();
            for name in ["乙局", "平安乙", "441522"] {
                // What was asked for may be named in the refusal, and nothing else.
                assert!(!text.contains(name), "{path}{narrowed} tells {name}: {text}");
            }
        }
        let reply = counties.get(&province, &asked).await;
        let there = path.ends_with("/site") && reply.status == 404 || reply.status == 200;
        assert!(there, "{path}: {}", reply.text());
    }
    for form in ["csv", "xlsx"] {
        let path = format!("/api/v1/assessments/2026Q4.{form}");
        let (part, whole) =
            (counties.get(&county, &path).await, counties.get(&province, &path).await);
        assert_eq!((part.status, whole.status), (200, 200));
        assert!(part.body.len() < whole.body.len());
        assert!(!part.text().contains("乙局"));
    }
    // Nor are the others counted.
    let listed = counties.get(&county, "/api/v1/assessments").await.json();
    assert_eq!(listed["items"][0]["accounts"], 2);
    for path in ["/metrics", "/metrics/accounts", "/metrics/accounts?area=441521"] {
        counties.get(&county, path).await.refused(403, "all areas");
    }
    assert!(counties.get(&county, "/").await.text().contains("账号 2 个"));
    // What is hidden reads like what is not there.
    let (hid, none) = (hidden[0], 999_999);
    let told = async |id: i64| {
        let text = counties.get(&county, &format!("/api/v1/findings/{id}")).await.text();
        text.replace(&id.to_string(), "N")
    };
    assert_eq!(told(hid).await, told(none).await);
    counties.close().await;
}

#[tokio::test]
async fn lists_are_read_to_their_end_page_by_page() {
    let counties = Counties::assessed().await;
    let all = counties.token("zhang", Scope::Read, "").await;
    for path in [
        "/api/v1/accounts",
        "/api/v1/accounts/%E7%94%B2-1/posts",
        "/api/v1/accounts/%E7%94%B2-1/visits",
        "/api/v1/findings?state=all",
        "/api/v1/scores?period=2026Q4",
        "/api/v1/assessments/2026Q4",
    ] {
        let sign = if path.contains('?') { '&' } else { '?' };
        let whole = counties.get(&all, &format!("{path}{sign}limit=500")).await.with(200);
        assert_eq!(whole["next_cursor"], Value::Null, "{path}");
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let page = format!("{path}{sign}limit=1{next}");
            let page = counties.get(&all, &page).await.with(200);
            found.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        assert_eq!(Value::from(found), whole["items"], "{path}");
    }
    for path in ["/api/v1/scores?cursor=zz", "/api/v1/findings?cursor=x"] {
        counties.get(&all, path).await.refused(400, "not one that this list gave out");
    }
    let posts = "/api/v1/accounts/%E7%94%B2-1/posts?cursor=";
    for cursor in ["6e6f", "39393939393939393939393939393939393920", "2d392078"] {
        let refused = counties.get(&all, &format!("{posts}{cursor}")).await;
        refused.refused(400, "not one that this list gave out");
    }
    let unknown = counties.get(&all, "/api/v1/findings?state=asleep").await;
    unknown.refused(400, "asleep");
    counties.close().await;
}

#[tokio::test]
async fn coverage_tells_spans_gaps_and_their_causes() {
    let counties = Counties::open().await;
    let all = counties.token("zhang", Scope::Read, "").await;
    let path = "/api/v1/accounts/%E7%94%B2-1/coverage";
    let now = counties.get(&all, path).await.with(200);
    assert_eq!(
        (&now["period"], &now["from"]),
        (&json!("2026Q4"), &json!("2026-10-01T00:00:00+08:00"))
    );
    assert_eq!(now["spans"].as_array().unwrap().len(), 1);
    let ratio = now["ratio"].as_f64().unwrap();
    assert!(ratio > 0.99 && ratio < 1.0, "the last hour is not covered: {ratio}");
    assert_eq!(now["gaps"][0]["cause"], "not_covered");
    let before = counties.get(&all, &format!("{path}?period=2026Q1")).await.with(200);
    assert!(before["ratio"].as_f64().unwrap() < 1.0);
    let later = counties.get(&all, &format!("{path}?period=2027Q1")).await.with(200);
    assert_eq!((&later["ratio"], &later["gaps"]), (&Value::Null, &json!([])));
    counties.get(&all, &format!("{path}?period=soon")).await.refused(400, "is no period");
    counties.close().await;
}
