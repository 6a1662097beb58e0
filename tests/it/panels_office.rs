//! Every question of every board, asked of a real Prometheus and the real Postgres of a simulated city
//! whose office has worked: findings approved, told of and mended, a period frozen and published.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use xunjian::cli::demo::Demo;
use xunjian::domain::{Area, FindingId, FindingState, Step};
use xunjian::jobs::assessment::{Freeze, freeze};
use xunjian::jobs::findings;
use xunjian::jobs::publishing::{Publish, Published, Standing, publish};
use xunjian::report::Wording;
use xunjian::store::{FindingFilter, LoginGiven};

use crate::panels_boards::{Choice, Pick, boards, check_postgres, check_prometheus, questions};
use crate::panels_prometheus::Prometheus;
use crate::support;

/// What may be empty though the city has everything that a board asks for, and why.
const MAY_BE_EMPTY: [(&str, &str, &str); 1] = [(
    "xunjian-operations",
    "页面改版",
    "the simulator's pages yield what they always did: a drift would void what the test rests on",
)];

fn explained() -> Vec<(&'static str, &'static str)> {
    MAY_BE_EMPTY.iter().map(|(board, panel, _)| (*board, *panel)).collect()
}

/// Asks everything until each has its answer, and of mutilated boards until each has its complaint.
pub(crate) async fn boards_answer(demo: &Demo, data_dir: &Path, prometheus: &Prometheus) {
    let all = boards();
    for (board, panel, reason) in MAY_BE_EMPTY {
        let known = all.iter().flat_map(questions);
        let mut known =
            known.filter(|one| (one.board.as_str(), one.panel.as_str()) == (board, panel));
        assert!(known.next().is_some() && !reason.is_empty(), "{board} / {panel} is no panel");
    }
    let url = support::private_url(data_dir);
    work_as_an_office(demo, &url).await;
    let mut login = board_login(demo, &url, "boards_city", Area::default()).await;
    let choice = choice(&mut login).await;
    let complaints = prometheus_in_time(&all, prometheus, &choice).await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let complaints = check_postgres(&all, &mut login, &choice, &explained()).await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    a_countys_login_is_answered(demo, &url, &all, &mut login).await;
    bad_boards_are_found(&all, prometheus, &mut login, &choice).await;
}

/// What persons do about a quarter, with one deadline that has passed whatever the clock says.
async fn work_as_an_office(demo: &Demo, url: &str) {
    let jobs = demo.app().jobs();
    let wanted = FindingFilter { limit: u32::MAX, ..FindingFilter::default() };
    let act = async |id: FindingId, step: Step| {
        findings::act(jobs, id, step, ("王五", "已核对"), None).await.unwrap();
    };
    for found in jobs.store.findings(&wanted).await.unwrap() {
        if found.state == FindingState::Open {
            act(found.id, Step::Approve).await;
        }
    }
    findings::send_notices(jobs).await.unwrap();
    let told = jobs.store.findings(&wanted).await.unwrap();
    let told: Vec<FindingId> = told
        .iter()
        .filter(|one| one.state == FindingState::Notified && one.key.is_some())
        .map(|one| one.id)
        .collect();
    assert!(told.len() > 4, "{told:?}");
    act(told[0], Step::Rectify).await;
    act(told[1], Step::Dismiss).await;
    let mut owner = PgConnection::connect(url).await.unwrap();
    sqlx::query("update findings set deadline = now() - interval '1 day' where id = $1")
        .bind(told[2].0)
        .execute(&mut owner)
        .await
        .unwrap();
    let cutoff: DateTime<Utc> = "2026-11-20T16:00:00Z".parse().unwrap();
    for scheme in ["wanzhi_2021", "national_2019_accounts"] {
        let wanted = Freeze {
            period: "2026Q4".parse().unwrap(),
            scheme: Some(jobs.schemes.get(scheme).unwrap()),
            cutoff,
            sample: None,
            actor: "张三",
            reason: "",
        };
        freeze(jobs, &wanted).await.unwrap();
    }
    let all = jobs.store.assessments(Some("2026Q4")).await.unwrap();
    let assessment = all.iter().find(|one| one.scheme.as_deref() == Some("national_2019_accounts"));
    let wording = Wording {
        issuer: "某市人民政府办公室".to_owned(),
        date: "2026-11-22".parse().unwrap(),
        due: "2026-12-22".parse().unwrap(),
        decimals: 2,
    };
    let wanted = Publish {
        assessment: assessment.unwrap(),
        wording: &wording,
        actor: "张三",
        correction: None,
    };
    for _ in 0..3 {
        let Published::Waiting(all) = publish(jobs, &wanted).await.unwrap() else { return };
        for one in all {
            if let Standing::Waiting(ids) = one.standing {
                for id in ids {
                    act(id, Step::Approve).await;
                }
            }
        }
    }
    panic!("the bulletin is not published");
}

