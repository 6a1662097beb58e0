//! The part of `benches/embedded_postgres.sh` that uses the private Postgres as the daemon does.
//!
//! - `first-write DIR`: prints the milliseconds from start to the first acknowledged row, stops.
//! - `start DIR`: prints the milliseconds until the server accepts connections, stops.
//! - `write DIR FIRST`: inserts FIRST, FIRST + 1, … until it is killed, across deaths of the
//!   server; prints each number once it is acknowledged.
//! - `lost DIR FILE`: prints how many of the numbers in FILE the database does not have.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::{Connection, PgConnection};
use xunjian::app::postgres::Database;
use xunjian::store::Settings;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let began = Instant::now();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["first-write", dir] => first_write(dir, began).await,
        ["start", dir] => start(dir, began).await,
        ["write", dir, first] => write(dir, first.parse()?).await,
        ["lost", dir, file] => lost(dir, file).await,
        _ => bail!("first-write DIR | start DIR | write DIR FIRST | lost DIR FILE"),
    }
}

async fn own(dir: &str) -> anyhow::Result<Database> {
    Database::own(&Settings::default(), Path::new(dir)).await
}

async fn first_write(dir: &str, began: Instant) -> anyhow::Result<()> {
    let database = own(dir).await?;
    let mut connection = PgConnection::connect(&database.url).await?;
    create_table(&mut connection).await?;
    insert(&mut connection, 0).await?;
    println!("{}", began.elapsed().as_millis());
    connection.close().await?;
    database.stop().await
}

async fn start(dir: &str, began: Instant) -> anyhow::Result<()> {
    let database = own(dir).await?;
    println!("{}", began.elapsed().as_millis());
    database.stop().await
}

async fn write(dir: &str, first: i64) -> anyhow::Result<()> {
    let database = own(dir).await?;
    let mut next = first;
    loop {
        // A number whose answer was lost may be stored; the next one is tried instead of it.
        if let Err(error) = write_from(&database.url, &mut next).await {
            eprintln!("{error:#}");
            next += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn write_from(url: &str, next: &mut i64) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    create_table(&mut connection).await?;
    let mut out = std::io::stdout().lock();
    loop {
        insert(&mut connection, *next).await?;
        writeln!(out, "{next}")?;
        out.flush()?;
        *next += 1;
    }
}

async fn lost(dir: &str, file: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).context("reading the acknowledged numbers")?;
    let database = own(dir).await?;
    let mut connection = PgConnection::connect(&database.url).await?;
    let stored = sqlx::query_scalar("select n from numbers").fetch_all(&mut connection).await?;
    let stored: HashSet<i64> = stored.into_iter().collect();
    // Whole lines only: the last one may have been cut off with its writer.
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let mut lost = 0;
    for line in whole {
        lost += usize::from(!stored.contains(&line.parse()?));
    }
    println!("{lost}");
    connection.close().await?;
    database.stop().await
}

async fn create_table(connection: &mut PgConnection) -> sqlx::Result<()> {
    let create = sqlx::query("create table if not exists numbers (n bigint primary key)");
    create.execute(connection).await.map(drop)
}

async fn insert(connection: &mut PgConnection, n: i64) -> sqlx::Result<()> {
    sqlx::query("insert into numbers values ($1)").bind(n).execute(connection).await.map(drop)
}
