//! The whole daemon with a nation's accounts, crawling loopback hosts: its memory, its processor
//! time, and whether every host's limit holds.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;
use sqlx::PgPool;
use xunjian::app::App;
use xunjian::app::clock::SystemClock;
use xunjian::domain::{Clock as _, LedgerEntry};
use xunjian::store::{LedgerChanges, Secrets, Store};

use crate::helper::Helper;
use crate::pages::Noted;
use crate::verdict::Verdicts;
use crate::{Place, cpu, serve};

/// Accounts of one host, as many as columns of a large site.
const ACCOUNTS_A_HOST: u32 = 20;
/// Requests a minute of a host, as the platform file of feeds has it.
const PER_MINUTE: f64 = 12.0;
/// A server that shares its machine notes an arrival late by so much at most; what is late by more
/// makes the next look early.
const LATE: f64 = 0.25;
/// Hosts worked on at once, so that 30 visits a second come together.
const HOSTS_AT_ONCE: usize = 200;

/// Registers the accounts and lets the daemon crawl for so many seconds.
pub(crate) async fn measure(
    place: &Place,
    accounts: u32,
    seconds: u32,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let store = Store::connect(&place.url, 2, Secrets::unavailable("a bench".into())).await?;
    store.migrate().await?;
    let pool = PgPool::connect(&place.url).await?;
    register(&store, accounts).await?;
    sqlx::query("vacuum analyze").execute(&pool).await?;
    let gap = 60.0 / PER_MINUTE - LATE;
    let mut pages = Helper::start(&["pages", "-", "-", &format!("{:.0}", gap * 1000.0)])?;
    let port = pages.line()?;
    let folder = place.folder.to_str().context("a folder with a name")?;
    let mut daemon = Helper::start(&["daemon", &place.url, folder, &port])?;
    let process = daemon.id();
    daemon.line()?;
    let crawled = watch(place, &pool, process, Duration::from_secs(seconds.into()), verdicts).await;
    daemon.end()?;
    let noted: Noted = serde_json::from_str(pages.end()?.trim())?;
    crawled?;
    println!(
        "{} requests to {} hosts, the least time between two of one host {:.2} s",
        noted.requests, noted.hosts, noted.gap_least
    );
    #[expect(clippy::cast_precision_loss, reason = "there should be none")]
    verdicts.at_most("violations of a host's limit", noted.violations as f64, 0.0, "");
    Ok(())
}

async fn watch(
    place: &Place,
    pool: &PgPool,
    process: u32,
    time: Duration,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let postmaster = place.postmaster()?;
    let visits = async || -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from visits").fetch_one(pool).await?)
    };
    let begun = Instant::now();
    // The first visits come once the targets are made.
    while visits().await? == 0 {
        if begun.elapsed() > time {
            bail!("nothing was visited within {} s", time.as_secs());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    println!("first visit after {:.0} s", begun.elapsed().as_secs_f64());
    let (before, ours, theirs) = (visits().await?, cpu::of(process)?, cpu::server(postmaster)?);
    let begun = Instant::now();
    while begun.elapsed() < time {
        tokio::time::sleep(Duration::from_secs(15)).await;
        let (now, peak) = cpu::memory(process)?;
        println!("{:>5.0} s: {now:.0} MB, at most {peak:.0}", begun.elapsed().as_secs_f64());
    }
    let done = visits().await? - before;
    let (ours, theirs) = (cpu::of(process)? - ours, cpu::server(postmaster)? - theirs);
    #[expect(clippy::cast_precision_loss, reason = "counts of visits")]
    let each = |seconds: f64| seconds / (done.max(1)) as f64 * 1e6;
    println!(
        "{done} visits, {:.1} a second; the daemon with its jobs {:.0} us, Postgres {:.0} us each",
        f64::from(u32::try_from(done)?) / begun.elapsed().as_secs_f64(),
        each(ours),
        each(theirs)
    );
    let (_, peak) = cpu::memory(process)?;
    verdicts.at_most("memory of the daemon, at most", peak, 300.0, "MB");
    Ok(())
}

/// Feeds on hosts of their own, brought in as an office brings in its ledger.
async fn register(store: &Store, accounts: u32) -> anyhow::Result<()> {
    let entry = |n: u32| -> anyhow::Result<LedgerEntry> {
        let (host, place) = (n / ACCOUNTS_A_HOST, n % ACCOUNTS_A_HOST);
        let region = format!("{}01{:02}", 11 + n % 31, n % 20);
        Ok(serde_json::from_value(json!({
            "key": format!("feed:{n}"),
            "platform": "feed",
            "handle": format!("http://w{host}.feeds.example/c{place}/rss.xml"),
            "name": format!("某市某区发布第{n}号"),
            "url": format!("http://w{host}.feeds.example/c{place}/"),
            "sponsor": format!("某市第{n}号机关办公室"),
            "supervisor": format!("某市第{}号主管部门", n / 100),
            "region": region,
            "level": "县级",
            "category": "发布",
            "lifecycle": "running",
            "filed_on": "2020-03-01",
            "opened_on": "2019-06-01",
        }))?)
    };
    let added = (0..accounts).map(entry).collect::<anyhow::Result<Vec<LedgerEntry>>>()?;
    let changes = LedgerChanges { added, ..LedgerChanges::default() };
    store.apply_ledger(&changes, "bench", "a nation's ledger", SystemClock.now()).await?;
    Ok(())
}

/// The daemon with all its work, until the standard input ends.
pub(crate) async fn daemon(place: &Place, port: u32) -> anyhow::Result<()> {
    let mut settings = serve::settings(place);
    settings.fetch.contact = "bench@office.example".to_owned();
    let server = std::net::SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?));
    settings.fetch.connect_to.insert("*.feeds.example".to_owned(), server);
    settings.crawl.hosts_max = HOSTS_AT_ONCE;
    let mut app = App::build(&settings, Arc::new(SystemClock)).await?;
    app.serve();
    app.work().start();
    println!("{}", app.address());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