async fn board_login(demo: &Demo, url: &str, name: &str, area: Area) -> PgConnection {
    let jobs = demo.app().jobs();
    let now = jobs.clock.now();
    let given = jobs.store.give_board_login(name, &area, false, "张三", now).await.unwrap();
    assert!(matches!(given, LoginGiven::Password(_)), "{given:?}");
    PgConnection::connect(&url.replace("//xunjian@", &format!("//{name}@"))).await.unwrap()
}

/// Everything, an account of which everything is known, and the assessment with roll-ups.
async fn choice(session: &mut PgConnection) -> Choice {
    let account: Option<String> = sqlx::query_scalar(
        "select key from grafana_accounts a
         where open_findings > 0 and activity = 'dormant'
           and exists (select from grafana_posts p where p.key = a.key and p.at > '2026-09-01')
           and exists (select from grafana_coverage c where c.key = a.key and c.state = 'gap')
           and exists (select from grafana_scores s where s.key = a.key)
           and exists (select from grafana_assessed s where s.key = a.key)
         order by key limit 1",
    )
    .fetch_optional(&mut *session)
    .await
    .unwrap();
    let period: i64 = sqlx::query_scalar(
        "select assessment from grafana_assessments where scheme = 'wanzhi_2021'",
    )
    .fetch_one(&mut *session)
    .await
    .unwrap();
    Choice {
        account: Pick::These(vec![account.expect("an account of which everything is known")]),
        period: Pick::These(vec![period.to_string()]),
        rate_interval: "10m",
        ..Choice::default()
    }
}

/// The last jobs have just begun, and Prometheus comes by once a second.
async fn prometheus_in_time(
    all: &[Value],
    prometheus: &Prometheus,
    choice: &Choice,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for _ in 0..40 {
        complaints = check_prometheus(all, &prometheus.url, choice, &explained()).await;
        if complaints.is_empty() {
            break;
        }
        // Prometheus is another process and has no way to tell us.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    complaints
}

/// One county's login may ask everything that the boards ask, of its own and of anything.
async fn a_countys_login_is_answered(
    demo: &Demo,
    url: &str,
    all: &[Value],
    city: &mut PgConnection,
) {
    let county: String = sqlx::query_scalar(
        "select area from grafana_areas where digits = 6 order by accounts desc, area limit 1",
    )
    .fetch_one(city)
    .await
    .unwrap();
    let mut login = board_login(demo, url, "boards_one", county.parse().unwrap()).await;
    let choice = choice_of(&county);
    let complaints = check_postgres(all, &mut login, &choice, &[]).await;
    let errors: Vec<_> = complaints.iter().filter(|one| !one.ends_with(": empty")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let answered = all.iter().flat_map(questions).filter(|one| one.is_sql).count();
    assert!(complaints.len() * 2 < answered, "{complaints:#?}");
}

fn choice_of(county: &str) -> Choice {
    Choice { area: Pick::these(&[county]), ..Choice::default() }
}

/// A check that cannot fail checks nothing.
async fn bad_boards_are_found(
    all: &[Value],
    prometheus: &Prometheus,
    login: &mut PgConnection,
    choice: &Choice,
) {
    for (is, should_be, said) in [
        ("FROM grafana_silent", "FROM grafana_silence", "does not exist"),
        ("FROM grafana_canaries", "FROM canary_looks", "permission denied"),
        ("supervisor AS", "supervisors AS", "does not exist"),
        ("WHERE activity <> 'watch'", "WHERE activity = 'asleep'", ": empty"),
        ("$__timeFilter(at)", "$__timeGroup(at)", "nobody knows"),
        ("${sponsor:sqlstring}", "${owner:sqlstring}", "nobody knows"),
        ("ORDER BY", "ORDER BUY", "syntax error"),
    ] {
        let complaints = check_postgres(&mutilated(all, is, should_be), login, choice, &[]).await;
        let told = complaints.iter().any(|one| one.contains(said));
        assert!(told, "{is} as {should_be}: {complaints:#?}");
    }
    for (is, should_be, said) in [
        ("xunjian_verdicts_frozen", "xunjian_verdict_frozen", ": empty"),
        ("zombie|dormant|empty|gone", "asleep", ": empty"),
        ("max by (platform)", "max by (platform", "parse error"),
        ("[$__rate_interval]", "[$__interval]", "nobody knows"),
    ] {
        let bad = mutilated(all, is, should_be);
        let complaints = check_prometheus(&bad, &prometheus.url, choice, &[]).await;
        let told = complaints.iter().any(|one| one.contains(said));
        assert!(told, "{is} as {should_be}: {complaints:#?}");
    }
}

/// The boards with a part of their text replaced.
fn mutilated(all: &[Value], is: &str, should_be: &str) -> Vec<Value> {
    let text = serde_json::to_string(all).unwrap();
    let bad = text.replace(is, should_be);
    assert_ne!(text, bad, "{is} stands in no board");
    serde_json::from_str(&bad).unwrap()
}
