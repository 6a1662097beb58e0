//! From the request to the stored row: our pages beside the bare parts, and beside Scrapy.

use std::io::{BufRead, Read};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use flate2::read::GzDecoder;
use futures::{StreamExt, TryStreamExt};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use xunjian::app::Jobs;
use xunjian::app::clock::SystemClock;
use xunjian::domain::Clock;
use xunjian::jobs::crawl::{Running, Until, sync_targets, work};
use xunjian::store::{Secrets, Store, Which};

use crate::helper::Helper;
use crate::verdict::Verdicts;
use crate::{Place, bare, column, cpu, serve};

/// Over how many hosts the pages are spread: as many as the daemon asks at once as it is shipped.
const HOSTS: u32 = 64;
/// How many pages the bare client asks for at once, as Scrapy does as it is shipped.
const AT_ONCE: usize = 16;
/// Rounds: the first finds every post new, each further one of them.
const ROUNDS: usize = 4;
/// And further ones that keep no evidence: fetch, extraction and store alone.
const WITHOUT_EVIDENCE: usize = 3;
/// Rows of a bare upsert.
const ROWS: usize = 2_000;

/// Visits so many columns once and then again, and takes the same values of as many by hand.
pub(crate) async fn measure(
    place: &Place,
    pages: u32,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let store = Store::connect(&place.url, 2, Secrets::unavailable("a bench".into())).await?;
    store.migrate().await?;
    let pool = PgPool::connect(&place.url).await?;
    register(&pool, pages).await?;
    let mut server = Helper::start(&["pages", "-", "-", "0"])?;
    let port = server.line()?;
    let folder = place.folder.to_str().context("a folder with a name")?;
    let mut crawler = Helper::start(&["crawler", &place.url, folder, &port])?;
    crawler.line()?;
    let ours = rounds(place, &pool, &mut crawler, (pages, ROUNDS)).await?;
    crawler.end()?;
    let mut crawler = Helper::start(&["crawler", &place.url, folder, &port, "without-evidence"])?;
    crawler.line()?;
    let alone = rounds(place, &pool, &mut crawler, (pages, WITHOUT_EVIDENCE)).await?;
    crawler.end()?;
    check(&pool, pages).await?;
    let bare = Bare::measure(place, &pool, &port, pages).await?;
    for (at, name) in
        ["first visits, forty new posts", "later visits, one new post"].iter().enumerate()
    {
        let whole = if at == 0 { ours[0] } else { cpu::median(ours[1..].to_vec()) };
        let [fetch, extract] = [bare.fetch, bare.extract];
        let upsert = bare.upserts[at];
        println!(
            "{name}: ours {whole:.0} us a page; bare {:.0} us: fetch {fetch:.0}, extract {extract:.0}, \
             upsert {upsert:.0}",
            fetch + extract + upsert
        );
        let what = format!("pages a core-second, {name} : bare parts");
        verdicts.at_least(&what, (fetch + extract + upsert) / whole, 0.75, "x");
    }
    let fields = scrapy(&port, pages, &["fields"])?;
    let theirs = scrapy(&port, pages, &[])?;
    println!(
        "Scrapy, fetch and extraction alone: {theirs:.0} us a page; three fields alone: \
         {fields:.0} us"
    );
    let (later, alone) = (cpu::median(ours[1..].to_vec()), cpu::median(alone));
    let what = "fetch, extraction and store of later visits : Scrapy";
    verdicts.at_least(what, theirs / alone, 3.5, "x");
    println!(
        "the same with evidence: {:.2} x; where Scrapy takes three fields alone: {:.2} x, with \
         evidence {:.2} x",
        theirs / later,
        fields / alone,
        fields / later
    );
    server.end()?;
    Ok(())
}

/// Microseconds a page of each of so many rounds, the database's included.
async fn rounds(
    place: &Place,
    pool: &PgPool,
    crawler: &mut Helper,
    (pages, count): (u32, usize),
) -> anyhow::Result<Vec<f64>> {
    let mut rounds = Vec::new();
    for round in 0..count {
        let (own, server) = (cpu::of(crawler.id())?, cpu::server(place.postmaster()?)?);
        let visited: u32 = crawler.ask("round")?.parse()?;
        let own = (cpu::of(crawler.id())? - own) / f64::from(visited) * 1e6;
        let server = (cpu::server(place.postmaster()?)? - server) / f64::from(visited) * 1e6;
        println!(
            "round {}: {visited} pages, ours {own:.0} us, Postgres {server:.0} us each",
            round + 1
        );
        // Each host has a home page of its own, which is asked for once a day.
        ensure!((pages..=pages + HOSTS + 8).contains(&visited), "{visited} of {pages} pages");
        rounds.push(own + server);
        // As autovacuum does once it comes round.
        sqlx::query("vacuum analyze").execute(pool).await?;
    }
    Ok(rounds)
}

/// Every visit must have read its page, and each found its posts.
async fn check(pool: &PgPool, pages: u32) -> anyhow::Result<()> {
    let read: i64 = sqlx::query_scalar(
        "select count(*) from visits where outcome = 'observed' and page = 'list'",
    )
    .fetch_one(pool)
    .await?;
    let posts: i64 = sqlx::query_scalar("select count(*) from posts").fetch_one(pool).await?;
    let rounds = i64::try_from(ROUNDS + WITHOUT_EVIDENCE)?;
    let rounds_read = i64::from(pages) * rounds;
    ensure!(read == rounds_read, "{read} of {rounds_read} visits observed their page");
    let wanted = i64::from(pages) * (39 + rounds);
    ensure!(posts == wanted, "{posts} posts, not {wanted}");
    Ok(())
}

