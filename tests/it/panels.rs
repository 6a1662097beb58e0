//! Boards, rules and runbooks agree with the table of metrics, with each other, and with the rule
//! that silence is proven and never computed from the age of the last post.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use xunjian::app::clock::SystemClock;
use xunjian::domain::{FindingState, Lifecycle, Reason, Severity};
use xunjian::http::{Parts, Readiness, Settings, Site, serve};
use xunjian::metrics::{self, FAMILIES};

use crate::metrics::assert_passes;
use crate::panels_boards::{Choice, Pick, boards, check_prometheus, files, questions, root};
use crate::panels_prometheus::{Prometheus, PrometheusApi};
use crate::panels_sample::{self, County};

/// Labels that Prometheus adds or renames, whatever the family.
const SCRAPED_LABELS: [&str; 4] = ["job", "instance", "le", "exported_job"];

/// Every expression that somebody will see, as (place, text): panels, variables, alert rules.
fn expressions() -> Vec<(String, String)> {
    let all = boards().iter().flat_map(questions).collect::<Vec<_>>();
    let panels = all.into_iter().map(|one| (format!("{} / {}", one.board, one.panel), one.text));
    panels.chain(rules()).collect()
}

/// Every alert rule as (file and alert, its text without comments).
fn rules() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (file, text) in files("deploy/prometheus/rules", "yml") {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let text = lines.collect::<Vec<_>>().join("\n");
        for rule in text.split("- alert: ").skip(1) {
            let alert = rule.lines().next().unwrap();
            found.push((format!("{file} / {alert}"), rule.to_owned()));
        }
    }
    found
}

fn alerts() -> Vec<String> {
    rules().into_iter().filter_map(|(place, _)| Some(place.split_once(" / ")?.1.into())).collect()
}

#[test]
fn every_metric_and_label_in_use_stands_in_the_table() {
    let labels: BTreeMap<String, &[&str]> = FAMILIES
        .iter()
        .flat_map(|family| family.series_names().into_iter().map(|name| (name, family.labels)))
        .collect();
    let name = Regex::new(r"xunjian_\w+").unwrap();
    let selector = Regex::new(r"(xunjian_\w+)\{([^}]*)\}").unwrap();
    let matcher = Regex::new(r"(\w+)\s*(?:=~|!~|!=|=)").unwrap();
    for (place, text) in expressions() {
        for found in name.find_iter(&text) {
            assert!(labels.contains_key(found.as_str()), "{place}: no metric {}", found.as_str());
        }
        for found in selector.captures_iter(&text) {
            for label in matcher.captures_iter(&found[2]) {
                let known =
                    labels[&found[1]].contains(&&label[1]) || SCRAPED_LABELS.contains(&&label[1]);
                assert!(known, "{place}: {} has no label {}", &found[1], &label[1]);
            }
        }
    }
}

/// Whether an expression makes silence out of the age of the newest post or observation.
fn derives_silence(text: &str) -> bool {
    let text = text.to_lowercase();
    let clock =
        Regex::new(r"\btime\s*\(|\btimestamp\s*\(|\bnow\s*\(|current_(date|time)|\bage\s*\(");
    let newest = Regex::new(r"last_(post|observation)|silence_deadline").unwrap();
    clock.unwrap().is_match(&text) && newest.is_match(&text)
}

#[test]
fn nothing_derives_silence_from_the_age_of_a_post() {
    for guilty in [
        "time() - xunjian_account_last_post_timestamp_seconds > 1209600",
        "(time()) > (14 * 86400 + xunjian_account_last_post_timestamp_seconds)",
        "timestamp(up) - on () xunjian_account_last_post_timestamp_seconds",
        "SELECT key FROM grafana_silent WHERE last_post_at < now() - interval '14 days'",
        "SELECT age(last_post_at) FROM grafana_silent",
        "xunjian_account_silence_deadline_timestamp_seconds < time()",
    ] {
        assert!(derives_silence(guilty), "{guilty}");
    }
    for (place, text) in expressions() {
        assert!(!derives_silence(&text), "{place} derives silence: {text}");
    }
}

