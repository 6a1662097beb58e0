use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::{ActiveFinding, Activity, Count, FindingCell, FleetCell, Reason, Standing};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn standing(key: &str, activity: Activity) -> Standing {
    Standing {
        key: key.to_owned(),
        platform: "weibo".to_owned(),
        name: "海丰发布".to_owned(),
        sponsor: "海丰县政府办".to_owned(),
        region: "441521".parse().unwrap(),
        category: None,
        activity,
        last_post_at: Some(at("2026-11-20T00:00:00.500Z")),
        last_observation_at: None,
        silence_deadline_at: Some(at("2026-12-04T00:00:00Z")),
        coverage: 1.0,
        followers: None,
        scores: Vec::new(),
    }
}

fn cell(platform: &str, region: &str, activity: &str, accounts: u64) -> FleetCell {
    FleetCell {
        platform: platform.to_owned(),
        region: region.parse().unwrap(),
        activity: activity.to_owned(),
        accounts,
        coverage_sum: 0.5 * u32::try_from(accounts).map_or(0.0, f64::from),
    }
}

fn series<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn label_values_are_escaped_and_nothing_else_is() {
    let check = |value: &str, expected: &str| {
        let mut text = String::new();
        text::push_label(&mut text, "name", value);
        assert_eq!(text, format!("name=\"{expected}\""));
    };
    check("", "");
    check("海丰发布", "海丰发布");
    check("a\"b", "a\\\"b");
    check("a\\b\nc", "a\\\\b\\nc");
    check("\\\"\n", "\\\\\\\"\\n");
    check("{a=1,b}\t", "{a=1,b}\t");
}

