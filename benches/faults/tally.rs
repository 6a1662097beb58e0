use std::collections::{BTreeMap, BTreeSet};

use super::guard::Guard;

/// So many days after it becomes provable a planted silence is found at the latest.
pub(super) const LATE_DAYS_MAX: usize = 2;

/// What one run came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) accounts: usize,
    pub(super) account_days: u64,
    pub(super) visits: u64,
    /// Silent verdicts given, live and at cutoffs.
    pub(super) silent: u64,
    pub(super) silent_at_cutoffs: u64,
    /// Silent verdicts that the truth does not bear out, each told.
    pub(super) false_silent: Vec<String>,
    /// Days on which an account was called active that had been silent beyond the watch limit.
    pub(super) false_active: u64,
    /// Undetermined account-days by reason.
    pub(super) undetermined: BTreeMap<&'static str, u64>,
    /// Of these, the ones of accounts that could be told by the simulator's own count.
    pub(super) avoidable: BTreeMap<&'static str, u64>,
    pub(super) avoidable_told: Vec<String>,
    /// Account-days that nobody could tell, by the simulator's own count.
    pub(super) untellable: u64,
    /// Silences by the days between the first on which they were provable and the verdict.
    pub(super) lateness: BTreeMap<usize, u64>,
    /// Provable silences never told, each told.
    pub(super) missed: Vec<String>,
    /// Accounts that the naive rule would have wronged.
    pub(super) wronged_naively: BTreeSet<String>,
    /// Posts noted as having appeared late, of accounts that backdate and of others.
    pub(super) late_posts: (u64, u64),
}

impl Tally {
    pub(super) fn undetermined_total(&self) -> u64 {
        self.undetermined.values().sum()
    }

    /// Every promise that was broken, in words.
    pub(super) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        if !self.false_silent.is_empty() {
            broken.push(format!("{} false silent verdicts", self.false_silent.len()));
        }
        let late: u64 = self.lateness.range(LATE_DAYS_MAX + 1..).map(|(_, count)| count).sum();
        if late > 0 || !self.missed.is_empty() {
            broken.push(format!("{late} silences found late, {} never", self.missed.len()));
        }
        if self.undetermined_total() * 10 > self.untellable * 11 {
            broken.push("more account-days undetermined than 1.1 × untellable ones".to_owned());
        }
        broken
    }

    pub(super) fn add(&mut self, other: Self) {
        self.accounts += other.accounts;
        self.account_days += other.account_days;
        self.visits += other.visits;
        self.silent += other.silent;
        self.silent_at_cutoffs += other.silent_at_cutoffs;
        self.false_silent.extend(other.false_silent);
        self.false_active += other.false_active;
        self.avoidable_told.extend(other.avoidable_told);
        for (mine, theirs) in
            [(&mut self.undetermined, other.undetermined), (&mut self.avoidable, other.avoidable)]
        {
            theirs
                .into_iter()
                .for_each(|(reason, count)| *mine.entry(reason).or_default() += count);
        }
        for (days, count) in other.lateness {
            *self.lateness.entry(days).or_default() += count;
        }
        self.untellable += other.untellable;
        self.missed.extend(other.missed);
        self.wronged_naively.extend(other.wronged_naively);
        self.late_posts.0 += other.late_posts.0;
        self.late_posts.1 += other.late_posts.1;
    }

    /// The table, with whatever broke a promise told below it.
    pub(super) fn print(&self, without: Option<Guard>) {
        let ratio = self.undetermined_total() as f64 / (self.untellable as f64).max(1.0);
        let share = |count: u64| 100.0 * count as f64 / (self.account_days as f64).max(1.0);
        let undetermined = self.undetermined_total();
        println!("{:<44} {:>12}", "accounts × seeds", self.accounts);
        println!("{:<44} {:>12}", "account-days", self.account_days);
        println!("{:<44} {:>12}", "page visits", self.visits);
        println!("{:<44} {:>12}", "silent verdicts, live (account-days)", self.silent);
        println!("{:<44} {:>12}", "silent verdicts, at cutoffs", self.silent_at_cutoffs);
        println!("{:<44} {:>12}", "false silent verdicts", self.false_silent.len());
        println!("{:<44} {:>12}", "silent, called active (account-days)", self.false_active);
        let found: u64 = self.lateness.values().sum();
        println!("{:<44} {:>12}", "planted silences found", found);
        for (days, count) in &self.lateness {
            println!("{:<44} {:>12}", format!("  {days} days after they were provable"), count);
        }
        println!("{:<44} {:>12}", "planted silences missed", self.missed.len());
        println!(
            "{:<44} {:>12} {:>5.1} %",
            "undetermined account-days",
            undetermined,
            share(undetermined)
        );
        for (reason, count) in &self.undetermined {
            let avoidable = self.avoidable.get(reason).copied().unwrap_or(0);
            println!("  {reason:<42} {count:>12}    avoidable: {avoidable}");
        }
        println!(
            "{:<44} {:>12}   ratio {ratio:.3}",
            "untellable account-days (simulator's count)", self.untellable
        );
        println!("{:<44} {:>12}", "posts noted late, of backdating accounts", self.late_posts.0);
        println!("{:<44} {:>12}", "posts noted late, of others", self.late_posts.1);
        println!("{:<44} {:>12}", "accounts wronged by the naive rule", self.wronged_naively.len());
        for told in self.false_silent.iter().chain(&self.missed).take(20) {
            println!("  {told}");
        }
        let verdict = match (self.broken(), without) {
            (broken, None) if broken.is_empty() => "every promise held".to_owned(),
            (broken, None) => format!("BROKEN: {}", broken.join("; ")),
            (broken, Some(guard)) if broken.is_empty() => format!("nobody missed {guard}"),
            (broken, Some(guard)) => format!("without {guard}: {}", broken.join("; ")),
        };
        println!("{verdict}");
    }
}