async fn register(pool: &PgPool, pages: u32) -> anyhow::Result<()> {
    sqlx::query("insert into units (name) values ('某市某局')").execute(pool).await?;
    sqlx::query(
        "with added as (
             insert into accounts (key, platform, handle, name, sponsor_id, region, category,
                 lifecycle, created_at, updated_at)
             select 'portal:' || n, 'portal',
                 'http://w' || n % $2 || '.pages.example/c' || n || '/index.html',
                 '某市某局第' || n || '栏', (select min(id) from units), '110101', '发布', 'running',
                 now(), now()
             from generate_series(0, $1 - 1) as n
             returning id
         )
         insert into account_states (account_id) select id from added",
    )
    .bind(i32::try_from(pages)?)
    .bind(i32::try_from(HOSTS)?)
    .execute(pool)
    .await?;
    Ok(())
}

/// Visits everything once for each line of the standard input.
pub(crate) async fn crawler(place: &Place, port: u32, keeps_evidence: bool) -> anyhow::Result<()> {
    let mut settings = serve::settings(place);
    settings.evidence.enabled = keeps_evidence;
    settings.fetch.contact = "bench@office.example".to_owned();
    let server = std::net::SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?));
    settings.fetch.connect_to.insert("*.pages.example".to_owned(), server);
    settings.fetch.limits.insert(
        "*.pages.example".to_owned(),
        xunjian::fetch::HostLimit { per_minute: 1e6, ..xunjian::fetch::HostLimit::default() },
    );
    let jobs = Jobs::open(&settings, Arc::new(SystemClock)).await?;
    let context = jobs.context();
    sync_targets(context).await?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        line?;
        let count = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = count.clone();
        let quietly = Running::quietly(CancellationToken::new(), CancellationToken::new());
        let running = Running {
            on_visit: Arc::new(move |_, _| {
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }),
            ..quietly
        };
        context.store.make_due(Which::Ordinary, context.clock.now()).await?;
        work(context.clone(), running, Until::Idle).await?;
        println!("{}", count.load(std::sync::atomic::Ordering::Relaxed));
    }
    jobs.close().await?;
    Ok(())
}

/// Microseconds a page of the parts that a program for this one page would have.
struct Bare {
    fetch: f64,
    extract: f64,
    /// Of forty rows that are new, and of forty of which one is.
    upserts: [f64; 2],
}

impl Bare {
    async fn measure(place: &Place, pool: &PgPool, port: &str, pages: u32) -> anyhow::Result<Self> {
        let page = f64::from(pages);
        let began = cpu::own()?;
        // It wants one even where nothing is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build()?;
        let lengths: Vec<usize> = futures::stream::iter(0..pages)
            .map(|number| fetched(&client, port, number))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let fetch = (cpu::own()? - began) / page * 1e6;
        ensure!(lengths.iter().all(|length| *length > 100_000), "pages came short");

        let body = &column::editions()[0].0;
        let began = cpu::thread()?;
        for _ in 0..pages {
            ensure!(std::hint::black_box(bare::column(body)).len() == 40, "forty entries");
        }
        let extract = (cpu::thread()? - began) / page * 1e6;

        sqlx::raw_sql(
            "create table bare_posts (account_id bigint, ref text, title text, claimed_at date,
                 first_seen timestamptz not null, last_seen timestamptz not null,
                 primary key (account_id, ref));
             create index on bare_posts (account_id, claimed_at)",
        )
        .execute(pool)
        .await?;
        let mut upserts = [0.0; 2];
        for (edition, took) in upserts.iter_mut().enumerate() {
            let entries = bare::column(&column::editions()[edition].0);
            let (own, server) = (cpu::own()?, cpu::server(place.postmaster()?)?);
            upsert(pool, &entries, pages).await?;
            let server = cpu::server(place.postmaster()?)? - server;
            *took = (cpu::own()? - own + server) / page * 1e6;
        }
        Ok(Self { fetch, extract, upserts })
    }
}

async fn fetched(client: &reqwest::Client, port: &str, number: u32) -> anyhow::Result<usize> {
    let address = format!("http://127.0.0.1:{port}/bare{number}/index.html");
    let packed =
        client.get(address).header("accept-encoding", "gzip").send().await?.bytes().await?;
    let mut body = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut body)?;
    Ok(body.len())
}

async fn upsert(pool: &PgPool, entries: &[[String; 3]], pages: u32) -> anyhow::Result<()> {
    let rows: Vec<(i64, &[String; 3])> = (0..pages)
        .flat_map(|page| entries.iter().map(move |entry| (i64::from(page), entry)))
        .collect();
    for rows in rows.chunks(ROWS) {
        let column = |at: usize| rows.iter().map(|row| row.1[at].clone()).collect::<Vec<_>>();
        sqlx::query(
            "insert into bare_posts
             select n.*, $5, $5 from unnest($1::bigint[], $2::text[], $3::text[], $4::date[]) n
             on conflict (account_id, ref) do update set title = excluded.title,
                 last_seen = excluded.last_seen",
        )
        .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(column(0))
        .bind(column(1))
        .bind(
            rows.iter()
                .map(|row| row.1[2].parse::<chrono::NaiveDate>())
                .collect::<Result<Vec<_>, _>>()?,
        )
        .bind(SystemClock.now())
        .execute(pool)
        .await?;
    }
    Ok(())
}

/// Microseconds a page of Scrapy.
fn scrapy(port: &str, pages: u32, words: &[&str]) -> anyhow::Result<f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load_scrapy.py");
    let mut command = Command::new("python3");
    let output = command.arg(script).arg(port).arg(pages.to_string()).args(words).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
