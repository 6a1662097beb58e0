//! What a day of a simulated city leaves in the evidence, looked at once a day.

use std::path::Path;

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use xunjian::cli::demo::Demo;
use xunjian::settings::Settings;
use xunjian::simulator::{Character, Fault, Outage};

const SEED: u64 = 339_900;

/// Looks at every account once a day and prints what was kept of it.
pub(crate) async fn measure(accounts: usize, days: i64) -> anyhow::Result<()> {
    ensure!(accounts > 0 && days > 0, "accounts and days to look at");
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let today: DateTime<Utc> = "2026-11-22T02:30:00Z".parse()?;
    let demo = Demo::start(settings(&data)?, SEED, accounts, today).await?;
    // Waiting keeps nothing that an answer does not.
    for (character, fault) in [
        (Character::Slow, Fault::Slow { milliseconds: 0 }),
        (Character::RateLimiting, Fault::Slow { milliseconds: 0 }),
        (Character::Unreachable, Fault::Outage(Outage::Closed)),
    ] {
        for key in demo.simulator().city().keys_of(character) {
            demo.simulator().set_fault(&key, Some(fault));
        }
    }
    // At the first looks everything is new, and older posts are read page by page.
    demo.watch_days().await?;
    let counted_from = demo.app().jobs().clock.now();
    for _ in 0..days {
        demo.rest(1);
        demo.watch_day().await?;
    }
    tell(&data, counted_from, accounts, days).await?;
    demo.stop().await
}

fn settings(data: &Path) -> anyhow::Result<Settings> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: data.to_owned(),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        ..Settings::default()
    };
    settings.http.listen = "127.0.0.1:0".parse()?;
    settings.evidence.free_bytes_min = 0;
    settings.fetch.default_limit.backoff_max_seconds = 0;
    settings.fetch.retry_after_max_seconds = 0;
    Ok(settings)
}

async fn tell(
    data: &Path,
    counted_from: DateTime<Utc>,
    accounts: usize,
    days: i64,
) -> anyhow::Result<()> {
    let socket = data.join("postgres/run");
    let url = format!(
        "postgres://xunjian@localhost:5432/postgres?host={}&sslmode=disable",
        socket.display()
    );
    let mut session = PgConnection::connect(&url).await?;
    let kept: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
        "select page, class, form, count(*), sum(byte_length)::bigint from evidence
         where visited_at > $1 group by 1, 2, 3 order by 1, 2, 3",
    )
    .bind(counted_from)
    .fetch_all(&mut session)
    .await?;
    let (visits, row): (i64, i64) = sqlx::query_as(
        "select (select count(*) from visits where started_at > $1),
             pg_total_relation_size('evidence') / (select greatest(count(*), 1) from evidence)",
    )
    .bind(counted_from)
    .fetch_one(&mut session)
    .await?;
    println!("page | class | form | records | bytes each");
    for (page, class, form, records, bytes) in &kept {
        println!("{page} | {class} | {form} | {records} | {}", bytes / records);
    }
    let bytes: i64 = kept.iter().map(|one| one.4).sum();
    let records: i64 = kept.iter().map(|one| one.3).sum();
    let account_days = i64::try_from(accounts)?.checked_mul(days).context("too many")?;
    println!(
        "{accounts} accounts, {days} days: {visits} visits, {records} records; {} bytes a visit, {} \
         an account and day; {row} bytes of the table for each record",
        bytes / visits.max(1),
        bytes / account_days,
    );
    Ok(())
}
