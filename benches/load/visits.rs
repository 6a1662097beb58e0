//! What claiming and storing visits costs, and what a day of them leaves behind.

use std::time::Instant;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use xunjian::app::clock::SystemClock;
use xunjian::domain::{AccountId, Clock, Count, Identity, Moment, Origin, Post, Precision};
use xunjian::observe::{Bracket, Observation, Outcome, Source, Span, Visit, Yield};
use xunjian::store::{
    ClaimRequest, Claimed, NextVisit, Rate, Secrets, Store, TargetSpec, Validators, VisitDetails,
    VisitEvidence, VisitRecord, Yields,
};

use crate::verdict::Verdicts;
use crate::{Place, copy, cpu, fleet, statements};

/// Items of one page.
const ITEMS: i64 = 10;
/// Visits a second of 100,000 accounts that are visited 26 times a day.
const VISITS_A_SECOND: f64 = 30.0;
/// As the daemon claims and commits by its defaults.
const CLAIM: u32 = 64;
const CLAIM_PER_HOST: u32 = 20;
const COMMIT_ROWS: usize = 2000;
/// Hosts of portals, columns and message boards; a platform is one host.
const SITES: i64 = 200;
/// Rounds of first visits, and their visits, that are compared with COPY of 2,000 rows at a time.
const ROUNDS: usize = 9;
const ROUND_VISITS: u64 = 4000;
const COPIED_ROWS: i64 = 2000;
/// What visits write.
const TABLES: [&str; 9] = [
    "account_identities",
    "account_samples",
    "account_states",
    "crawl_targets",
    "host_leases",
    "lists",
    "post_samples",
    "posts",
    "visits",
];

pub(crate) async fn measure(
    place: &Place,
    accounts: u32,
    visits: u32,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let store = Store::connect(&place.url, 4, Secrets::unavailable("a bench".into())).await?;
    store.migrate().await?;
    let pool = PgPool::connect(&place.url).await?;
    fleet::fill(&pool, accounts).await?;
    let mut rig = Rig::new(store, place, SystemClock.now())?;
    rig.add_targets(&pool).await?;

    let beside = beside_copy(&pool, &mut rig, place, u64::from(accounts)).await?;
    let BesideCopy { statement, posts, all } = beside;
    verdicts.at_least("COPY of the posts : what writes them in our commits", statement, 0.85, "x");
    verdicts.at_least("COPY of the posts, 2,000 at a time : our whole commits", posts, 0.85, "x");
    verdicts.at_least("COPY of all they write : our whole commits", all, 0.85, "x");
    let later = u64::from(visits.saturating_sub(accounts));
    settle(&pool).await?;
    let fast = rig.visit(later, Pace::Full).await?;
    fast.tell("later visits, as fast as they go");
    tell_tables(&pool).await?;
    settle(&pool).await?;
    let paced = rig.visit((later / 4).clamp(100, 12_000), Pace::Daemon).await?;
    paced.tell("later visits, in the daemon's commits at 30 a second");
    for (what, phase) in [("as fast as they go", &fast), ("at the daemon's pace", &paced)] {
        let share = phase.seconds_a_visit() * VISITS_A_SECOND * 100.0;
        verdicts.at_most(&format!("claim and finish at 30 visits/s, {what}"), share, 2.0, "%");
    }
    let whole = fast.server + fast.ours;
    #[expect(clippy::cast_precision_loss, reason = "counts of visits")]
    let cores = whole / fast.visits as f64 * VISITS_A_SECOND;
    verdicts.at_most("Postgres and daemon together at 30 visits/s", cores, 2.0, "cores");
    Ok(())
}

/// Processor time of COPY, which makes no target due again, knows nothing of what is there already
/// and is fenced by no lease, over that of our commits of some 190 visits with ten new posts each.
struct BesideCopy {
    /// COPY of the posts over the statement that writes them in our commits, of the server alone.
    statement: f64,
    /// COPY of the posts over whole commits, of both sides.
    posts: f64,
    /// COPY of the rows of every table that these commits write over the same.
    all: f64,
}

/// Statements that wrote posts, and their seconds in all.
#[derive(Default)]
struct Written {
    ours: (u32, f64),
    bare: (u32, f64),
    /// Of each round.
    ratios: Vec<f64>,
}

impl Written {
    fn count(&mut self, place: &Place) -> anyhow::Result<()> {
        let (ours, bare) = (self.ours.1, self.bare.1);
        self.ours = statements::counted(place, "copy posts ")?;
        self.bare = statements::counted(place, "copy bare.posts ")?;
        self.ratios.push((self.bare.1 - bare) / (self.ours.1 - ours));
        Ok(())
    }
}

