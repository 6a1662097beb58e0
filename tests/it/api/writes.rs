//! What is written: by whom, once, and never without a line in the log.

use serde_json::{Value, json};
use xunjian::domain::Scope;

use super::{Counties, EAST, WEST, ask, bearer, reason};

/// A finding that a person has seen, of the account with this key.
fn seen(key: &str) -> Value {
    json!({
        "rule": "severe_wording_error",
        "account": key,
        "statement": "头条文章将领导职务写错。",
        "evidence": [{ "kind": "note", "text": "10时12分截图" }],
    })
}

#[tokio::test]
async fn who_enters_a_finding_does_not_approve_it_and_a_second_person_does() {
    let counties = Counties::open().await;
    let zhang = counties.token("Zhang", Scope::Write, "").await;
    let again = counties.token("zhang ", Scope::Admin, "").await;
    let li = counties.token("li", Scope::Write, "").await;
    let entered = counties.post(&zhang, "/api/v1/findings", &seen("甲-1")).await;
    let finding = entered.with(201);
    let id = finding["id"].as_i64().unwrap();
    assert!(entered.head.contains(&format!("location: /api/v1/findings/{id}")), "{}", entered.head);
    assert_eq!((&finding["state"], &finding["raised_by"]), (&"open".into(), &"Zhang".into()));
    let step = |step: &str| format!("/api/v1/findings/{id}/{step}");
    for own in [&zhang, &again] {
        let refused = counties.post(own, &step("approve"), &reason("看过")).await;
        refused.refused(403, "a second person has to");
    }
    let approved = counties.post(&li, &step("approve"), &reason("看过")).await.with(200);
    assert_eq!((&approved["state"], &approved["approved_by"]), (&"approved".into(), &"li".into()));
    assert_eq!(approved["events"][1]["actor"], "li");
    counties.post(&li, &step("approve"), &reason("看过")).await.refused(409, "approved");
    counties.post(&li, &step("rectify"), &reason("x")).await.refused(409, "only a job may");
    let dismissed = counties.post(&li, &step("dismiss"), &reason("误报")).await.with(200);
    assert_eq!(dismissed["naming_barred"], "已撤销");
    for (body, status, words) in [
        (seen("丙-9"), 422, "no account \"丙-9\""),
        (json!({ "rule": "severe_wording_error" }), 422, "account"),
        (json!({ "reason": "x" }), 422, "reason"),
    ] {
        counties.post(&zhang, "/api/v1/findings", &body).await.refused(status, words);
    }
    let mut wrong = seen("甲-1");
    wrong["evidence"] = json!([{ "kind": "file", "name": "a", "digest": "sha256:ab" }]);
    counties.post(&zhang, "/api/v1/findings", &wrong).await.refused(422, "64 hexadecimal digits");
    wrong["evidence"] = json!([{ "kind": "note", "text": "a\u{0}b" }]);
    counties.post(&zhang, "/api/v1/findings", &wrong).await.refused(422, "does not take");
    wrong["rule"] = json!("not_updated");
    let by_data = counties.post(&zhang, "/api/v1/findings", &wrong).await;
    assert_eq!(by_data.status, 422, "{}", by_data.text());
    counties.close().await;
}

#[tokio::test]
async fn a_county_writes_to_its_own_accounts_only() {
    let counties = Counties::open().await;
    let county = counties.token("zhang", Scope::Write, EAST.1).await;
    let other = counties.findings(WEST.0).await[0];
    for step in ["approve", "explain", "rectify", "recheck", "dismiss", "reopen"] {
        let path = format!("/api/v1/findings/{other}/{step}");
        counties.post(&county, &path, &reason("x")).await.refused(404, "there is no finding");
    }
    let refused = counties.post(&county, "/api/v1/findings", &seen("乙-1")).await;
    refused.refused(422, "no account \"乙-1\" in the ledger");
    assert_eq!(counties.post(&county, "/api/v1/findings", &seen("甲-1")).await.status, 201);
    let reporter = counties.token("wang", Scope::Report, EAST.1).await;
    assert_eq!(counties.post(&reporter, "/api/v1/findings", &seen("甲-2")).await.status, 201);
    counties.close().await;
}