#[test]
fn boards_have_unique_uids_chinese_titles_units_and_known_sources() {
    let mut uids = BTreeSet::new();
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for board in boards() {
        let uid = board["uid"].as_str().unwrap();
        assert!(uid.starts_with("xunjian-") && uids.insert(uid.to_owned()), "{uid}");
        assert!(is_chinese(board["title"].as_str().unwrap()), "{uid}");
        let variables: Vec<_> = board["templating"]["list"].as_array().unwrap().iter().collect();
        let names: Vec<_> = variables.iter().map(|v| v["name"].as_str().unwrap()).collect();
        let wanted: &[&str] = match uid {
            "xunjian-operations" => &["area", "platform", "api"],
            "xunjian-account" => &["area", "platform", "sponsor", "account", "api"],
            "xunjian-findings" => &["area", "platform", "sponsor", "finding", "api"],
            "xunjian-assessment" => &["area", "platform", "sponsor", "period", "api"],
            _ => &["area", "platform", "sponsor", "api"],
        };
        assert_eq!(names, wanted, "{uid}");
        let mut ids = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(is_chinese(title), "{uid} / {title}");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{uid} / {title}: id");
            if panel["type"] == "row" {
                continue;
            }
            assert!(is_chinese(panel["description"].as_str().unwrap()), "{uid} / {title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{uid} / {title}");
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"], panel["datasource"], "{uid} / {title}");
            }
        }
    }
    let sources: BTreeSet<_> = boards().iter().flat_map(uids_of_sources).collect();
    let provisioned = &files("grafana/provisioning/datasources", "yaml")[0].1;
    for uid in sources {
        assert!(provisioned.contains(&format!("uid: {uid}\n")), "{uid} is not provisioned");
    }
}

/// Links into the daemon lead to its pages, where a person signs in: no browser has a token to show
/// to `/api/v1`.
#[test]
fn links_into_the_daemon_lead_to_pages_for_people() {
    let mut links = 0;
    for (name, text) in files("grafana/dashboards", "json") {
        for after in text.split("\"${api}").skip(1) {
            let leads = ["/findings/", "/accounts/"].iter().any(|page| after.starts_with(page));
            assert!(leads, "{name}: {}", after.lines().next().unwrap_or_default());
            links += 1;
        }
    }
    assert!(links > 5, "{links}");
}

fn uids_of_sources(board: &Value) -> Vec<String> {
    let panels = board["panels"].as_array().unwrap().iter();
    panels.filter_map(|panel| Some(panel["datasource"]["uid"].as_str()?.to_owned())).collect()
}

#[test]
fn grafana_is_provisioned_from_files_with_everything_that_they_ask_for() {
    let sources = &files("grafana/provisioning/datasources", "yaml")[0].1;
    let providers = &files("grafana/provisioning/dashboards", "yaml")[0].1;
    let compose = std::fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let variable = Regex::new(r"\$\{(\w+)\}").unwrap();
    let asked: BTreeSet<&str> =
        variable.captures_iter(sources).map(|found| found.get(1).unwrap().as_str()).collect();
    assert_eq!(asked.len(), 6, "{asked:?}");
    for name in asked {
        assert!(compose.contains(&format!("      {name}: ")), "{name} is not set for Grafana");
    }
    let path = Regex::new(r"path: (\S+)").unwrap();
    let path = &path.captures(providers).unwrap()[1];
    assert!(compose.contains(&format!("../grafana/dashboards:{path}:ro")), "{path}");
    assert!(compose.contains("../grafana/provisioning:/etc/grafana/provisioning:ro"));
    assert!(providers.contains("allowUiUpdates: false") && !sources.contains("editable: true"));
}