/// The first visits of all accounts.
async fn beside_copy(
    pool: &PgPool,
    rig: &mut Rig,
    place: &Place,
    accounts: u64,
) -> anyhow::Result<BesideCopy> {
    copy::make_twins(pool).await?;
    // Whole commits are a little more; none comes to an account a second time.
    let round = ROUND_VISITS.min(accounts / (ROUNDS as u64 + 1));
    let (mut of_posts, mut of_all, mut rows, mut new) = (Vec::new(), Vec::new(), 0, 0);
    let mut written = Written::default();
    // What cleans up by itself would disturb now one of them, now the other.
    autovacuum(pool, false).await?;
    statements::count(pool, true).await?;
    for _ in 0..ROUNDS {
        settle(pool).await?;
        let before = rig.now;
        let phase = rig.visit(round, Pace::Full).await?;
        let recorded = copy::recorded(pool, before, COPIED_ROWS).await?;
        rows += recorded.rows;
        new += phase.new_posts;
        let (posts, all) = copy::copy(pool, rig.postmaster, recorded).await?;
        let ours = phase.server + phase.ours - phase.claiming;
        of_posts.push(posts / ours);
        of_all.push(all / ours);
        written.count(place)?;
    }
    statements::count(pool, false).await?;
    // What follows would be counted with the cleaning of COPY's tables.
    copy::drop_twins(pool).await?;
    autovacuum(pool, true).await?;
    println!("{rows} rows of {} visits by our commits and by COPY", round * ROUNDS as u64);
    for (who, (number, seconds)) in [("our commits", written.ours), ("COPY alone", written.bare)] {
        #[expect(clippy::cast_precision_loss, reason = "counts of posts")]
        let each = seconds / new as f64 * 1e6;
        println!("{new} posts in {number} statements of {who}: Postgres {each:.1} us each");
    }
    let done = round * ROUNDS as u64;
    if accounts > done {
        let rest = rig.visit(accounts - done, Pace::Full).await?;
        rest.tell("first visits, ten new posts each");
    }
    Ok(BesideCopy {
        statement: cpu::median(written.ratios),
        posts: cpu::median(of_posts),
        all: cpu::median(of_all),
    })
}

/// How many visits come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Whole claims, full commits.
    Full,
    /// What becomes due and is finished while one commit waits.
    Daemon,
}

/// What some visits cost.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    pub(crate) visits: u64,
    pub(crate) new_posts: u64,
    commits: u64,
    pub(crate) server: f64,
    pub(crate) ours: f64,
    /// The claims' part of both.
    claiming: f64,
    wall: f64,
}

impl Phase {
    #[expect(clippy::cast_precision_loss, reason = "counts of visits")]
    fn seconds_a_visit(&self) -> f64 {
        (self.server + self.ours) / self.visits as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of visits")]
    fn tell(&self, what: &str) {
        let microseconds = |seconds: f64| seconds / self.visits as f64 * 1e6;
        println!(
            "{what}: {} visits, {} new posts, {} commits; Postgres {:.0} us, ours {:.0} us each, of \
             both {:.0} us in claims; {:.0} visits/s",
            self.visits,
            self.new_posts,
            self.commits,
            microseconds(self.server),
            microseconds(self.ours),
            microseconds(self.claiming),
            self.visits as f64 / self.wall
        );
    }
}

/// A daemon's claims and commits without its fetches, on a clock of its own.
pub(crate) struct Rig {
    store: Store,
    postmaster: u32,
    now: DateTime<Utc>,
}

impl Rig {
    fn new(store: Store, place: &Place, now: DateTime<Utc>) -> anyhow::Result<Self> {
        Ok(Self { store, postmaster: place.postmaster()?, now })
    }

    async fn add_targets(&mut self, pool: &PgPool) -> anyhow::Result<()> {
        let accounts: Vec<(i64, String)> =
            sqlx::query_as("select id, platform from accounts where in_ledger order by id")
                .fetch_all(pool)
                .await?;
        let specs: Vec<TargetSpec> = accounts
            .into_iter()
            .map(|(id, platform)| TargetSpec {
                account: AccountId(id),
                page: "timeline".into(),
                part: "all".into(),
                host: match platform.as_str() {
                    "portal" | "feed" | "board" => format!("www{}.gov.example", id % SITES),
                    platform => format!("m.{platform}.example"),
                },
                is_canary: false,
                speaks: true,
                address: None,
            })
            .collect();
        self.store.sync_targets(&specs, self.now).await?;
        sqlx::query("vacuum analyze crawl_targets").execute(pool).await?;
        Ok(())
    }

