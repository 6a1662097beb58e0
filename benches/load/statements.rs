//! What single statements take, as the server counts it in its log.

use std::fs;

use anyhow::Context;
use sqlx::{AssertSqlSafe, PgPool};

use crate::Place;

/// Has the processor time of every statement written to the log, or no more.
pub(crate) async fn count(pool: &PgPool, on: bool) -> anyhow::Result<()> {
    let statement = format!("alter system set log_statement_stats = {on}");
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    sqlx::query("select pg_reload_conf()").execute(pool).await?;
    Ok(())
}

/// How many statements the log holds that begin so, and the seconds that the server computed for
/// them.
pub(crate) fn counted(place: &Place, beginning: &str) -> anyhow::Result<(u32, f64)> {
    let log = fs::read(place.folder.join("log")).context("the server's log")?;
    let (mut number, mut all, mut last) = (0, 0.0, None);
    for line in String::from_utf8_lossy(&log).lines() {
        if let Some(used) = line.strip_prefix("\t!\t").and_then(used) {
            last = Some(used);
        } else if let Some((_, statement)) = line.split_once("STATEMENT:  ")
            && let Some(seconds) = last.take()
            && statement.starts_with(beginning)
        {
            number += 1;
            all += seconds;
        }
    }
    Ok((number, all))
}

/// Reads `0.000035 s user, 0.000012 s system, …`.
fn used(line: &str) -> Option<f64> {
    let (user, rest) = line.split_once(" s user, ")?;
    let (system, _) = rest.split_once(" s system, ")?;
    Some(user.parse::<f64>().ok()? + system.parse::<f64>().ok()?)
}
