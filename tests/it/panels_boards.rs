//! The boards as data, and [`check_boards`], which asks a Prometheus every question they ask.

use std::path::PathBuf;

use regex::Regex;
use serde_json::Value;

use crate::panels_prometheus::PrometheusApi;

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of a folder with this ending, as (name, text), in order.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == ending))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no *.{ending}");
    found
}

/// Every board, parsed.
pub(crate) fn boards() -> Vec<Value> {
    let parse = |(name, text): (String, String)| {
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    files("grafana/dashboards", "json").into_iter().map(parse).collect()
}

/// One question of one panel.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) board: String,
    pub(crate) panel: String,
    /// PromQL for Prometheus, SQL for Postgres, variables not yet put in.
    pub(crate) text: String,
    pub(crate) instant: bool,
    pub(crate) is_sql: bool,
}

/// Every question of every panel of a board, rows opened.
pub(crate) fn questions(board: &Value) -> Vec<Question> {
    let uid = board["uid"].as_str().unwrap();
    let mut found = Vec::new();
    let mut panels: Vec<&Value> = board["panels"].as_array().unwrap().iter().collect();
    while let Some(panel) = panels.pop() {
        panels.extend(panel["panels"].as_array().into_iter().flatten());
        for target in panel["targets"].as_array().into_iter().flatten() {
            let is_sql = target["rawSql"].is_string();
            let text = if is_sql { &target["rawSql"] } else { &target["expr"] };
            found.push(Question {
                board: uid.to_owned(),
                panel: panel["title"].as_str().unwrap().to_owned(),
                text: text.as_str().unwrap().to_owned(),
                instant: target["instant"] == true,
                is_sql,
            });
        }
    }
    for variable in board["templating"]["list"].as_array().into_iter().flatten() {
        found.extend(variable_question(uid, variable));
    }
    found
}

/// `label_values(selector, label)` is Grafana's own; to Prometheus it is a count by label.
fn variable_question(board: &str, variable: &Value) -> Option<Question> {
    let query = variable["query"]["query"].as_str()?;
    let inner = query.strip_prefix("label_values(")?.strip_suffix(')')?;
    let (selector, label) = inner.rsplit_once(',')?;
    Some(Question {
        board: board.to_owned(),
        panel: format!("${}", variable["name"].as_str()?),
        text: format!("count by ({}) ({selector})", label.trim()),
        instant: true,
        is_sql: false,
    })
}

/// What a person has chosen at the top of a board, as Grafana writes it into a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'a> {
    /// A regular expression: `.*` for all, `weibo`, or `(weibo|douyin)`.
    pub(crate) platform: &'a str,
    /// The same for division codes.
    pub(crate) area: &'a str,
    /// At least four scrape intervals, as `60s`.
    pub(crate) rate_interval: &'a str,
}

impl Choice<'_> {
    /// Puts the variables in; a variable nobody knows is left standing and found by the caller.
    pub(crate) fn expand(&self, text: &str) -> String {
        let bare = |value: &str| value.trim_matches(['(', ')']).to_owned();
        [
            ("$__rate_interval", self.rate_interval.to_owned()),
            ("${platform:pipe}", bare(self.platform)),
            ("${area:pipe}", bare(self.area)),
            ("$platform", self.platform.to_owned()),
            ("$area", self.area.to_owned()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// Every SQL question of the boards as (board and panel, statement), variables put in.
///
/// Grafana's `:pipe` format is applied; the statement runs as it stands.
pub(crate) fn postgres_questions(choice: Choice<'_>) -> Vec<(String, String)> {
    let all = boards().iter().flat_map(questions).collect::<Vec<_>>();
    let sql = all.into_iter().filter(|question| question.is_sql);
    sql.map(|one| (format!("{} / {}", one.board, one.panel), choice.expand(&one.text))).collect()
}

/// Asks a Prometheus every PromQL question of every board and returns a complaint for each error
/// and each empty answer. `explained` lists (board uid, panel title) that may be empty, because
/// the fleet behind this Prometheus has nothing to show there.
pub(crate) async fn check_boards(
    prometheus_url: &str,
    choice: Choice<'_>,
    explained: &[(&str, &str)],
) -> Vec<String> {
    let api = PrometheusApi::at(prometheus_url);
    let unexpanded = Regex::new(r"\$[a-zA-Z_{]").unwrap();
    let mut complaints = Vec::new();
    for question in boards().iter().flat_map(questions).filter(|question| !question.is_sql) {
        let expression = choice.expand(&question.text);
        let place = format!("{} / {}: {expression}", question.board, question.panel);
        if unexpanded.is_match(&expression) {
            complaints.push(format!("{place}: a variable that the board does not declare"));
            continue;
        }
        let may_be_empty = explained.contains(&(&question.board, &question.panel));
        match api.samples(&expression, question.instant).await {
            Err(error) => complaints.push(format!("{place}: {error}")),
            Ok(0) if !may_be_empty => complaints.push(format!("{place}: empty")),
            Ok(_) => {}
        }
    }
    complaints
}
