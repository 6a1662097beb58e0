use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use url::Url;
use xunjian::domain::LedgerEntry;
use xunjian::observe::{CanaryLook, History, Policy, Unwatched};
use xunjian::platform::{Catalog, PageKind, Platform, Role};
use xunjian::simulator::{Character, City};

use super::guard::Guard;
use super::notebook::Notebook;
use super::oracle::Oracle;
use super::stage::{self, Staged};
use super::tally::Tally;
use super::verdict::Spell;
use super::visitor::Visitor;
use super::weather::{Weather, draw, lies_at_first};

/// One run: a city, its weather and its days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) accounts: usize,
    pub(super) days: usize,
    pub(super) seed: u64,
    pub(super) without: Option<Guard>,
    /// The one account to visit and judge, and to print all that is known of.
    pub(super) follow: Option<&'a str>,
}

/// One account under watch.
pub(super) struct Watched<'a> {
    pub(super) entry: LedgerEntry,
    /// The platform file that reads it, and from which day on another does.
    pub(super) platform: &'a Platform,
    later: Option<(usize, &'a Platform)>,
    pub(super) staged: Option<&'a Staged>,
    pub(super) host: String,
    pub(super) is_canary: bool,
    pub(super) notebook: Notebook,
    pub(super) oracle: Oracle,
    pub(super) spell: Spell,
    /// Days on which a verdict was within reach, and whether one was ever given.
    pub(super) tellable_days: usize,
    pub(super) was_told: bool,
}

impl<'a> Watched<'a> {
    fn platform_on(&self, day: usize) -> &'a Platform {
        self.later.filter(|(from, _)| day >= *from).map_or(self.platform, |(_, later)| later)
    }

    fn kinds_on(&self, day: usize) -> Vec<&'a PageKind> {
        let kinds = speaking(self.platform_on(day));
        let Some((from, before, after)) = self.staged.and_then(|staged| staged.kinds) else {
            return kinds.collect();
        };
        let name = if day < from { before } else { after };
        kinds.filter(|kind| kind.name == name).collect()
    }

    /// The account in the words of a report.
    pub(super) fn name(&self, seed: u64) -> String {
        let scene = self.staged.map(|staged| format!(" {:?}", staged.scene)).unwrap_or_default();
        let (key, character) = (&self.entry.key, self.oracle.character);
        format!("seed {seed} {key} {character:?}{scene} {}", self.platform.id)
    }
}

pub(super) struct Simulation<'a> {
    pub(super) run: Run<'a>,
    pub(super) start: DateTime<Utc>,
    pub(super) city: &'a City,
    pub(super) weather: Weather,
    pub(super) policy: Policy,
    pub(super) frozen: BTreeMap<String, bool>,
    pub(super) tally: Tally,
}

impl Run<'_> {
    /// Runs the city through its days and judges every account at the end of each.
    pub(super) fn go(self, catalog: &Catalog) -> Tally {
        // Midnight in Asia/Shanghai: a simulated day is a calendar day.
        let start: DateTime<Utc> = "2026-11-22T16:00:00Z".parse().expect("the literal is a time");
        let mut city = City::generate(self.seed, start, self.accounts);
        let later = city.keys_of(Character::Dormant).into_iter().enumerate();
        let mut later: Vec<String> = later
            .filter(|(number, _)| draw(self.seed, &[*number as u64, 9]).is_multiple_of(8))
            .map(|(_, key)| key)
            .collect();
        later.iter().for_each(|key| city.claim_later(key, Duration::days(400)));
        let staged = stage::set(&mut city, start, self.days);
        let next_year = staged.iter().filter(|one| one.scene == stage::Scene::NextYear);
        later.extend(next_year.map(|one| one.key.clone()));
        let on_stage = staged.iter().map(|one| (one.key.as_str(), one)).collect();
        let mut simulation = Simulation {
            weather: Weather::of(&city, &on_stage, self.seed, start, self.days),
            run: self,
            start,
            city: &city,
            policy: Guard::policy(self.without),
            frozen: BTreeMap::new(),
            tally: Tally { accounts: self.accounts + staged.len(), ..Tally::default() },
        };
        let mut watched = watched(&city, catalog, &on_stage, start + days(self.days));
        for one in watched.iter_mut().filter(|one| later.contains(&one.entry.key)) {
            one.oracle.claims_later();
        }
        for day in 0..self.days {
            if !simulation.weather.is_down(day) {
                simulation.visit_all(&mut watched, day);
            }
            simulation.judge_all(&mut watched, day);
        }
        simulation.judge_cutoffs(&mut watched);
        simulation.look_at_posts(&watched);
        simulation.tally
    }
}

