//! The boards as data, and the checks that ask a Prometheus and a Postgres every question they ask.

use std::path::PathBuf;

use regex::{Captures, Regex};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

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

/// One question of one panel or variable.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) board: String,
    /// The panel's title, or `$` and the variable's name.
    pub(crate) panel: String,
    /// PromQL for Prometheus, SQL for Postgres, variables not yet put in.
    pub(crate) text: String,
    pub(crate) instant: bool,
    pub(crate) is_sql: bool,
}

/// Every question of every panel and variable of a board, rows opened.
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
        if variable["type"] == "query" {
            found.push(Question {
                board: uid.to_owned(),
                panel: format!("${}", variable["name"].as_str().unwrap()),
                text: variable["query"].as_str().unwrap().to_owned(),
                instant: true,
                is_sql: true,
            });
        }
    }
    found
}

/// What a person has chosen of one variable.
#[derive(Debug, Clone)]
pub(crate) enum Pick {
    /// 全部: the variable's own value for it, which Grafana puts in as it stands.
    All(&'static str),
    /// These.
    These(Vec<String>),
}

impl Pick {
    pub(crate) fn these(values: &[&str]) -> Self {
        Self::These(values.iter().map(|value| (*value).to_owned()).collect())
    }

    /// As Grafana writes it; a format that the boards do not use is `None`.
    fn formatted(&self, format: Option<&str>) -> Option<String> {
        let values = match self {
            Self::All(raw) => return Some((*raw).to_owned()),
            Self::These(values) => values,
        };
        Some(match format {
            Some("pipe") => values.join("|"),
            Some("sqlstring") => {
                let quoted = values.iter().map(|value| format!("'{}'", value.replace('\'', "''")));
                quoted.collect::<Vec<_>>().join(",")
            }
            // In a question to Prometheus several are a regular expression.
            None if values.len() == 1 => values[0].clone(),
            None => format!("({})", values.join("|")),
            Some(_) => return None,
        })
    }
}

/// Everything that a person has chosen at the top of a board.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) platform: Pick,
    pub(crate) area: Pick,
    pub(crate) sponsor: Pick,
    pub(crate) period: Pick,
    pub(crate) account: Pick,
    pub(crate) finding: Pick,
    /// At least four scrape intervals, as `60s`.
    pub(crate) rate_interval: &'static str,
    /// The time at the top right.
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

impl Default for Choice {
    /// A board as it opens, in November 2026, with nothing to choose from.
    fn default() -> Self {
        Self {
            platform: Pick::All(".*"),
            area: Pick::All(".*"),
            sponsor: Pick::All("'全部'"),
            period: Pick::these(&[""]),
            account: Pick::these(&[""]),
            finding: Pick::these(&[""]),
            rate_interval: "30s",
            from: "2026-08-24T00:00:00Z",
            to: "2026-11-30T00:00:00Z",
        }
    }
}

impl Choice {
    /// Puts variables and macros in; what nobody knows is left standing and found by the caller.
    pub(crate) fn expand(&self, text: &str) -> String {
        let form = Regex::new(
            r"\$\{(?P<name>\w+)(?::(?P<format>\w+))?\}|\$(?P<bare>[A-Za-z_]\w*)(?P<call>\([^()]*\))?",
        );
        let put = |found: &Captures| -> String {
            let whole = found[0].to_owned();
            let call = found.name("call").map_or("", |call| call.as_str());
            let format = found.name("format").map(|format| format.as_str());
            let name = found.name("name").or(found.name("bare")).unwrap().as_str();
            let column = call.trim_matches(['(', ')']);
            let picked = match name {
                "__rate_interval" => return format!("{}{call}", self.rate_interval),
                "__timeFilter" if !column.is_empty() => {
                    return format!("{column} BETWEEN '{}' AND '{}'", self.from, self.to);
                }
                "__timeFrom" if call == "()" => return format!("'{}'", self.from),
                "__timeTo" if call == "()" => return format!("'{}'", self.to),
                "platform" => &self.platform,
                "area" => &self.area,
                "sponsor" => &self.sponsor,
                "period" => &self.period,
                "account" => &self.account,
                "finding" => &self.finding,
                _ => return whole,
            };
            picked.formatted(format).map_or(whole, |value| format!("{value}{call}"))
        };
        form.unwrap().replace_all(text, put).into_owned()
    }
}

/// What was left standing after [`Choice::expand`].
fn unexpanded(text: &str) -> bool {
    Regex::new(r"\$[a-zA-Z_{]").unwrap().is_match(text)
}

/// Asks a Prometheus every PromQL question of the boards and returns a complaint for each error and
/// each empty answer. `explained` lists (board uid, panel title) that may be empty.
pub(crate) async fn check_prometheus(
    boards: &[Value],
    prometheus_url: &str,
    choice: &Choice,
    explained: &[(&str, &str)],
) -> Vec<String> {
    let api = PrometheusApi::at(prometheus_url);
    let mut complaints = Vec::new();
    for question in boards.iter().flat_map(questions).filter(|question| !question.is_sql) {
        let expression = choice.expand(&question.text);
        let place = format!("{} / {}: {expression}", question.board, question.panel);
        if unexpanded(&expression) {
            complaints.push(format!("{place}: a variable or macro that nobody knows"));
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

/// The same for Postgres, as the login of a session. An answer of nulls and zeros alone is empty.
pub(crate) async fn check_postgres(
    boards: &[Value],
    session: &mut PgConnection,
    choice: &Choice,
    explained: &[(&str, &str)],
) -> Vec<String> {
    let mut complaints = Vec::new();
    for question in boards.iter().flat_map(questions).filter(|question| question.is_sql) {
        let sql = choice.expand(&question.text);
        let place = format!("{} / {}: {sql}", question.board, question.panel);
        if unexpanded(&sql) {
            complaints.push(format!("{place}: a variable or macro that nobody knows"));
            continue;
        }
        let told = format!(
            "select count(*) filter (where exists (
                 select from jsonb_each(to_jsonb(answer)) as field
                 where field.value not in ('null', '0')))
             from ({sql}) as answer"
        );
        let rows: Result<i64, _> =
            sqlx::query_scalar(AssertSqlSafe(told)).fetch_one(&mut *session).await;
        match rows {
            Err(error) => complaints.push(format!("{place}: {error}")),
            Ok(0) if !explained.contains(&(&question.board, &question.panel)) => {
                complaints.push(format!("{place}: empty"));
            }
            Ok(_) => {}
        }
    }
    complaints
}
