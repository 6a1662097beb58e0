//! The demonstration from end to end: the simulated city, the daemon with its own Postgres, its
//! pages, a real Prometheus and the boards.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use chrono::{DateTime, NaiveDate, Utc};
use futures::TryStreamExt;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xunjian::cli::demo::{Demo, HOST_LIMIT};
use xunjian::domain::{Activity, Moment, Standing, shanghai_date};
use xunjian::jobs::findings::look;
use xunjian::jobs::score::{Judging, cards, compare};
use xunjian::score::Period;
use xunjian::settings::Settings;
use xunjian::simulator::{Arrival, Character, City, Correspondence};
use xunjian::store::{FindingFilter, HeardInquiry};

use crate::metrics::assert_passes;
use crate::panels_office;
use crate::panels_prometheus::Prometheus;
use crate::support::shipped;

const ACCOUNTS: usize = 240;

/// How far apart the moments of leaving and of arriving may be, in seconds: machines stutter.
const STUTTER_SECONDS: f64 = 2.0;

fn settings(folder: &TempDir) -> Settings {
    let mut settings = shipped(folder.path());
    settings.notify.send_from_hour = 0;
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_demo_finds_out_the_truth_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let today = "2026-11-22T02:30:00Z".parse().unwrap();
    let mut demo = Demo::start(settings(&folder), 339_900, ACCOUNTS, today).await.unwrap();
    let address = demo.serve();
    let watching = async {
        demo.watch_days().await.unwrap();
        demo.app().work().start();
    };
    let (prometheus, ()) = tokio::join!(Prometheus::watch(address, 4), watching);

    let standings = demo.app().jobs().store.standings(u32::MAX, None, None).await.unwrap();
    assert_eq!(standings.len(), ACCOUNTS);
    assert_eq!(demo.differences().await.unwrap(), [""; 0]);
    verdicts_are_the_truth(&standings, demo.simulator().city(), &demo);
    findings_rest_on_proof(&standings, &demo).await;
    limits_are_kept(&demo.simulator().requests());
    scores_are_explained(&demo).await;
    responsiveness_is_the_truth(&demo).await;

    pages_answer(address).await;
    panels_office::boards_answer(&demo, &folder.path().join("data"), &prometheus).await;
    drop(prometheus);
    demo.stop().await.unwrap();
}