/// The colour that a board gives an activity, by value mapping or by series name.
fn colours_of(value: &Value, word: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(colour) = fields.get(word).and_then(|option| option["color"].as_str()) {
                found.push(colour.to_owned());
            }
            if value["matcher"]["options"] == word {
                let properties = value["properties"].as_array().into_iter().flatten();
                let colours = properties.filter(|property| property["id"] == "color");
                found.extend(
                    colours.filter_map(|one| Some(one["value"]["fixedColor"].as_str()?.into())),
                );
            }
            fields.values().for_each(|field| colours_of(field, word, found));
        }
        Value::Array(items) => items.iter().for_each(|item| colours_of(item, word, found)),
        _ => {}
    }
}

#[test]
fn the_undetermined_are_grey_and_never_green() {
    let mut found = Vec::new();
    boards().iter().for_each(|board| colours_of(board, "undetermined", &mut found));
    assert!(found.len() >= 6, "{found:?}");
    assert!(found.iter().all(|colour| colour == "#8e8e8e"), "{found:?}");
}

/// Statements as a person's choice makes them, with their place.
fn statements(choice: &Choice) -> Vec<(String, String)> {
    let all = boards().iter().flat_map(questions).collect::<Vec<_>>();
    let sql = all.into_iter().filter(|question| question.is_sql);
    sql.map(|one| (format!("{} / {}", one.board, one.panel), choice.expand(&one.text))).collect()
}

#[test]
fn lists_read_only_the_views_made_for_boards() {
    let view = Regex::new(r"(?i)\b(?:from|join)\s+(\w+)").unwrap();
    let choice = Choice {
        platform: Pick::these(&["weibo", "douyin"]),
        area: Pick::these(&["4415"]),
        sponsor: Pick::these(&["某县'某局"]),
        ..Choice::default()
    };
    let statements = statements(&choice);
    assert!(statements.len() > 40, "{}", statements.len());
    for (place, sql) in &statements {
        for found in view.captures_iter(sql) {
            assert!(found[1].starts_with("grafana_"), "{place} reads {}", &found[1]);
        }
    }
    // Nobody looks at a list that leaves what was chosen out of account.
    for (place, sql) in statements {
        let of_one = sql.contains("key = ''") || place.contains(" / $");
        let of_machines =
            ["运行中的程序", "主机", "页面改版", "哨兵", "版本", "主办单位与地区得分"];
        if of_one || of_machines.iter().any(|panel| place.ends_with(panel)) {
            continue;
        }
        assert!(sql.contains("'^(weibo|douyin)$'") && sql.contains("'^(4415)'"), "{place}: {sql}");
        let by_sponsor = sql.contains("sponsor IN ('某县''某局')");
        let without = place.starts_with("xunjian-operations") || place.ends_with("政府网站");
        assert!(by_sponsor || without, "{place}: {sql}");
    }
}