    /// Claims and finishes so many visits; only claiming and finishing is counted.
    pub(crate) async fn visit(&mut self, visits: u64, pace: Pace) -> anyhow::Result<Phase> {
        let mut phase = Phase::default();
        let (server, begun) = (cpu::server(self.postmaster)?, Instant::now());
        while phase.visits < visits {
            let mut records: Vec<VisitRecord> = Vec::new();
            while records.len() * 11 < self.commit_rows(pace) {
                let (theirs, before) = (cpu::server(self.postmaster)?, cpu::own()?);
                let claimed = self.claim(pace).await?;
                let ours = cpu::own()? - before;
                phase.ours += ours;
                phase.claiming += ours + cpu::server(self.postmaster)? - theirs;
                if claimed.is_empty() {
                    if !records.is_empty() {
                        break;
                    }
                    // Nothing is due at this instant of the rig's clock.
                    self.now += TimeDelta::minutes(5);
                }
                // The time that these visits take at 30 a second.
                self.now += TimeDelta::milliseconds(33 * i64::try_from(claimed.len())?);
                records.extend(claimed.iter().map(|one| record(one, self.now)));
            }
            let before = cpu::own()?;
            let report = self.store.finish(&records).await?;
            phase.ours += cpu::own()? - before;
            if report.written != records.len() || !report.fenced.is_empty() {
                bail!("{} of {} visits were stored", report.written, records.len());
            }
            phase.visits += report.written as u64;
            phase.new_posts += report.discovered.len() as u64;
            phase.commits += 1;
        }
        phase.server = cpu::server(self.postmaster)? - server;
        phase.wall = begun.elapsed().as_secs_f64();
        Ok(phase)
    }

    fn commit_rows(&self, pace: Pace) -> usize {
        match pace {
            Pace::Full => COMMIT_ROWS,
            Pace::Daemon => 1,
        }
    }