#[tokio::test]
async fn a_sponsor_reads_explains_and_rectifies_its_own_findings_and_nothing_else() {
    let counties = Counties::open().await;
    let sponsor = counties.token_for("王", Scope::Sponsor, "", Some("甲局"), None).await;
    let (own, other) = (counties.findings(EAST.0).await[0], counties.findings(WEST.0).await[0]);
    let listed = counties.get(&sponsor, "/api/v1/findings?state=all").await.with(200);
    let shown: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|one| &one["sponsor"]).collect();
    assert!(!shown.is_empty() && shown.iter().all(|one| *one == "甲局"), "{listed}");
    assert_eq!(
        counties.get(&sponsor, &format!("/api/v1/findings/{own}/evidence")).await.status,
        200
    );
    counties.get(&sponsor, &format!("/api/v1/findings/{other}")).await.refused(404, "no finding");
    for path in
        ["accounts", "accounts/%E7%94%B2-1", "accounts/%E7%94%B2-1/posts", "scores", "assessments"]
    {
        counties.get(&sponsor, &format!("/api/v1/{path}")).await.refused(403, "scope is sponsor");
    }
    // The sponsor is told, then explains: how long that is accepted is not for it to say.
    let at = counties.office.now();
    let store = &counties.office.context().store;
    let told = xunjian::store::StepRequest {
        finding: xunjian::domain::FindingId(own),
        step: xunjian::domain::Step::Notify,
        by: xunjian::domain::By::Job,
        actor: "job:test".into(),
        reason: "x".into(),
        expires_on: None,
    };
    let explain = |id: i64| format!("/api/v1/findings/{id}/explain");
    counties.post(&sponsor, &explain(own), &reason("系统迁移")).await.refused(409, "");
    let record = store.finding(told.finding).await.unwrap().unwrap();
    if record.state == xunjian::domain::FindingState::Open {
        let li = counties.token("li", Scope::Write, "").await;
        let approve = format!("/api/v1/findings/{own}/approve");
        assert_eq!(counties.post(&li, &approve, &reason("看过")).await.status, 200);
    }
    store.step_finding(&told, at).await.unwrap().unwrap();
    let until = json!({ "reason": "系统迁移", "until": "2099-01-01" });
    counties.post(&sponsor, &explain(own), &until).await.refused(403, "supervisor");
    let explained = counties.post(&sponsor, &explain(own), &reason("系统迁移")).await.with(200);
    assert_eq!(
        (&explained["state"], &explained["explained_until"]),
        (&"explained".into(), &Value::Null)
    );
    counties.post(&sponsor, &explain(other), &reason("x")).await.refused(404, "no finding");
    let rectify = format!("/api/v1/findings/{own}/rectify");
    assert_eq!(counties.post(&sponsor, &rectify, &reason("已恢复更新")).await.status, 200);
    for step in ["approve", "recheck", "dismiss", "reopen"] {
        let path = format!("/api/v1/findings/{own}/{step}");
        counties.post(&sponsor, &path, &reason("x")).await.refused(403, "does not include this");
    }
    counties.close().await;
}

#[tokio::test]
async fn a_request_sent_again_under_its_key_is_not_done_again() {
    let counties = Counties::open().await;
    let token = counties.token("zhang", Scope::Write, "").await;
    let key = [("idempotency-key", "7f3a")];
    let enter = async |body: &Value, key: &[(&str, &str)]| {
        counties.post_as(&token, "/api/v1/findings", body, key).await
    };
    let first = enter(&seen("甲-1"), &key).await;
    assert_eq!(first.status, 201);
    let again = enter(&seen("甲-1"), &key).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert!(again.head.contains("idempotency-replayed: true"), "{}", again.head);
    assert!(!first.head.contains("idempotency-replayed"));
    enter(&seen("乙-1"), &key).await.refused(422, "another request");
    // Without the key it is another request, which is refused for its own reason.
    enter(&seen("甲-1"), &[]).await.refused(422, "is open");
    // A refusal is an answer as well, and is kept like one.
    let refused = [("idempotency-key", "refused")];
    enter(&seen("丙-1"), &refused).await.refused(422, "no account");
    let kept = enter(&seen("丙-1"), &refused).await;
    assert!(kept.head.contains("idempotency-replayed: true"), "{}", kept.head);
    // Keys are each token's own.
    let other = counties.token("li", Scope::Write, "").await;
    let theirs = counties.post_as(&other, "/api/v1/findings", &seen("乙-2"), &key).await;
    assert_eq!(theirs.status, 201, "{}", theirs.text());
    let long = "x".repeat(201);
    enter(&seen("甲-1"), &[("idempotency-key", &long)]).await.refused(400, "Idempotency-Key");
    let pool = &counties.office.database.pool;
    let kept: i64 =
        sqlx::query_scalar("select count(*) from api_answers").fetch_one(pool).await.unwrap();
    assert_eq!(kept, 3);
    counties.office.days(8);
    xunjian::jobs::housekeeping::keep_house(counties.office.context()).await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("select count(*) from api_answers").fetch_one(pool).await.unwrap();
    assert_eq!(kept, 0, "forgotten after a week");
    counties.close().await;
}