#[test]
fn an_unknown_value_has_no_series() {
    let mut one = standing("k1", Activity::Undetermined(Reason::Blocked));
    one.followers = Some(Count::Hidden("login_required".to_owned()));
    one.scores = vec![("diligence".to_owned(), f64::NAN), ("influence".to_owned(), 61.5)];
    let text = AccountsPage::of(&[one], 10).render();
    assert!(series(&text, "xunjian_account_followers{").is_empty());
    assert!(series(&text, "xunjian_account_last_observation_timestamp_seconds{").is_empty());
    assert_eq!(
        series(&text, "xunjian_account_score_points{"),
        [r#"xunjian_account_score_points{key="k1",platform="weibo",dimension="influence"} 61.5"#]
    );
    assert_eq!(
        series(&text, "xunjian_account_last_post"),
        [r#"xunjian_account_last_post_timestamp_seconds{key="k1",platform="weibo"} 1795132800.5"#]
    );
}

#[test]
fn only_the_current_activity_is_written() {
    let text = AccountsPage::of(&[standing("k1", Activity::Zombie)], 10).render();
    assert_eq!(
        series(&text, "xunjian_account_activity{"),
        [r#"xunjian_account_activity{key="k1",platform="weibo",activity="zombie"} 1"#]
    );
}

#[test]
fn the_first_accounts_stay_whole_and_the_rest_is_counted() {
    let all = ["z", "d", "u", "a"].map(|key| standing(key, Activity::Zombie));
    let mut page = AccountsPage::of(&all, 2);
    page.add_dropped(5);
    let text = page.render();
    assert_eq!(
        series(&text, "xunjian_metrics_accounts_dropped"),
        ["xunjian_metrics_accounts_dropped 7"]
    );
    let keys: Vec<_> = series(&text, "xunjian_account_info{")
        .into_iter()
        .map(|line| line.split('"').nth(1).unwrap())
        .collect();
    assert_eq!(keys, ["z", "d"]);
    let kept = AccountsPage::of(&all, 4).render();
    assert_eq!(series(&kept, "xunjian_account_info{").len(), 4);
}

#[test]
fn unless_told_otherwise_ten_thousand_accounts_are_on_the_page() {
    let cap = Settings::default().accounts_max;
    assert_eq!(cap, 10_000);
    let all: Vec<Standing> =
        (0..=cap).map(|n| standing(&n.to_string(), Activity::Active)).collect();
    let text = AccountsPage::of(&all, cap).render();
    assert_eq!(series(&text, "xunjian_account_info{").len(), all.len() - 1);
    let dropped = series(&text, "xunjian_metrics_accounts_dropped");
    assert_eq!(dropped, ["xunjian_metrics_accounts_dropped 1"]);
}

#[test]
fn the_pieces_of_the_page_are_the_page() {
    let check = |accounts: u32, pieces_min: usize| {
        let all: Vec<Standing> = (0..accounts)
            .map(|n| Standing {
                scores: [("diligence", 1), ("influence", 3)]
                    .into_iter()
                    .filter(|(_, every)| n % every == 0)
                    .map(|(dimension, _)| (dimension.to_owned(), f64::from(n)))
                    .collect(),
                followers: (n % 2 == 0).then_some(Count::Exact(n.into())),
                ..standing(&n.to_string(), Activity::Active)
            })
            .collect();
        let whole = AccountsPage::of(&all, u32::MAX).render();
        let pieces: Vec<String> = AccountsPage::of(&all, u32::MAX).into_pieces().collect();
        assert!(pieces.len() >= pieces_min, "{} pieces", pieces.len());
        assert_eq!(pieces.concat(), whole);
        let heads: Vec<&str> = series(&whole, "# TYPE xunjian_account_score_points ");
        assert_eq!(heads.len(), 1, "one head of the family, whatever the number of dimensions");
    };
    check(0, 1);
    check(1, 1);
    check(2_000, 10);
}

fn any_finite() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

proptest! {
    #[test]
    fn a_number_is_written_as_rust_writes_it(
        any in any_finite(),
        thousandths in -1_000_000_000_000_000_i64..1_000_000_000_000_000,
    ) {
        #[expect(clippy::cast_precision_loss, reason = "any number will do")]
        for number in [any, thousandths as f64 / 1000.0, thousandths as f64] {
            let mut text = String::new();
            text::push_number(&mut text, number);
            prop_assert_eq!(text, format!(" {number}\n"));
        }
    }
}

#[test]
fn the_fleet_is_cut_to_the_area_digits_and_shows_zeros() {
    let cells = [
        cell("weibo", "441521", "active", 2),
        cell("weibo", "441522", "active", 3),
        cell("weibo", "441522", "zombie", 1),
    ];
    let county = render_fleet(&cells, &[], AreaDigits::ByFleetSize);
    assert_eq!(series(&county, "xunjian_accounts{").len(), 14);
    let city = render_fleet(&cells, &[], AreaDigits::Four);
    let row = |word: &str| {
        format!(r#"xunjian_accounts{{platform="weibo",area_code="4415",activity="{word}"}}"#)
    };
    assert_eq!(series(&city, &row("active")), [format!("{} 5", row("active"))]);
    assert_eq!(series(&city, &row("gone")), [format!("{} 0", row("gone"))]);
    assert_eq!(
        series(&city, "xunjian_coverage_ratio{"),
        [r#"xunjian_coverage_ratio{platform="weibo",area_code="4415"} 0.5"#]
    );
}

#[test]
fn area_digits_follow_the_size_of_the_fleet() {
    for (accounts, digits) in [(0, 6), (1_000, 6), (1_001, 4), (10_000, 4), (10_001, 2)] {
        assert_eq!(AreaDigits::ByFleetSize.for_fleet(accounts), digits, "{accounts}");
        assert_eq!(AreaDigits::Six.for_fleet(accounts), 6);
    }
    let settings: Result<Settings, _> = toml::from_str("area_digits = 3");
    assert!(settings.unwrap_err().to_string().contains("area_digits is 2, 4, 6"));
    let text = toml::to_string(&Settings::default()).unwrap();
    assert_eq!(toml::from_str::<Settings>(&text).unwrap(), Settings::default());
}

#[test]
fn findings_are_counted_by_area_and_those_without_a_series_are_told() {
    let cell = |region: Option<&str>, of_accounts| FindingCell {
        rule: "not_updated_zombie".to_owned(),
        severity: "veto".to_owned(),
        region: region.map(|code| code.parse().unwrap()),
        findings: 3,
        of_accounts,
    };
    let active = ActiveFinding {
        key: "k1".to_owned(),
        platform: "weibo".to_owned(),
        region: "441521".parse().unwrap(),
        sponsor_key: "11441700007280420Y".to_owned(),
        rule: "not_updated_zombie".to_owned(),
        severity: "veto".to_owned(),
    };
    let cells = [cell(Some("441521"), 3), cell(Some("441522"), 3), cell(None, 0)];
    let text = render_findings(&cells, &[active], 4);
    assert_eq!(
        series(&text, "xunjian_findings_open{"),
        [
            r#"xunjian_findings_open{rule="not_updated_zombie",severity="veto",area_code=""} 3"#,
            r#"xunjian_findings_open{rule="not_updated_zombie",severity="veto",area_code="4415"} 6"#
        ]
    );
    assert_eq!(series(&text, "xunjian_findings_dropped"), ["xunjian_findings_dropped 5"]);
    let labels = r#"key="k1",platform="weibo",area_code="4415",sponsor_key="11441700007280420Y""#;
    assert_eq!(series(&text, "xunjian_finding_active{").len(), 1);
    assert!(text.contains(labels), "{text}");
}

#[test]
fn known_series_start_at_zero_and_unknown_ones_are_absent() {
    let metrics = Metrics::new(&Known {
        version: "0.1.0",
        revision: "",
        platforms: vec!["weibo"],
        outcomes: vec!["observed", "blocked"],
        jobs: vec!["crawl"],
        channels: vec!["file"],
    });
    let text = metrics.render();
    for zero in [
        r#"xunjian_fetches_total{outcome="blocked",platform="weibo"} 0"#,
        r#"xunjian_verdicts_frozen{platform="weibo"} 0"#,
        r#"xunjian_job_runs_total{job="crawl",outcome="failed"} 0"#,
        r#"xunjian_notices_sent_total{channel="file",outcome="sent"} 0"#,
        "xunjian_store_errors_total 0",
    ] {
        assert!(text.lines().any(|line| line == zero), "{zero}\n{text}");
    }
    for unknown in ["platform_up", "heartbeat", "data_dir", "database_up", "canary", "job_last"] {
        assert!(series(&text, &format!("xunjian_{unknown}")).is_empty(), "{unknown}");
    }
}

#[test]
fn labels_stay_bounded_and_visits_leave_the_gauge_when_they_end() {
    let metrics = Metrics::new(&Known { platforms: vec!["weibo"], ..Known::default() });
    for name in ["made", "up"] {
        metrics.fetched(name, "observed", 0.1, 10);
    }
    metrics.set_host_penalty_seconds("m.weibo.cn", 30.0);
    for host in 0..500 {
        metrics.set_host_penalty_seconds(&format!("{host}.gov.cn"), 1.0);
    }
    let visit = metrics.enter_crawl("weibo");
    let during = metrics.render();
    drop(visit);
    metrics.set_host_penalty_seconds("m.weibo.cn", 0.0);
    let after = metrics.render();
    assert_eq!(
        series(&during, "xunjian_fetches_total"),
        [r#"xunjian_fetches_total{outcome="observed",platform="other"} 2"#]
    );
    assert_eq!(series(&during, "xunjian_host_penalty_seconds{").len(), 200);
    assert_eq!(series(&after, "xunjian_host_penalty_seconds{").len(), 199);
    assert_eq!(
        series(&during, "xunjian_crawl_in_flight{"),
        [r#"xunjian_crawl_in_flight{platform="weibo"} 1"#]
    );
    assert_eq!(
        series(&after, "xunjian_crawl_in_flight{"),
        [r#"xunjian_crawl_in_flight{platform="weibo"} 0"#]
    );
}

#[test]
fn families_are_declared_once_with_a_sentence_for_help() {
    let mut names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAMILIES.len());
    for family in FAMILIES {
        assert!(family.help.ends_with('.'), "{}", family.name);
        assert!(!family.help.contains(['\\', '\n']), "{}", family.name);
    }
}