    async fn claim(&self, pace: Pace) -> anyhow::Result<Vec<Claimed>> {
        let delay =
            f64::from(u32::try_from(xunjian::jobs::Settings::default().commit_delay_ms_max)?);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let limit = match pace {
            Pace::Full => CLAIM,
            Pace::Daemon => (VISITS_A_SECOND * delay / 1000.0).round().max(1.0) as u32,
        };
        let request = ClaimRequest {
            owner: "bench",
            now: self.now,
            lease: TimeDelta::minutes(15),
            limit,
            per_host: CLAIM_PER_HOST,
            new_hosts: None,
            busy_hosts: &[],
            within_budget: true,
            accounts: None,
        };
        self.store.claim(&request).await.context("claiming")
    }
}

/// Hours between two posts of an account, 4 to 99: three posts a day at most, one in ten visits of
/// an hour finds one.
fn hours_between(account: i64) -> i64 {
    4 + account * 7919 % 96
}

/// Likes of a post of so many hours: much in the first hours, little later.
fn likes(account: i64, hours: i64) -> u64 {
    let bits = u64::from((hours + 1).max(1).ilog2());
    bits * (1 + account.unsigned_abs() % 7)
}

fn record(claimed: &Claimed, now: DateTime<Utc>) -> VisitRecord {
    let account = claimed.account.0;
    let between = TimeDelta::hours(hours_between(account));
    let hour = now.timestamp() / 3600;
    let newest = hour / between.num_hours();
    let posts: Vec<Post> = (0..ITEMS)
        .map(|back| {
            let number = newest - back;
            let at = number * between.num_hours() * 3600 + account % 3600;
            let at = DateTime::from_timestamp(at, 0).unwrap_or_default().min(now);
            post(account, number, at, (now - at).num_hours())
        })
        .collect();
    let low = posts.last().and_then(|post| post.published).map_or(now, |oldest| oldest.at);
    let high = posts.first().and_then(|post| post.published).map_or(now, |newest| newest.at);
    let observation = Observation {
        as_of: now,
        span: Some(Span { low, high: now }),
        bracket: Some(Bracket { older: low, newer: high }).filter(|one| one.older < one.newer),
        claims_shift_seconds: 0,
        exhausted: false,
        empty: false,
        confirming: true,
        posts_total: None,
        new_items: 0,
        upstream_success: None,
        registered_at: None,
    };
    let reading = Yield {
        at: now,
        adapter: "sha256:5b1d7c1ae41ab0".into(),
        read: true,
        items: 10,
        dated: 10,
        named: 10,
        counted: 10,
        identified: true,
    };
    let mut readings = claimed.yields.clone();
    readings.push(reading);
    let readings = readings.split_off(readings.len().saturating_sub(10));
    VisitRecord {
        account: claimed.account,
        host: Some(claimed.host.clone()),
        lease: Some(claimed.lease.clone()),
        visit: Visit {
            page: claimed.page.as_str().into(),
            part: claimed.part.as_str().into(),
            started_at: now,
            recorded_at: now,
            adapter: "sha256:5b1d7c1ae41ab0".into(),
            source: Source::Crawl,
            items: 10,
            outcome: Outcome::Observed(observation),
        },
        status: Some(200),
        bytes: Some(32_000),
        duration_ms: Some(150),
        body_digest: Some(format!("sha256:{:064x}", now.timestamp_micros() + account)),
        seen_at: now,
        identity: Some(Identity {
            handle: Some(claimed.handle.clone()),
            name: Some("某市某区发布".into()),
            followers: Some(Count::Exact(account.unsigned_abs() * 37 % 900_001)),
            ..Identity::default()
        }),
        posts,
        inquiries: Vec::new(),
        details: VisitDetails {
            yields: Some(Yields { readings, fell: Some(false) }),
            ..VisitDetails::default()
        },
        look: None,
        next: Some(NextVisit {
            due_at: now + TimeDelta::minutes(55),
            validators: Validators { etag: Some("\"5b1d7c1a\"".into()), last_modified: None },
            rate: Some(Rate { alpha: 3.0, beta: 2.0 }),
            rhythm: Some(vec![7; 8 + 4 * 40]),
            capacity: Some(10),
            deadline_at: None,
            purpose: Some("posts"),
            held_back: false,
        }),
        evidence: VisitEvidence::Nothing,
    }
}

fn post(account: i64, number: i64, at: DateTime<Utc>, hours: i64) -> Post {
    let name = account.unsigned_abs() * 1_000_003 + number.unsigned_abs();
    Post {
        reference: Some(format!("{name}")),
        url: Some(format!("https://m.platform.example/status/{name}")),
        title: Some(format!("关于做好第{number}号事项有关工作的通知")),
        text_digest: Some(format!("sha256:{name:064x}")),
        text_simhash: Some(format!("{name:016x}")),
        published: Some(Moment { at, precision: Precision::Second }),
        published_text: Some(at.format("%Y-%m-%d %H:%M:%S").to_string()),
        origin: Origin::Original,
        likes: Some(Count::Exact(likes(account, hours))),
        comments: Some(Count::Exact(likes(account, hours) / 5)),
        shares: Some(Count::Exact(likes(account, hours) / 9)),
        ..Post::default()
    }
}

async fn autovacuum(pool: &PgPool, on: bool) -> anyhow::Result<()> {
    let statement = format!("alter system set autovacuum = {on}");
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    sqlx::query("select pg_reload_conf()").execute(pool).await?;
    Ok(())
}

/// Cleans up what the phase before left, so that each pays for its own dead rows alone.
async fn settle(pool: &PgPool) -> anyhow::Result<()> {
    for table in TABLES {
        sqlx::query(AssertSqlSafe(format!("vacuum (analyze) {table}"))).execute(pool).await?;
    }
    Ok(())
}

/// Name, living and dead rows, bytes of heap and indexes, updates, those in their page, vacuums.
type TableRow = (String, i64, i64, i64, i64, i64, i64, i64);

/// Sizes, dead rows, and how many updates stayed in their page.
async fn tell_tables(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::query("select pg_stat_force_next_flush()").execute(pool).await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let rows: Vec<TableRow> = sqlx::query_as(
        "select coalesce(p.relname, c.relname)::text as name, sum(s.n_live_tup)::bigint,
             sum(s.n_dead_tup)::bigint, sum(pg_relation_size(c.oid))::bigint,
             sum(pg_indexes_size(c.oid))::bigint, sum(s.n_tup_upd)::bigint,
             sum(s.n_tup_hot_upd)::bigint, sum(s.autovacuum_count)::bigint
         from pg_class c join pg_stat_user_tables s on s.relid = c.oid
             left join pg_inherits i on i.inhrelid = c.oid
             left join pg_class p on p.oid = i.inhparent
         where coalesce(p.relname, c.relname) = any($1) and s.schemaname = 'public'
         group by 1 order by 1",
    )
    .bind(TABLES.as_slice())
    .fetch_all(pool)
    .await?;
    println!(
        "{:<16} {:>10} {:>9} {:>9} {:>9} {:>7} {:>7} {:>7} {:>8}",
        "table", "rows", "dead", "heap MB", "index MB", "B/row", "dead %", "HOT %", "vacuumed"
    );
    for (name, live, dead, heap, index, updated, hot, vacuumed) in rows {
        #[expect(clippy::cast_precision_loss, reason = "sizes")]
        let f = |number: i64| number as f64;
        println!(
            "{name:<16} {live:>10} {dead:>9} {:>9.1} {:>9.1} {:>7.0} {:>7.1} {:>7.1} {vacuumed:>8}",
            f(heap) / 1e6,
            f(index) / 1e6,
            f(heap + index) / f(live.max(1)),
            100.0 * f(dead) / f((live + dead).max(1)),
            100.0 * f(hot) / f(updated.max(1)),
        );
    }
    Ok(())
}
