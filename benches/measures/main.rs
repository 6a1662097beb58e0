//! Measures of a quarter over a whole nation, beside one SQL aggregate over the same rows.
//!
//! `--url postgres://… [--accounts 100000] [--posts 10000000] [--rounds 3] [--program FILE]
//! [--place FOLDER]`; `benches/measures.sh` starts a scratch server and passes its address. The
//! database is filled once: posts of a year in time order, a quarter of which is measured. SQL and
//! Rust alternate; both must find the same posts and days. Where the program is given, the rest is
//! filled in, all measures are computed by the program's own way, and it scores, freezes and verifies
//! the quarter, each beside the same SQL.

mod all;
mod command;
mod fill;
mod rest;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use tokio::task::JoinSet;
use xunjian::app::clock::SystemClock;
use xunjian::calendar::Calendar;
use xunjian::domain::{Clock as _, Origin};
use xunjian::scheme::IndexCatalog;
use xunjian::score::{
    Period, PeriodFacts, PostFact, Reading, Stretch, SubjectFact, Tables, readings_of,
};
use xunjian::store::{FactsOf, PeriodPost, SHARES, Secrets, Store};

/// The measures that rest on posts alone.
const POST_MEASURES: [&str; 16] = [
    "posts",
    "posts_per_week",
    "original_posts",
    "original_share",
    "active_days",
    "longest_gap_days",
    "silent_days",
    "weeks_without_post",
    "posting_weeks_share",
    "likes",
    "comments",
    "shares",
    "interactions_per_post",
    "text_posts",
    "late_posts",
    "burst_share",
];

/// So many shares are read at once: while one is measured another arrives.
const AT_ONCE: usize = 2;

/// Count, distinct days, longest gap, median and sum: five figures an account, none from JSON.
const AGGREGATE: &str = "
    select count(*), sum(posts)::bigint, sum(days)::bigint, max(gap), sum(median), sum(total)
    from (
        select account_id, count(*) as posts,
            count(distinct (claimed_at at time zone 'Asia/Shanghai')::date) as days,
            max(gap) as gap,
            percentile_cont(0.5) within group (order by seconds) as median,
            sum(seconds) as total
        from (
            select account_id, claimed_at, extract(epoch from last_seen - first_seen)::float8
                    as seconds,
                claimed_at - lag(claimed_at) over (partition by account_id order by claimed_at)
                    as gap
            from posts where claimed_at >= $1 and claimed_at < $2
        ) p group by account_id
    ) a";

struct Arguments {
    url: String,
    accounts: i64,
    posts: i64,
    rounds: usize,
    /// The program whose commands are measured.
    program: Option<String>,
    /// A folder for what they write.
    place: PathBuf,
    /// Days between two visits of an account.
    visit_days: i32,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut read = Self {
            url: String::new(),
            accounts: 100_000,
            posts: 10_000_000,
            rounds: 3,
            program: None,
            place: std::env::temp_dir(),
            visit_days: rest::VISIT_DAYS,
        };
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--url" => read.url = value,
                "--accounts" => read.accounts = value.parse().context("--accounts")?,
                "--posts" => read.posts = value.parse().context("--posts")?,
                "--rounds" => read.rounds = value.parse().context("--rounds")?,
                "--program" => read.program = Some(value),
                "--place" => read.place = value.into(),
                "--visit-days" => read.visit_days = value.parse().context("--visit-days")?,
                other => bail!("unknown {other}"),
            }
        }
        if read.url.is_empty() || read.accounts < 1 || read.posts < read.accounts {
            bail!("--url is needed, and at least one post an account");
        }
        Ok(read)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("measures: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let store = Store::connect(&arguments.url, 4, Secrets::unavailable("a bench".into())).await?;
    store.migrate().await?;
    let pool = PgPool::connect(&arguments.url).await?;
    fill::fill(&pool, arguments.accounts, arguments.posts).await?;
    let period: Period = "2026Q3".parse().map_err(anyhow::Error::msg)?;
    // All that was posted in the quarter is written down a day later.
    let known_at = period.to() + TimeDelta::days(1);
    let (from, to) = (period.from(), period.to());
    let of = FactsOf { since: from, asked_from: from, from, to, known_at };
    let (mut sql, mut ours) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let (row, seconds) = aggregate(&pool, of).await?;
        sql.push(seconds);
        let begun = Instant::now();
        let found = post_measures(&store, period, of).await?;
        ours.push(begun.elapsed().as_secs_f64());
        if found != row {
            bail!("SQL finds {row:?} accounts, posts and days, Rust {found:?}");
        }
        println!("round {round}: SQL {:.2} s, Rust {:.2} s", sql[round], ours[round]);
    }
    let (sql, ours) = (median(sql), median(ours));
    println!(
        "{} accounts, {} posts: post measures {:.2} x the SQL aggregate ({ours:.2} s : {sql:.2} s)",
        arguments.accounts,
        arguments.posts,
        ours / sql
    );
    println!("memory at most {} MB", command::resident_max_kb("/proc/self/status")? / 1024);
    if let Some(program) = &arguments.program {
        rest::fill(&pool, arguments.visit_days).await?;
        let begun = Instant::now();
        // As housekeeping does when a month has ended.
        let months = store.pack_months(SystemClock.now()).await?;
        println!("{months} months packed in {:.1} s", begun.elapsed().as_secs_f64());
        all_measures(&pool, &arguments, period, of).await?;
        whole(&pool, &arguments, program, of).await?;
    }
    Ok(())
}

