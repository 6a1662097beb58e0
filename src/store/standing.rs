//! What stands in a database before a backup is restored to it.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::PgConnection;

use super::StoreError;
use super::schema::MIGRATOR;
use super::snapshot::{self, TableColumns, named, quoted};

const LOOKS: u32 = 15;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What stands in a database that is to be restored to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No table.
    Nothing,
    /// A schema of ours without a row.
    Empty,
    /// Rows, of which these tables have some.
    Filled(Vec<String>),
    /// Tables that are not ours.
    Foreign(Vec<String>),
    /// Other sessions of this program, so many.
    InUse(i64),
}

pub(super) async fn standing(connection: &mut PgConnection) -> Result<Standing, StoreError> {
    let others = others(connection).await?;
    if others > 0 {
        return Ok(Standing::InUse(others));
    }
    let tables = snapshot::tables(connection).await?;
    let names = |tables: Vec<TableColumns>| tables.into_iter().map(|one| one.name).collect();
    let migrated: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !migrated && tables.is_empty() {
        return Ok(Standing::Nothing);
    }
    let ours = made_by_migrations();
    let (tables, foreign): (Vec<_>, Vec<_>) =
        tables.into_iter().partition(|one| migrated && ours.contains(one.name.as_str()));
    if !foreign.is_empty() {
        return Ok(Standing::Foreign(names(foreign)));
    }
    let mut filled = Vec::new();
    for table in tables {
        let statement = format!("select exists (select from {})", quoted(&table.name));
        let one: bool = sqlx::query_scalar(named(statement)).fetch_one(&mut *connection).await?;
        if one {
            filled.push(table.name);
        }
    }
    Ok(if filled.is_empty() { Standing::Empty } else { Standing::Filled(filled) })
}

/// The tables that this program's migrations make, without their partitions.
fn made_by_migrations() -> BTreeSet<&'static str> {
    let after = |line: &'static str| line.trim_start().strip_prefix("create table ");
    let named = MIGRATOR.iter().flat_map(|one| one.sql.as_str().lines().filter_map(after));
    named.filter_map(|rest| rest.split([' ', '(']).next()).collect()
}

/// How many other sessions of this program there are. One that has just ended may still be counted
/// by the server for a moment, so it is asked for a few seconds.
async fn others(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let mut others = 0;
    for _ in 0..LOOKS {
        sqlx::query!("select pg_stat_clear_snapshot()").fetch_one(&mut *connection).await?;
        others = sqlx::query_scalar!(
            r#"select count(*) as "others!" from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()
                     and application_name like 'xunjian%'"#
        )
        .fetch_one(&mut *connection)
        .await?;
        if others == 0 {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(others)
}