/// Of what can be seen, all is seen as it is; of everything else, nothing is claimed.
fn verdicts_are_the_truth(standings: &[Standing], city: &City, demo: &Demo) {
    let now = demo.app().jobs().clock.now();
    let mut wrong = Vec::new();
    let mut judged = BTreeMap::<&str, usize>::new();
    for standing in standings {
        *judged.entry(standing.activity.as_str()).or_default() += 1;
        let truth = city.truth(&standing.key, now).unwrap();
        let character = city.character(&standing.key).unwrap();
        let right = match standing.activity {
            Activity::Undetermined(reason) => truth.reasons.contains(&reason),
            proven => truth.observable && !character.is_hidden() && proven == truth.activity,
        };
        if !right {
            wrong.push(format!(
                "{} {} {character:?}: {:?}, in truth {truth:?}",
                standing.key, standing.platform, standing.activity
            ));
        }
        let comes_and_goes = matches!(character, Character::RateLimiting | Character::Backdating)
            || matches!(standing.platform.as_str(), "feed");
        let told = !matches!(standing.activity, Activity::Undetermined(_));
        if truth.observable && !told && !comes_and_goes {
            wrong.push(format!("{} {character:?}: {:?}", standing.key, standing.activity));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let words = ["active", "watch", "dormant", "zombie", "empty", "gone", "undetermined"];
    assert!(words.iter().all(|word| judged.contains_key(word)), "{judged:?}");
}

/// Each proven silence has exactly one finding of a rule about silence, of its own tier; of what
/// could not be judged, or is active, none is raised, however often one looks.
async fn findings_rest_on_proof(standings: &[Standing], demo: &Demo) {
    let jobs = demo.app().jobs();
    for _ in 0..2 {
        look(jobs).await.unwrap();
    }
    let wanted = FindingFilter { limit: u32::MAX, ..FindingFilter::default() };
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for record in jobs.store.findings(&wanted).await.unwrap() {
        let rule = record.found.rule;
        let silent = ["not_updated", "empty_shell", "gone_but", "closing_silent"];
        if silent.iter().any(|start| rule.starts_with(start)) {
            found.entry(record.key.unwrap()).or_default().push(rule);
        }
    }
    for standing in standings {
        let rules = found.remove(&standing.key).unwrap_or_default();
        assert_eq!(
            rules.len(),
            usize::from(standing.activity.is_silent()),
            "{standing:?} {rules:?}"
        );
    }
    assert!(found.is_empty(), "{found:?}");
}

/// No host had more requests at once, or more in any stretch of time, than its limit allows.
fn limits_are_kept(requests: &BTreeMap<String, Vec<Arrival>>) {
    let gap = 60.0 / HOST_LIMIT.per_minute;
    for (host, arrivals) in requests {
        let most = arrivals.iter().map(|one| one.in_flight).max().unwrap();
        assert!(most <= HOST_LIMIT.concurrent as usize, "{host}: {most} at once");
        // How many gaps the newest arrival is ahead of an even pace since the most idle moment.
        let mut latest_start = f64::MIN;
        for (place, arrival) in (0_u32..).zip(arrivals) {
            let seconds = (arrival.instant - arrivals[0].instant).as_secs_f64();
            let even = seconds - f64::from(place) * gap;
            latest_start = latest_start.max(even);
            let ahead = latest_start - even;
            assert!(ahead < STUTTER_SECONDS, "{host}: request {place} came {ahead} s early");
        }
    }
    let longest = requests.values().map(Vec::len).max().unwrap();
    assert!(f64::from(u32::try_from(longest).unwrap()) * gap > 2.0 * STUTTER_SECONDS, "{longest}");
}

/// The current quarter is scored, every point explained, nobody is scored on nothing, and what is
/// stored is what is computed again.
async fn scores_are_explained(demo: &Demo) {
    let jobs = demo.app().jobs();
    let standings = jobs.store.standings(u32::MAX, None, None).await.unwrap();
    let stored: BTreeMap<String, Vec<(String, f64)>> =
        standings.into_iter().map(|one| (one.key, one.scores)).collect();
    let period = Period::quarter_of(jobs.clock.now());
    let now = jobs.clock.now();
    let judging = Judging { period, cutoff: now, known_at: now, scheme: None, only: None };
    let beside = compare(jobs, &judging).await.unwrap();
    let inputs = jobs.store.score_inputs(judging.facts(jobs));
    let inputs: Vec<_> = inputs.try_collect().await.unwrap();
    let cards = cards(jobs, &judging, &beside, inputs).await.unwrap();
    assert_eq!(cards.len(), ACCOUNTS);
    let mut scored = 0;
    for (account, card) in &cards {
        assert!(card.inputs.len() > 2 && card.dimensions.len() == 3, "{card:?}");
        assert!(card.assigned_by.as_ref().is_some_and(|row| row.starts_with("assign.toml#1")));
        for dimension in &card.dimensions {
            assert!(!dimension.lines.is_empty(), "{dimension:?}");
            let points = dimension.outcome.points();
            // Responsiveness rests on messages, which may be read where the list of posts is not.
            let rests_on_posts = dimension.id != "responsiveness";
            let covered = dimension.coverage.is_some_and(|share| !share.is_zero());
            assert!(points.is_none() || covered || !rests_on_posts, "{dimension:?}");
            let kept = &stored[&account.entry.key];
            let kept = kept.iter().find(|(id, _)| *id == dimension.id).map(|(_, points)| *points);
            let points = points.map(|points| f64::try_from(points.points).unwrap());
            assert_eq!(kept, points, "{} {}", account.entry.key, dimension.id);
            scored += usize::from(points.is_some());
        }
    }
    assert!(scored > ACCOUNTS / 2, "{scored}");
}

/// What citizens wrote and were answered is known as it stands on the boards and under the posts,
/// and the score of responsiveness is the one that the truth gives.
async fn responsiveness_is_the_truth(demo: &Demo) {
    let (jobs, city) = (demo.app().jobs(), demo.simulator().city());
    let period = Period::quarter_of(jobs.clock.now());
    let now = jobs.clock.now();
    let judging = Judging { period, cutoff: now, known_at: now, scheme: None, only: None };
    let beside = compare(jobs, &judging).await.unwrap();
    let inputs = jobs.store.score_inputs(judging.facts(jobs));
    let inputs: Vec<_> = inputs.try_collect().await.unwrap();
    let read: BTreeMap<String, (DateTime<Utc>, Vec<HeardInquiry>)> = inputs
        .iter()
        .filter_map(|one| {
            let key = one.account.entry.key.clone();
            Some((key, (one.messages_read_at?, one.inquiries.clone())))
        })
        .collect();
    let cards = cards(jobs, &judging, &beside, inputs).await.unwrap();
    let (mut boards, mut microblogs, mut scored) = (0, 0, 0);
    for (account, card) in &cards {
        let entry = &account.entry;
        let dimension = card.dimensions.iter().find(|one| one.id == "responsiveness").unwrap();
        let Some((at, heard)) = read.get(&entry.key) else {
            assert!(dimension.outcome.points().is_none(), "{}: scored on nothing", entry.key);
            continue;
        };
        let truth = city.messages(&entry.key, period.from(), *at);
        if entry.platform == "portal" {
            assert_eq!(on_days(heard), true_days(&truth), "{}", entry.key);
            boards += 1;
            if truth.is_empty() {
                continue;
            }
            let line = dimension.lines.iter().find(|one| one.id == "reply_rate").unwrap();
            let points = f64::try_from(line.outcome.points().unwrap().points).unwrap();
            let replied = truth.iter().filter(|one| one.replied_at.is_some()).count();
            let rate = replied as f64 / truth.len() as f64;
            assert!((points - 50.0 * rate).abs() < 0.01, "{}: {points}, {rate}", entry.key);
            scored += 1;
        } else {
            for one in heard {
                let then = city.messages(&entry.key, period.from(), one.last_seen);
                let is_true = |known: &Correspondence| {
                    Some(known.asked_at) == one.inquiry.asked_at.map(|at| at.at)
                        && known.replied_at == one.inquiry.replied_at.map(|at| at.at)
                };
                assert!(then.iter().any(is_true), "{}: nobody wrote {one:?}", entry.key);
            }
            microblogs += usize::from(!heard.is_empty());
        }
    }
    assert!(boards > 20 && microblogs > 10 && scored > 10, "{boards} {microblogs} {scored}");
}

/// When each message was asked and answered, to the day.
fn on_days(heard: &[HeardInquiry]) -> Vec<(NaiveDate, Option<NaiveDate>)> {
    let day = |at: Moment| shanghai_date(at.at);
    let times = heard.iter().map(|one| &one.inquiry);
    let mut days: Vec<_> =
        times.map(|one| (day(one.asked_at.unwrap()), one.replied_at.map(day))).collect();
    days.sort_unstable();
    days
}

fn true_days(truth: &[Correspondence]) -> Vec<(NaiveDate, Option<NaiveDate>)> {
    let days =
        truth.iter().map(|one| (shanghai_date(one.asked_at), one.replied_at.map(shanghai_date)));
    let mut days: Vec<_> = days.collect();
    days.sort_unstable();
    days
}

async fn pages_answer(address: SocketAddr) {
    for (path, sign) in [
        ("/healthz", "ok"),
        ("/readyz", "\"status\":\"ready\""),
        ("/", "账号 240 个"),
        ("/api/v1/accounts", "\"next_cursor\":\""),
        ("/api/v1/accounts/LC-0001", "\"activity\":"),
    ] {
        let page = get(address, path).await;
        assert!(page.contains(sign), "{path}: {page}");
    }
    for (path, series) in
        [("/metrics", "xunjian_accounts{"), ("/metrics/accounts", "xunjian_account_activity{")]
    {
        let page = get(address, path).await;
        assert!(page.contains(series), "{path}: {page}");
        assert_passes(&["check", "metrics"], &page);
    }
}

/// The body of a page that must answer 200.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.lines().next().unwrap().contains(" 200 "), "{path}: {answer}");
    body.to_owned()
}
