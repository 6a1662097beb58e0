use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use url::Url;
use xunjian::domain::{Activity, LedgerEntry, SourceText};
use xunjian::observe::{CanaryLook, Judgement, Policy, judge, judge_at};
use xunjian::platform::{Catalog, Platform};
use xunjian::simulator::{Character, City};

use super::guard::Guard;
use super::notebook::Notebook;
use super::oracle::{Oracle, Tellable};
use super::tally::{LATE_DAYS_MAX, Tally};
use super::visitor::Visitor;
use super::weather::{Weather, draw};

/// One run: a city, its weather and its days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) accounts: usize,
    pub(super) days: usize,
    pub(super) seed: u64,
    pub(super) without: Option<Guard>,
}

/// The shipped platform files.
pub(super) fn catalog() -> Catalog {
    let ids = ["weibo", "wechat", "portal", "feed"];
    let files: Vec<SourceText> = ids
        .into_iter()
        .map(|id| {
            let file = format!("config/platforms/{id}.toml");
            let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
            SourceText { file, text: std::fs::read_to_string(path).expect("shipped with the code") }
        })
        .collect();
    Catalog::compile(&files).expect("shipped platform files have no problems")
}

/// One account under watch.
struct Watched<'a> {
    entry: LedgerEntry,
    platform: &'a Platform,
    host: String,
    is_canary: bool,
    notebook: Notebook,
    oracle: Oracle,
    spell: Spell,
}

/// A silence of an account: since when, and since which day each limit could be told.
#[derive(Default)]
struct Spell {
    since: Option<DateTime<Utc>>,
    limits: BTreeMap<i64, Limit>,
}

#[derive(Default, Clone, Copy)]
struct Limit {
    provable_days: usize,
    found: bool,
}

struct Simulation<'a> {
    run: Run,
    start: DateTime<Utc>,
    city: &'a City,
    weather: Weather,
    policy: Policy,
    frozen: BTreeMap<String, bool>,
    tally: Tally,
}

impl Run {
    /// Runs the city through its days and judges every account at the end of each.
    pub(super) fn go(self, catalog: &Catalog) -> Tally {
        // Midnight in Asia/Shanghai: a simulated day is a calendar day.
        let start: DateTime<Utc> = "2026-11-22T16:00:00Z".parse().expect("the literal is a time");
        let end = start + days(self.days);
        let mut city = City::generate(self.seed, start, self.accounts);
        let later = city.keys_of(Character::Dormant).into_iter().enumerate();
        let later: Vec<String> = later
            .filter(|(number, _)| draw(self.seed, &[*number as u64, 9]).is_multiple_of(8))
            .map(|(_, key)| key)
            .collect();
        later.iter().for_each(|key| city.claim_later(key, Duration::days(400)));
        let canary_keys: Vec<String> = city.canaries().into_iter().map(|one| one.key).collect();
        let mut simulation = Simulation {
            weather: Weather::of(&city, self.seed, start, self.days),
            run: self,
            start,
            city: &city,
            policy: Guard::policy(self.without),
            frozen: BTreeMap::new(),
            tally: Tally { accounts: self.accounts, ..Tally::default() },
        };
        let hosts: Vec<(String, String)> = city
            .ledger()
            .iter()
            .filter(|entry| canary_keys.contains(&entry.key))
            .filter_map(|entry| {
                Some((host_of(catalog.get(&entry.platform)?, entry)?, entry.key.clone()))
            })
            .collect();
        let mut watched: Vec<Watched<'_>> = city
            .ledger()
            .into_iter()
            .filter_map(|entry| {
                let platform = catalog.get(&entry.platform)?;
                let host = host_of(platform, &entry)?;
                let others = hosts.iter().any(|(at, key)| *at == host && *key != entry.key);
                let mut oracle = Oracle::new(&city, &entry, end, others);
                if later.contains(&entry.key) {
                    oracle.claims_later();
                }
                Some(Watched {
                    notebook: Notebook::new(&entry, platform, others),
                    is_canary: canary_keys.contains(&entry.key),
                    spell: Spell::default(),
                    oracle,
                    platform,
                    host,
                    entry,
                })
            })
            .collect();
        for day in 0..self.days {
            if !simulation.weather.is_down(day) {
                simulation.visit_all(&mut watched, day);
            }
            simulation.judge_all(&mut watched, day);
        }
        simulation.judge_cutoffs(&mut watched);
        simulation.tally
    }
}

fn days(count: usize) -> Duration {
    Duration::days(i64::try_from(count).unwrap_or(i64::MAX / 1_000_000_000))
}

