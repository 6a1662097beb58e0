//! Defaults, file, environment: one typed whole.
//!
//! Later wins: [`Settings::default`], then one file (`--config FILE`, else `config/default.toml`
//! of the working directory, else `/etc/xunjian/xunjian.toml`), then variables
//! `XUNJIAN__SECTION__KEY`. Every stage owns the type of its own section; this module composes
//! them and is the only one that reads the environment. Everything wrong is reported at once.
//!
//! To add a stage's section: one field in [`Settings`] and its table in `config/default.toml`
//! (a test says so). A key that holds a path: one entry in `layers::PATHS` (likewise). A rule
//! beyond types: one function in `rules` and one invalid file in `tests/fixtures/settings`.

mod document;
mod environment;
mod layers;
mod redaction;
mod rules;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::{Problem, SourceText};

pub use environment::{search_path, user_name};

/// Everything an operator may set, as one value.
///
/// Its `Debug` shows no secret; see [`Settings::to_redacted_toml`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the daemon keeps its state. Empty in the defaults; after loading, a path:
    /// `/var/lib/xunjian` for root, else `$XDG_DATA_HOME/xunjian` or `~/.local/share/xunjian`.
    pub data_dir: PathBuf,
    /// The folder of platform files.
    pub platforms_dir: PathBuf,
    /// The folder of scheme files.
    pub schemes_dir: PathBuf,
    /// The folder of index coefficients (`*.toml`); there may be none.
    pub indices_dir: PathBuf,
    /// The folder of working days (`<year>.json`); there may be none.
    pub calendar_dir: PathBuf,
    /// The folder of rules for findings; there may be none.
    pub rules_dir: PathBuf,
    /// The folder of mappings for authorised exports; there may be none.
    pub imports_dir: PathBuf,
    /// `[log]`: what is written to stderr.
    pub log: LogSettings,
    /// `[database]`: which Postgres holds the state.
    pub database: crate::store::Settings,
    /// `[fetch]`: how the outside is asked.
    pub fetch: crate::fetch::Settings,
    /// `[crawl]`: how the daemon goes through its targets.
    pub crawl: crate::jobs::Settings,
    /// `[schedule]`: how often targets are visited.
    pub schedule: crate::schedule::Settings,
    /// `[observe]`: when silence is proven, and of which kind it is.
    pub observe: crate::observe::Policy,
    /// `[alert]`: the early warning.
    pub alert: crate::alert::Settings,
    /// `[notify]`: letters to sponsors.
    pub notify: crate::notify::Settings,
    /// `[registry]`: limits on ledgers, and the office's own rules about them.
    pub registry: crate::registry::Settings,
    /// `[evidence]`: which answers are kept as evidence, where, and how long.
    pub evidence: crate::evidence::Settings,
    /// `[metrics]`: how much of the fleet becomes series.
    pub metrics: crate::metrics::Settings,
    /// `[http]`: where the daemon answers.
    pub http: crate::http::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::new(),
            platforms_dir: PathBuf::from("platforms"),
            schemes_dir: PathBuf::from("schemes"),
            indices_dir: PathBuf::from("indices"),
            calendar_dir: PathBuf::from("calendar"),
            rules_dir: PathBuf::from("rules"),
            imports_dir: PathBuf::from("imports"),
            log: LogSettings::default(),
            database: Default::default(),
            fetch: Default::default(),
            crawl: Default::default(),
            schedule: Default::default(),
            observe: Default::default(),
            alert: Default::default(),
            notify: Default::default(),
            registry: Default::default(),
            evidence: Default::default(),
            metrics: Default::default(),
            http: Default::default(),
        }
    }
}

/// `[log]`: how much is logged to stderr, and in which form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,sqlx=warn`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Settings {
    /// Loads the settings of this process.
    ///
    /// # Errors
    /// Every problem of the file and of the environment, in the order found.
    pub fn load(file: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let source = match environment::find_file(file) {
            Ok(source) => source,
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        let (variables, unreadable) = environment::variables();
        problems.extend(unreadable);
        let loaded = Self::from_layers(source.as_ref(), &variables);
        match loaded {
            Ok(mut settings) if problems.is_empty() => {
                if settings.data_dir.as_os_str().is_empty() {
                    settings.data_dir = environment::default_data_dir().map_err(|p| vec![p])?;
                }
                Ok(settings)
            }
            Ok(_) => Err(problems),
            Err(more) => Err(problems.into_iter().chain(more).collect()),
        }
    }

    /// Puts the layers together without touching the machine: a file's text and the variables as
    /// (name, value), names beginning with `XUNJIAN__`.
    ///
    /// # Errors
    /// Every problem, each naming file and line, or the variable.
    pub fn from_layers(
        file: Option<&SourceText>,
        variables: &[(String, String)],
    ) -> Result<Self, Vec<Problem>> {
        layers::merge(file, variables)
    }

    /// The effective settings as TOML, with every secret masked.
    pub fn to_redacted_toml(&self) -> String {
        redaction::redacted(self)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_redacted_toml())
    }
}

#[cfg(test)]
mod tests;
