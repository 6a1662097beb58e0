//! The command line: one file per command.
//!
//! To add a command: a file with `Args` (clap) and `run(args, &Context)`, and one line in
//! `Command`. Data goes to stdout, logs and reasons to stderr. Exit codes: 0 done, 1 failed,
//! 2 wrong usage or configuration.

mod assessment;
mod backup;
mod check;
mod crawl;
pub mod demo;
mod evidence;
mod extract;
mod finding;
mod grafana;
mod observations;
mod platform;
mod registry;
mod report;
mod restore;
mod run;
mod scheme;
mod score;
mod simulate;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::app::clock::SystemClock;
use crate::app::{Jobs, Misconfigured, telemetry};
use crate::domain::Problem;
use crate::settings::Settings;

/// Watches government new-media accounts: polite crawls, defensible verdicts, recomputable scores.
#[derive(Debug, Parser)]
#[command(name = "xunjian", version)]
pub struct Cli {
    /// The settings file [default: config/default.toml here, else /etc/xunjian/xunjian.toml].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// Declares the commands: a variant, and the file that runs it.
macro_rules! commands {
    ($($variant:ident => $file:ident,)+) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($variant($file::Args),)+
        }

        impl Command {
            async fn run(self, context: &Context) -> anyhow::Result<()> {
                match self {
                    $(Self::$variant(args) => $file::run(args, context).await,)+
                }
            }
        }
    };
}

commands! {
    Assessment => assessment,
    Backup => backup,
    Check => check,
    Crawl => crawl,
    Demo => demo,
    Evidence => evidence,
    Extract => extract,
    Finding => finding,
    Grafana => grafana,
    Observations => observations,
    Platform => platform,
    Registry => registry,
    Report => report,
    Restore => restore,
    Run => run,
    Scheme => scheme,
    Score => score,
    Simulate => simulate,
    Token => token,
}

impl Command {
    /// Whether it goes on when nobody reads what it prints.
    fn serves(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Demo(_) | Self::Simulate(_))
    }
}

/// What every command may need; nothing is read before it is asked for.
#[derive(Debug)]
pub(crate) struct Context {
    config: Option<PathBuf>,
}

impl Context {
    /// The settings of this call; from here on its logs go out as they say.
    ///
    /// # Errors
    /// [`Misconfigured`], which ends the process with 2.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let settings = self.load_settings().map_err(Misconfigured)?;
        telemetry::start(&settings.log)?;
        Ok(settings)
    }

    /// Does a command's work with the database and all that jobs have, and closes them after it,
    /// however it ended.
    async fn with_jobs<T>(
        &self,
        settings: &Settings,
        work: impl AsyncFnOnce(&crate::jobs::Context) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let jobs = Jobs::open(settings, Arc::new(SystemClock)).await?;
        let done = work(jobs.context()).await;
        jobs.close().await?;
        done
    }

    /// The settings, or everything wrong with them, for `check`.
    pub(crate) fn load_settings(&self) -> Result<Settings, Vec<Problem>> {
        Settings::load(self.config.as_deref())
    }
}

/// A use of a command that clap cannot refuse by itself; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misused(pub(crate) String);

/// Runs the command; its failure is told once, on stderr.
pub async fn run(cli: Cli) -> ExitCode {
    let context = Context { config: cli.config };
    if !cli.command.serves() {
        sigpipe::reset();
    }
    let Err(error) = cli.command.run(&context).await else { return ExitCode::SUCCESS };
    eprintln!("xunjian: {error:#}");
    exit_code(&error)
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let wrong_use = error.is::<Misconfigured>() || error.is::<Misused>();
    ExitCode::from(if wrong_use { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_use_and_failure_have_codes_of_their_own() {
        let check = |error: anyhow::Error, code: u8| {
            let shown = format!("{error:#}");
            assert_eq!(exit_code(&error), ExitCode::from(code), "{shown}");
        };
        check(Misconfigured(Vec::new()).into(), 2);
        check(anyhow::Error::from(Misused("no period".to_owned())).context("score"), 2);
        check(anyhow::anyhow!("no database"), 1);
    }
}