/// The words that each column's value mapping turns into Chinese, over all boards.
fn mapped(value: &Value, found: &mut Vec<BTreeMap<String, String>>) {
    match value {
        Value::Object(fields) => {
            if fields.get("type").is_some_and(|kind| kind == "value")
                && let Some(options) = fields["options"].as_object()
            {
                let text = |option: &Value| option["text"].as_str().unwrap_or("").to_owned();
                found.push(options.iter().map(|(word, one)| (word.clone(), text(one))).collect());
            }
            fields.values().for_each(|field| mapped(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| mapped(item, found)),
        _ => {}
    }
}

#[test]
fn every_word_that_a_list_may_show_is_put_into_the_offices_own() {
    let mut found = Vec::new();
    boards().iter().for_each(|board| mapped(board, &mut found));
    let reasons = Reason::ALL.map(|one| (one.as_str(), one.title())).to_vec();
    let states = FindingState::ALL.map(|row| (row.1, row.2)).to_vec();
    let severities = Severity::ALL.map(|row| (row.1, row.2)).to_vec();
    let lifecycles = Lifecycle::ALL.map(|row| (row.1, row.2)).to_vec();
    for words in [reasons, states, severities, lifecycles] {
        let of_these: Vec<_> =
            found.iter().filter(|mapping| mapping.contains_key(words[1].0)).collect();
        let own = |mapping: &&&BTreeMap<String, String>| {
            words.iter().all(|(word, title)| mapping.get(*word).is_some_and(|text| text == title))
        };
        assert!(of_these.iter().filter(own).count() > 0, "{words:?}: {of_these:#?}");
    }
    let platforms: BTreeMap<String, String> = files("config/platforms", "toml")
        .into_iter()
        .map(|(_, text)| {
            let file: toml::Table = toml::from_str(&text).unwrap();
            let word = |key: &str| file[key].as_str().unwrap().to_owned();
            (word("id"), word("title"))
        })
        .collect();
    let mappings: Vec<_> = found.iter().filter(|mapping| mapping.contains_key("weibo")).collect();
    assert!(!mappings.is_empty() && mappings.iter().all(|mapping| **mapping == platforms));
}

#[test]
fn every_alert_has_its_runbook_and_its_test() {
    let runbooks: BTreeSet<_> = files("deploy/runbooks", "md")
        .into_iter()
        .map(|(name, _)| name.trim_end_matches(".md").to_owned())
        .collect();
    assert_eq!(alerts().into_iter().collect::<BTreeSet<_>>(), runbooks);
    let tests: String =
        files("deploy/prometheus/tests", "yml").into_iter().map(|(_, text)| text).collect();
    for (place, rule) in rules() {
        let alert = place.split_once(" / ").unwrap().1;
        assert!(rule.contains(&format!("/deploy/runbooks/{alert}.md")), "{place}: runbook_url");
        assert!(tests.contains(alert), "{place} has no test");
    }
}

#[test]
fn promtool_accepts_the_configuration_and_the_rules_do_what_their_tests_say() {
    assert_passes(&["check", "config", "deploy/prometheus/prometheus.yml"], "");
    let tests = files("deploy/prometheus/tests", "yml");
    let paths: Vec<_> =
        tests.iter().map(|(name, _)| format!("deploy/prometheus/tests/{name}")).collect();
    let mut arguments = vec!["test", "rules"];
    arguments.extend(paths.iter().map(String::as_str));
    assert_passes(&arguments, "");
    assert!(root().join("deploy/prometheus/rules").is_dir());
}

#[tokio::test]
async fn every_panel_has_an_answer_from_a_real_prometheus() {
    let process = Arc::new(panels_sample::metrics());
    let county = Arc::new(County { metrics: Arc::clone(&process) });
    let parts = Parts {
        metrics: process,
        readiness: Arc::new(Readiness::default()),
        reads: county.clone(),
        register: county.clone(),
        acts: county,
        clock: Arc::new(SystemClock),
    };
    let uncached = Settings { fleet_cache_seconds: 0, ..Settings::default() };
    let site = Site::new(uncached, metrics::Settings::default(), parts);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(serve(listener, site, std::future::pending()));
    let prometheus = Prometheus::watch(address, 4).await;

    let all = boards();
    for platform in [Pick::All(".*"), Pick::these(&["weibo"]), Pick::these(&["weibo", "douyin"])] {
        let choice = Choice { platform, ..Choice::default() };
        let complaints = check_prometheus(&all, &prometheus.url, &choice, &[]).await;
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
    // A city's subtree holds the county.
    for area in ["441521", "4415"] {
        let chosen = Choice { area: Pick::these(&[area]), ..Choice::default() };
        let complaints = check_prometheus(&all, &prometheus.url, &chosen, &[]).await;
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
    // The check can fail: elsewhere there are no accounts.
    let elsewhere = Choice { area: Pick::these(&["11"]), ..Choice::default() };
    assert!(!check_prometheus(&all, &prometheus.url, &elsewhere, &[]).await.is_empty());

    let rules = PrometheusApi::at(&prometheus.url).get("/api/v1/rules").await.unwrap();
    let groups = rules["data"]["groups"].as_array().unwrap();
    let loaded: Vec<_> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(loaded.len(), alerts().len());
    for rule in loaded {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}