/// Every measure of the catalogue over the whole quarter, after the aggregate each time.
async fn all_measures(
    pool: &PgPool,
    arguments: &Arguments,
    period: Period,
    of: FactsOf,
) -> anyhow::Result<()> {
    let jobs = all::open(&arguments.url, &arguments.place).await?;
    let (mut sql, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let (row, seconds) = aggregate(pool, of).await?;
        sql.push(seconds);
        let (found, seconds) = all::measures(&jobs, period).await?;
        ours.push(seconds);
        if found != row {
            bail!("SQL finds {row:?} accounts, posts and days, all measures {found:?}");
        }
    }
    jobs.close().await?;
    let (sql, ours) = (median(sql), median(ours));
    println!(
        "all measures: {:.2} x the SQL aggregate ({ours:.2} s : {sql:.2} s), at most {} MB",
        ours / sql,
        command::resident_max_kb("/proc/self/status")? / 1024
    );
    Ok(())
}

/// The program's commands over the whole quarter, each after the aggregate.
async fn whole(
    pool: &PgPool,
    arguments: &Arguments,
    program: &str,
    of: FactsOf,
) -> anyhow::Result<()> {
    let place = &arguments.place;
    let bundle = place.join("bundle.jsonl");
    let bundle = bundle.to_str().context("the folder's name")?;
    let score: &[&str] = &["score", "--period", "2026Q3", "--format", "csv"];
    let freeze: &[&str] = &["assessment", "freeze", "--period", "2026Q3", "--actor", "某人"];
    let export: &[&str] = &["assessment", "export", "--period", "2026Q3", "--out", bundle];
    let verify: &[&str] = &["assessment", "verify", "--bundle", bundle];
    let rounds = std::iter::repeat_n(score, arguments.rounds);
    for words in rounds.chain([freeze, export, verify]) {
        let sql = aggregate(pool, of).await?.1;
        let cost = command::run(program, &arguments.url, place, words)?;
        println!(
            "{}: {:.1} s ({:.1} s of its own), {:.2} x the SQL aggregate ({sql:.2} s), at most {} MB",
            words[..2].join(" "),
            cost.seconds,
            cost.own_seconds,
            cost.seconds / sql,
            cost.memory_kb / 1024
        );
    }
    println!("the bundle: {} MB", Path::new(bundle).metadata()?.len() / 1_000_000);
    Ok(())
}

/// What the aggregate finds, and the seconds that it takes.
async fn aggregate(pool: &PgPool, of: FactsOf) -> anyhow::Result<((i64, i64, i64), f64)> {
    let begun = Instant::now();
    let row = sqlx::query_as(AGGREGATE).bind(of.from).bind(of.to).fetch_one(pool).await?;
    Ok((row, begun.elapsed().as_secs_f64()))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Accounts with a post, posts and days with a post, over every account's measures.
async fn post_measures(
    store: &Store,
    period: Period,
    of: FactsOf,
) -> anyhow::Result<(i64, i64, i64)> {
    let mut all = (0, 0, 0);
    let mut at_work = JoinSet::new();
    for share in 0..SHARES + AT_ONCE {
        if share >= AT_ONCE {
            let (accounts, posts, days) = at_work.join_next().await.context("a share")???;
            all = (all.0 + accounts, all.1 + posts, all.2 + days);
        }
        if share < SHARES {
            at_work.spawn(share_measures(store.clone(), period, of, share));
        }
    }
    Ok(all)
}

/// The same over a share of the accounts.
async fn share_measures(
    store: Store,
    period: Period,
    of: FactsOf,
    share: usize,
) -> anyhow::Result<(i64, i64, i64)> {
    let (calendar, indices) = (Calendar::default(), IndexCatalog::default());
    let tables = Tables { calendar: &calendar, indices: &indices };
    let mut found = (0, 0, 0);
    let mut rows: Vec<PeriodPost> = Vec::new();
    store.period_posts(of, share, |row| rows.push(row)).await?;
    // Rows are large: what is sorted is their accounts.
    rows.sort_by_cached_key(|row| row.account);
    for posts in rows.chunk_by(|a, b| a.account == b.account) {
        let facts = facts(period, of.to, posts);
        let readings = readings_of(&POST_MEASURES, &facts, tables);
        let value = |at: usize| match &readings[at] {
            Reading::Known(quantity) => quantity.value,
            Reading::Unknown(_) => f64::NAN,
        };
        #[expect(clippy::cast_possible_truncation, reason = "counts of a quarter")]
        let (posts, days) = (value(0) as i64, value(4) as i64);
        found = (found.0 + i64::from(posts > 0), found.1 + posts, found.2 + days);
    }
    Ok(found)
}

fn facts(period: Period, cutoff: DateTime<Utc>, posts: &[PeriodPost]) -> PeriodFacts {
    let post = |row: &PeriodPost| PostFact {
        published: PostFact::published(row.claimed, row.first_seen, row.seen_before),
        original: match row.origin {
            Origin::Original => Some(true),
            Origin::Repost => Some(false),
            Origin::Unknown => None,
        },
        reads: row.reads.clone(),
        likes: row.likes.clone(),
        comments: row.comments.clone(),
        shares: row.shares.clone(),
        form: row.form,
        title: None,
        text_digest: None,
        late: row.late,
        aged: Vec::new(),
    };
    PeriodFacts {
        period,
        cutoff,
        existed_from: None,
        existed_until: None,
        covered: vec![Stretch { from: period.from(), to: period.to() }],
        posts: posts.iter().map(post).collect(),
        inquiries: None,
        followers: None,
        followers_before: None,
        subject: SubjectFact::default(),
        silence: None,
        entered: std::collections::BTreeMap::new(),
        record: None,
    }
}