fn host_of(platform: &Platform, entry: &LedgerEntry) -> Option<String> {
    let template = platform.crawled().find_map(|kind| kind.url.as_ref())?;
    let address = template.fill(&entry.handle, entry.url.as_deref(), 1)?;
    Some(Url::parse(&address).ok()?.host_str()?.to_owned())
}

impl Simulation<'_> {
    /// One visit to everybody at an hour of the day's own between 3 and 22, the canaries last.
    fn visit_all(&mut self, watched: &mut [Watched<'_>], day: usize) {
        let midnight = self.start + days(day);
        let mut order: Vec<(DateTime<Utc>, usize)> = watched
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let chance = draw(self.run.seed, &[index as u64, day as u64, 8]);
                let minutes = 3 * 60 + (chance % (19 * 60)).cast_signed();
                let minutes = if one.is_canary { 23 * 60 + 40 } else { minutes };
                (midnight + Duration::minutes(minutes), index)
            })
            .collect();
        order.sort_unstable();
        for (at, index) in order {
            self.visit(watched, day, index, at);
        }
    }

    fn visit(&mut self, watched: &mut [Watched<'_>], day: usize, index: usize, at: DateTime<Utc>) {
        let one = &mut watched[index];
        let faults = self.weather.on(day);
        one.oracle.visited(self.city, faults, &one.entry.key, at);
        let mut looks = Vec::new();
        let kinds = one.platform.crawled().collect::<Vec<_>>();
        for (second, kind) in (0..).zip(kinds) {
            let now = at + Duration::seconds(second);
            let visitor = Visitor {
                city: self.city,
                faults,
                platform: one.platform,
                kind,
                entry: &one.entry,
                now,
                without: self.run.without,
            };
            self.tally.visits += 1;
            let quarter = self.start - Duration::days(53);
            let healthy = one.notebook.visit(&visitor, &self.policy, quarter);
            if let Some(healthy) = healthy.filter(|_| one.is_canary) {
                looks.push(CanaryLook {
                    page: kind.name.clone(),
                    at: now,
                    adapter: one.platform.digest.clone(),
                    healthy,
                    recorded_at: now,
                });
            }
        }
        if !one.is_canary {
            return;
        }
        let (host, key) = (one.host.clone(), one.entry.key.clone());
        let healthy = looks.iter().all(|look| look.healthy);
        self.frozen.insert(host.clone(), !healthy);
        for other in watched.iter_mut().filter(|one| one.host == host && one.entry.key != key) {
            other.notebook.history.canaries.extend(looks.iter().cloned());
            if healthy {
                other.oracle.trusted();
            }
        }
    }

    fn judge_all(&mut self, watched: &mut [Watched<'_>], day: usize) {
        let now = self.start + days(day + 1);
        for one in watched.iter_mut().filter(|one| !one.is_canary) {
            let mut history = one.notebook.history.clone();
            Guard::history(self.run.without, &mut history);
            let judgement = judge(&history, &self.policy, now, now);
            self.check_silent(one, &judgement, &format!("day {day}"));
            self.check_unknown(one, &judgement, now, day);
            self.note_naive(one, now);
        }
    }

    /// What a freeze at each midnight would say, from all that is known at the end.
    fn judge_cutoffs(&mut self, watched: &mut [Watched<'_>]) {
        let end = self.start + days(self.run.days);
        for one in watched.iter_mut().filter(|one| !one.is_canary) {
            self.close_spell(one);
            Guard::history(self.run.without, &mut one.notebook.history);
            for day in 1..self.run.days {
                let cutoff = self.start + days(day);
                let judgement = judge_at(&one.notebook.history, &self.policy, cutoff, end);
                self.tally.silent_at_cutoffs += u64::from(is_silent(judgement.activity));
                self.check_silent(one, &judgement, &format!("cutoff before day {day}"));
            }
            let late = one.notebook.history.posts.iter().filter(|post| post.missed_by.is_some());
            let late = late.count() as u64;
            match one.oracle.character {
                Character::Backdating => self.tally.late_posts.0 += late,
                _ => self.tally.late_posts.1 += late,
            }
        }
    }

    /// A silent verdict must be borne out by the truth at the instant it speaks of.
    fn check_silent(&mut self, one: &Watched<'_>, judgement: &Judgement, when: &str) {
        let policy = Policy::default();
        let cutoff = judgement.cutoff;
        let limit = match judgement.activity {
            Activity::Watch => Some(policy.watch),
            Activity::Dormant => Some(policy.dormant),
            Activity::Zombie => Some(policy.zombie),
            Activity::Empty | Activity::Gone => None,
            Activity::Active | Activity::Undetermined(_) => return,
        };
        let is_false = match (judgement.activity, limit) {
            (Activity::Gone, _) => {
                let truth = self.city.truth(&one.entry.key, cutoff);
                truth.is_none_or(|truth| truth.activity != Activity::Gone)
            }
            (_, Some(limit)) => {
                let window = limit.window(cutoff);
                one.oracle.posts.iter().any(|post| window.meets(*post, *post))
            }
            (_, None) => one.oracle.last_post(cutoff).is_some(),
        };
        if is_false {
            let last = one.oracle.last_post(cutoff).map(|at| at.to_rfc3339());
            self.tally.false_silent.push(format!(
                "seed {} {} {:?} {} ({when}): {} at {}, last post {}, confirmed {:?}",
                self.run.seed,
                one.entry.key,
                one.oracle.character,
                one.platform.id,
                judgement.activity.as_str(),
                cutoff.to_rfc3339(),
                last.unwrap_or_default(),
                judgement.confirmations,
            ));
        }
    }

    fn check_unknown(
        &mut self,
        one: &mut Watched<'_>,
        judgement: &Judgement,
        now: DateTime<Utc>,
        day: usize,
    ) {
        let tally = &mut self.tally;
        let frozen = self.frozen.get(&one.host).copied().unwrap_or(false);
        let tellable = one.oracle.tellable(now, frozen, &Policy::default());
        let last = one.oracle.last_post(now);
        tally.account_days += 1;
        tally.silent += u64::from(is_silent(judgement.activity));
        tally.untellable += u64::from(tellable == Tellable::No);
        let quiet = last.is_none_or(|last| last < now - Duration::days(11));
        tally.false_active += u64::from(judgement.activity == Activity::Active && quiet);
        if let Activity::Undetermined(reason) = judgement.activity {
            *tally.undetermined.entry(reason.as_str()).or_default() += 1;
            if tellable != Tellable::No {
                *tally.avoidable.entry(reason.as_str()).or_default() += 1;
                tally.avoidable_told.push(format!(
                    "seed {} {} {:?} {} day {day}: {reason}, {tellable:?}, {:?}",
                    self.run.seed,
                    one.entry.key,
                    one.oracle.character,
                    one.platform.id,
                    judgement.explanation,
                ));
            }
        }
        if one.spell.since != last {
            self.close_spell(one);
            one.spell = Spell { since: last, limits: BTreeMap::new() };
        }
        let Tellable::Yes { silent_days } = tellable else { return };
        for limit in [10, 14].into_iter().filter(|limit| *limit <= silent_days) {
            let told = one.spell.limits.entry(limit).or_default();
            if told.found {
                continue;
            }
            if told_days(judgement.activity) >= limit {
                told.found = true;
                *self.tally.lateness.entry(told.provable_days).or_default() += 1;
            }
            told.provable_days += 1;
        }
    }

    /// A silence that ends untold was missed, if there was time enough to tell it.
    fn close_spell(&mut self, one: &mut Watched<'_>) {
        let untold = one.spell.limits.iter().filter(|(_, limit)| !limit.found);
        for (days, limit) in untold.filter(|(_, limit)| limit.provable_days > LATE_DAYS_MAX) {
            self.tally.missed.push(format!(
                "seed {} {} {:?} {}: silent for {days} days, provable on {} days, never told",
                self.run.seed,
                one.entry.key,
                one.oracle.character,
                one.platform.id,
                limit.provable_days,
            ));
        }
    }

    /// The naive rule: the newest item seen anywhere is the last post, whatever failed.
    fn note_naive(&mut self, one: &Watched<'_>, now: DateTime<Utc>) {
        let fortnight = now - Duration::days(14);
        let called =
            one.notebook.was_asked && one.notebook.newest_item.is_none_or(|at| at < fortnight);
        let posted = one.oracle.last_post(now).is_some_and(|last| last >= fortnight);
        if called && posted && one.oracle.character != Character::Cancelled {
            self.tally.wronged_naively.insert(format!("{}:{}", self.run.seed, one.entry.key));
        }
    }
}

fn is_silent(activity: Activity) -> bool {
    told_days(activity) > 0
}

fn told_days(activity: Activity) -> i64 {
    match activity {
        Activity::Active | Activity::Undetermined(_) => 0,
        Activity::Watch => 10,
        _ => 14,
    }
}