fn watched<'a>(
    city: &City,
    catalog: &'a Catalog,
    on_stage: &BTreeMap<&str, &'a Staged>,
    end: DateTime<Utc>,
) -> Vec<Watched<'a>> {
    let canary_keys: Vec<String> = city.canaries().into_iter().map(|one| one.key).collect();
    let ledger = city.ledger();
    let canaries = ledger.iter().filter(|entry| canary_keys.contains(&entry.key));
    let hosts: Vec<(String, String)> = canaries
        .filter_map(|entry| {
            Some((host_of(catalog.get(&entry.platform)?, entry)?, entry.key.clone()))
        })
        .collect();
    let account = |entry: LedgerEntry| {
        let staged = on_stage.get(entry.key.as_str()).copied();
        let id = staged.map_or(entry.platform.as_str(), |staged| staged.platform);
        let platform = catalog.get(id)?;
        let later = staged.and_then(|staged| staged.later);
        let later = later.and_then(|(from, id)| Some((from, catalog.get(id)?)));
        let host = host_of(platform, &entry)?;
        // A look speaks for its own page kind: the canaries are read by the shipped files.
        let others = platform.id != "feed_parts"
            && hosts.iter().any(|(at, key)| *at == host && *key != entry.key);
        let mut notebook = Notebook::new(&entry, platform, others);
        if others && staged.is_none() && is_beside(&entry) && host != lies_at_first(city.seed()) {
            notebook.history.unwatched = unwatched_lists(platform);
        }
        let days = confirming_days(&notebook.history);
        Some(Watched {
            notebook,
            is_canary: canary_keys.contains(&entry.key),
            spell: Spell::default(),
            oracle: Oracle::new(city, &entry, end, (others, days), staged),
            platform,
            later,
            staged,
            host,
            entry,
            tellable_days: 0,
            was_told: false,
        })
    };
    let watched: Vec<Watched<'_>> = ledger.into_iter().filter_map(account).collect();
    for id in ["weibo", "wechat", "portal", "feed"] {
        let is_there = watched.iter().any(|one| one.platform.id == id);
        assert!(is_there, "nobody of {id} is watched: its page kinds give no address");
    }
    watched
}

/// Whether nobody looks at an account's lists for it, but at its host's profiles: so of a third of
/// those that have both, where no profile is needed to tell an old page at first sight.
fn is_beside(entry: &LedgerEntry) -> bool {
    let number: u64 = entry.key.bytes().map(u64::from).sum();
    entry.platform == "weibo" && number.is_multiple_of(3)
}

fn unwatched_lists(platform: &Platform) -> BTreeMap<String, Unwatched> {
    let (lists, others): (Vec<_>, Vec<_>) =
        speaking(platform).partition(|kind| kind.role == Role::List);
    let others: Vec<String> = others.into_iter().map(|kind| kind.name.clone()).collect();
    assert!(!others.is_empty(), "{} has no page kind beside its lists", platform.id);
    let beside = || Unwatched::Beside { watched: others.clone(), left: Vec::new() };
    lists.into_iter().map(|list| (list.name.clone(), beside())).collect()
}

/// On how many days silence takes confirmations.
fn confirming_days(history: &History) -> usize {
    let policy = Policy::default();
    let is_vouched = history.has_canary && history.unwatched.is_empty();
    let days = if is_vouched { policy.confirmations } else { policy.confirmations_without_canary };
    days as usize
}

pub(super) fn days(count: usize) -> Duration {
    Duration::days(i64::try_from(count).unwrap_or(i64::MAX / 1_000_000_000))
}

/// The page kinds that say something of an account's activity.
fn speaking(platform: &Platform) -> impl Iterator<Item = &PageKind> {
    platform.crawled().filter(|kind| kind.role.speaks_for_account())
}

fn host_of(platform: &Platform, entry: &LedgerEntry) -> Option<String> {
    let template = speaking(platform).find_map(|kind| kind.url.as_ref())?;
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
        let is_asked =
            |one: &Watched| one.is_canary || self.run.follow.is_none_or(|key| key == one.entry.key);
        order.retain(|(_, index)| is_asked(&watched[*index]));
        for (at, index) in order {
            self.visit(watched, day, index, at);
        }
    }

    fn visit(&mut self, watched: &mut [Watched<'_>], day: usize, index: usize, at: DateTime<Utc>) {
        let one = &mut watched[index];
        let faults = self.weather.on(day);
        one.oracle.visited(self.city, faults, &one.entry.key, at);
        let mut looks = Vec::new();
        let (platform, kinds) = (one.platform_on(day), one.kinds_on(day));
        for (second, kind) in (0..).zip(kinds) {
            let now = at + Duration::seconds(second);
            let visitor = Visitor {
                city: self.city,
                faults,
                platform,
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
                    page: kind.name.as_str().into(),
                    at: now,
                    adapter: platform.digest.as_str().into(),
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
        let others = watched.iter_mut().filter(|one| one.host == host && one.entry.key != key);
        for other in others.filter(|one| one.notebook.history.has_canary) {
            let history = &mut other.notebook.history;
            let heard =
                looks.iter().filter(|look| !history.unwatched.contains_key(look.page.as_str()));
            let heard: Vec<CanaryLook> = heard.cloned().collect();
            if heard.iter().all(|look| look.healthy) {
                other.oracle.trusted();
            }
            history.canaries.extend(heard);
        }
    }
}
