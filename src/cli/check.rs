//! `xunjian check`: everything that is wrong with the configuration, and where.

use std::io::{self, Write};

use anyhow::bail;

use super::Context;
use crate::app::{self, Misconfigured};
use crate::domain::Problem;
use crate::settings::Settings;

/// Validates settings and data files; prints every problem as `file:line: field: reason`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also print the effective settings as TOML, secrets masked.
    #[arg(long)]
    print: bool,
}

/// One thing that can be checked once the settings are valid: all that is wrong with it.
type Check = fn(&Settings) -> Vec<Problem>;

/// Every check, in the order in which problems are printed. To check more, add a line.
const CHECKS: &[Check] = &[platforms, schemes, rules, imports];

#[expect(clippy::unused_async, reason = "every command has this shape")]
pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let problems = match context.load_settings() {
        Ok(settings) => {
            if args.print {
                write!(out, "{}", settings.to_redacted_toml())?;
            }
            CHECKS.iter().flat_map(|check| check(&settings)).collect()
        }
        Err(problems) => problems,
    };
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    match problems.len() {
        0 => Ok(()),
        1 => bail!("1 problem"),
        count => bail!("{count} problems"),
    }
}

fn platforms(settings: &Settings) -> Vec<Problem> {
    problems_of(app::platforms(settings))
}

/// Schemes, index formulas and working days; what is only to be known goes to stderr.
fn schemes(settings: &Settings) -> Vec<Problem> {
    match app::schemes(settings) {
        Ok(rules) => {
            for warning in rules.warnings() {
                eprintln!("注意: {warning}");
            }
            Vec::new()
        }
        Err(wrong) => wrong.0,
    }
}

fn rules(settings: &Settings) -> Vec<Problem> {
    problems_of(app::rules(settings))
}

fn imports(settings: &Settings) -> Vec<Problem> {
    problems_of(app::imports(settings))
}

fn problems_of<T>(compiled: Result<T, Misconfigured>) -> Vec<Problem> {
    compiled.err().map(|wrong| wrong.0).unwrap_or_default()
}