#[tokio::test]
async fn every_write_and_every_refused_one_stands_in_a_log_that_nobody_changes() {
    let counties = Counties::open().await;
    let writer = counties.token("zhang", Scope::Write, "").await;
    let reader = counties.token("li", Scope::Read, "").await;
    assert_eq!(counties.post(&writer, "/api/v1/findings", &seen("甲-1")).await.status, 201);
    counties.post(&reader, "/api/v1/findings", &seen("甲-1")).await.refused(403, "scope");
    counties.post("wrong", "/api/v1/jobs/judge", &json!({})).await.refused(401, "no such token");
    counties.post(&writer, "/api/v1/findings/999/approve", &reason("x")).await.refused(404, "999");
    counties.get(&reader, "/api/v1/accounts").await.with(200);
    let log = counties.office.xunjian(&["token", "log"]);
    let lines: Vec<Value> =
        log.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            let person = line["person"].as_str().unwrap_or("-");
            let status = line["status"].as_i64().unwrap_or_default();
            format!("{person} {} {status}", line["target"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "zhang /api/v1/findings 0",
            "zhang /api/v1/findings 201",
            "li /api/v1/findings 403",
            "- /api/v1/jobs/judge 401",
            "zhang /api/v1/findings/999/approve 0",
            "zhang /api/v1/findings/999/approve 404",
        ]
    );
    assert_eq!(lines[1]["asked"], lines[0]["id"]);
    assert!(lines[0]["body_digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(lines[2]["detail"].as_str().unwrap().contains("scope is read"));
    assert!(lines[5]["detail"].as_str().unwrap().contains("no finding 999"));
    assert!(!log.out.contains(&writer[8..]), "no secret is logged");
    for statement in
        ["update api_audit set person = 'x'", "delete from api_audit", "truncate api_audit"]
    {
        let refused = sqlx::query(statement).execute(&counties.office.database.pool).await;
        assert!(refused.unwrap_err().to_string().contains("append-only"), "{statement}");
    }
    counties.close().await;
}

#[tokio::test]
async fn an_export_is_handed_in_whole_for_ones_own_accounts_and_source() {
    let counties = Counties::open().await;
    let form = |key: &str| {
        format!(
            "账号编号,数据起始,数据截至,作品编号,作品链接,作品标题,发布时间,是否原创,阅读量,点赞量,评论量,转发量\n\
             {key},2026-09-01,2026-10-11,w1,,防汛部署,2026-10-10 08:30,是,10万+,12,,\n"
        )
    };
    let source = Some("monthly_form");
    let own = counties.token_for("zhang", Scope::Import, EAST.1, None, source).await;
    let hand_in = async |token: &str, query: &str, text: String| {
        let shown = bearer(token);
        let headers = [("authorization", shown.as_str()), ("content-type", "text/csv")];
        let path = format!("/api/v1/observations?{query}");
        ask(counties.app.address(), "POST", &path, &headers, text.as_bytes()).await
    };
    let query = "source=monthly_form&file=form.csv";
    let dry = hand_in(&own, &format!("{query}&dry_run=true"), form("甲-1")).await.with(200);
    assert_eq!(
        (&dry["outcome"], &dry["posts"], &dry["import"]),
        (&"dry_run".into(), &1.into(), &Value::Null)
    );
    let stored = hand_in(&own, query, form("甲-1")).await.with(201);
    assert_eq!((&stored["outcome"], &stored["new_posts"]), (&"stored".into(), &1.into()));
    let again = hand_in(&own, query, form("甲-1")).await.with(200);
    assert_eq!((&again["outcome"], &again["import"]), (&"before".into(), &stored["import"]));
    let imports = counties.office.context().store.imports().await.unwrap();
    assert_eq!(
        (imports[0].record.actor.as_str(), imports[0].record.file.as_str()),
        ("zhang", "form.csv")
    );
    let other = hand_in(&own, query, form("乙-1")).await;
    other.refused(422, "nothing was imported");
    assert_eq!(other.json()["errors"][0]["row"], 2);
    let reason = other.json()["errors"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("no account \"乙-1\""), "{reason}");
    hand_in(&own, "source=wechat_backend", form("甲-1")).await.refused(403, "another source");
    let writer = counties.token("li", Scope::Write, "").await;
    hand_in(&writer, "source=none", form("甲-1")).await.refused(422, "no mapping \"none\"");
    hand_in(&writer, query, "x".to_owned()).await.refused(422, "errors");
    hand_in(&writer, query, String::new()).await.refused(422, "");
    let late = format!("{query}&complete_to=2099-01-01T00:00:00Z");
    hand_in(&writer, &late, form("甲-1")).await.refused(422, "future");
    counties.close().await;
}

#[tokio::test]
async fn bodies_have_limits_and_a_job_is_asked_for() {
    let counties = Counties::with(|settings| settings.http.import_bytes_max = 4096).await;
    let writer = counties.token("zhang", Scope::Write, "").await;
    let shown = bearer(&writer);
    let headers = [("authorization", shown.as_str())];
    let large = vec![b'x'; 5000];
    let path = "/api/v1/observations?source=monthly_form";
    let refused = ask(counties.app.address(), "POST", path, &headers, &large).await;
    refused.refused(413, "4096 bytes");
    let long = reason(&"长".repeat(4001));
    let finding = counties.findings(EAST.0).await[0];
    let path = format!("/api/v1/findings/{finding}/dismiss");
    counties.post(&writer, &path, &long).await.refused(422, "more than 4000");
    let admin = counties.token("li", Scope::Admin, "").await;
    assert_eq!(
        counties.post(&admin, "/api/v1/jobs/judge", &json!({})).await.with(202)["job"],
        "judge"
    );
    counties.close().await;
}
