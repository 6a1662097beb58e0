//! What is printed, and what must hold.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::histories::Set;
use crate::host::{Budget, Outcome};
use crate::ours::Silence;

/// Figures of one set, rule by rule.
pub(crate) struct Report {
    slot: TimeDelta,
    bound: f64,
    round_robin: Option<Figures>,
    figures: BTreeMap<String, Figures>,
    latest_silence: Option<TimeDelta>,
    allowed_silence: TimeDelta,
}

#[derive(Debug, Clone, Copy)]
struct Figures {
    mean: f64,
    p95: f64,
    fullest_day: f64,
}

impl Report {
    /// The analytic bound of constant rates: mean delay (Σ√λ)² / (2 R Σλ), with the true rates of
    /// the scored time and the visits R that the budget allows.
    pub(crate) fn new(set: &Set, budget: Budget) -> Self {
        let (mut roots, mut rates, mut visits) = (0.0, 0.0, 0.0);
        let whole = (set.to - set.scored_from).as_seconds_f64() / 86_400.0;
        let mut pushes = 0;
        for account in &set.accounts {
            let from = account.watched_from.max(set.scored_from);
            let days = (set.to - from).as_seconds_f64() / 86_400.0;
            let scored = account.pushes.iter().filter(|at| **at >= from && **at < set.to).count();
            pushes += scored;
            roots += (scored as f64 / whole).sqrt();
            rates += scored as f64 / whole;
            visits += budget.per_account * days / whole;
        }
        let bound = roots * roots / (2.0 * visits * rates) * 24.0;
        let slot = 86_400.0 / visits / budget.pace;
        let slot = TimeDelta::milliseconds((slot * 1000.0) as i64);
        println!(
            "\n{}: {} accounts, {pushes} pushes scored, {:.0} visits a day, bound {bound:.3} h",
            set.title,
            set.accounts.len(),
            visits
        );
        println!(
            "{:14} {:>7} {:>7} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}",
            "", "mean h", "p95 h", "/ bound", "/ rr", "p95/rr", "worst h", "use", "fullest"
        );
        Self {
            slot,
            bound,
            round_robin: None,
            figures: BTreeMap::new(),
            latest_silence: None,
            allowed_silence: TimeDelta::zero(),
        }
    }

    pub(crate) fn add(&mut self, title: &str, outcome: &Outcome) {
        let count = outcome.delays.len().max(1);
        let mean = outcome.delays.iter().sum::<f64>() / count as f64;
        let p95 = outcome.delays.get(count * 95 / 100).copied().unwrap_or_default();
        let figures = Figures { mean, p95, fullest_day: outcome.fullest_day };
        let base = *self.round_robin.get_or_insert(figures);
        println!(
            "{title:14} {mean:7.3} {p95:7.2} {:9.3} {:9.3} {:9.3} {:8.1} {:8.3} {:8.3}",
            mean / self.bound,
            mean / base.mean,
            p95 / base.p95,
            outcome.worst_interval,
            outcome.visits / outcome.allowed,
            outcome.fullest_day
        );
        self.figures.insert(title.to_owned(), figures);
    }

    pub(crate) fn note(&self, text: &str) {
        println!("{:14} {text}", "");
    }

    /// How long after its deadline each silence was told. Allowed is one slot of the host for each
    /// account whose deadline fell within the hour, plus the canary interval.
    pub(crate) fn silences(&mut self, silences: &[Silence]) {
        let mut late: Vec<TimeDelta> = silences.iter().map(|one| one.told - one.due).collect();
        late.sort_unstable();
        let Some(latest) = late.last().copied() else { return };
        let together = |at: DateTime<Utc>| {
            let near = |one: &&Silence| (one.due - at).abs() <= TimeDelta::minutes(30);
            silences.iter().filter(near).count()
        };
        let most = silences.iter().map(|one| together(one.due)).max().unwrap_or(1);
        self.allowed_silence =
            self.slot * i32::try_from(most).unwrap_or(i32::MAX) + TimeDelta::minutes(60);
        self.latest_silence = Some(latest);
        let minutes = |time: TimeDelta| time.as_seconds_f64() / 60.0;
        let mean = late.iter().map(|one| minutes(*one)).sum::<f64>() / late.len() as f64;
        println!(
            "{:14} {} silences told {mean:.1} min after their deadline on average, {:.1} at most; \
             allowed {:.1}",
            "",
            late.len(),
            minutes(latest),
            minutes(self.allowed_silence)
        );
    }

    /// Whether what was played kept what is promised of such a set.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        let Some(base) = self.round_robin else { return false };
        let limits: &[(&str, f64, f64)] = match name {
            "stationary" => &[("ours, index", f64::INFINITY, 1.05)],
            _ => &[("ours, index", 0.43, 0.52), ("ours, all", 0.45, 0.55)],
        };
        let mut kept = true;
        for (title, by_round_robin, by_bound) in limits {
            let Some(ours) = self.figures.get(*title) else { continue };
            let good = ours.mean <= by_round_robin * base.mean
                && ours.mean <= by_bound * self.bound
                && (name == "stationary" || ours.p95 < base.p95)
                && ours.fullest_day <= 1.0;
            println!("{title}: {}", if good { "kept" } else { "NOT KEPT" });
            kept &= good;
        }
        if let Some(latest) = self.latest_silence.filter(|late| *late > self.allowed_silence) {
            println!("a silence was told {} min late: NOT KEPT", latest.num_minutes());
            kept = false;
        }
        kept
    }
}
