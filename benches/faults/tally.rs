use std::collections::{BTreeMap, BTreeSet};

use super::guard::Guard;

/// So many days after it becomes provable a planted silence is found at the latest.
pub(super) const LATE_DAYS_MAX: usize = 2;

/// Of so many account-days that could be told at most one may stay undetermined.
const TELLABLE_PER_AVOIDABLE: u64 = 1_000;

/// What one run came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) accounts: usize,
    pub(super) account_days: u64,
    pub(super) visits: u64,
    /// Silent verdicts given, live and at cutoffs.
    pub(super) silent: u64,
    pub(super) silent_at_cutoffs: u64,
    /// Active verdicts at cutoffs that rest on posts which appeared after them, each told.
    pub(super) saved_afterwards: Vec<String>,
    /// Accounts that could be told for days and never were.
    pub(super) eternal: Vec<String>,
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
    pub(super) late: Vec<String>,
    /// Provable silences never told, each told.
    pub(super) missed: Vec<String>,
    /// Accounts that the naive rule would have wronged.
    pub(super) wronged_naively: BTreeSet<String>,
    /// Posts that appeared late.
    pub(super) late_posts: u64,
    /// Of these, the ones that are candidates, of accounts that backdate and of others.
    pub(super) backdated_found: u64,
    pub(super) false_backdating: Vec<String>,
    pub(super) backdated_missed: Vec<String>,
    /// Posts proven to be deleted, and where nothing was.
    pub(super) deletions: u64,
    pub(super) false_deletions: Vec<String>,
    pub(super) deletions_missed: Vec<String>,
    /// Bursts of the stage, and of accounts that keep their rhythm.
    pub(super) bursts_found: u64,
    pub(super) bursts_missed: Vec<String>,
    pub(super) bursts_weighed: u64,
    pub(super) bursts_of_others: u64,
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
        let avoidable: u64 = self.avoidable.values().sum();
        let tellable = self.account_days - self.untellable;
        if avoidable * TELLABLE_PER_AVOIDABLE > tellable {
            broken.push(format!("{avoidable} of {tellable} tellable account-days undetermined"));
        }
        for (told, what) in [
            (&self.saved_afterwards, "active verdicts by posts after the cutoff"),
            (&self.eternal, "accounts never told though they could be"),
            (&self.false_backdating, "false cases of backdating"),
            (&self.backdated_missed, "planted cases of backdating missed"),
            (&self.false_deletions, "accounts with false deletions"),
            (&self.deletions_missed, "planted deletions missed"),
            (&self.bursts_missed, "planted bursts missed"),
        ] {
            if !told.is_empty() {
                broken.push(format!("{} {what}", told.len()));
            }
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
        self.late.extend(other.late);
        for (days, count) in other.lateness {
            *self.lateness.entry(days).or_default() += count;
        }
        self.untellable += other.untellable;
        self.missed.extend(other.missed);
        self.wronged_naively.extend(other.wronged_naively);
        self.saved_afterwards.extend(other.saved_afterwards);
        self.eternal.extend(other.eternal);
        self.late_posts += other.late_posts;
        self.backdated_found += other.backdated_found;
        self.false_backdating.extend(other.false_backdating);
        self.backdated_missed.extend(other.backdated_missed);
        self.deletions += other.deletions;
        self.false_deletions.extend(other.false_deletions);
        self.deletions_missed.extend(other.deletions_missed);
        self.bursts_found += other.bursts_found;
        self.bursts_missed.extend(other.bursts_missed);
        self.bursts_weighed += other.bursts_weighed;
        self.bursts_of_others += other.bursts_of_others;
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
        self.print_posts();
        println!("{:<44} {:>12}", "accounts wronged by the naive rule", self.wronged_naively.len());
        for told in self.told() {
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

    /// What is said of single posts.
    fn print_posts(&self) {
        for (what, count) in [
            ("active at a cutoff by later posts", self.saved_afterwards.len() as u64),
            ("tellable accounts never told", self.eternal.len() as u64),
            ("posts that appeared late", self.late_posts),
            ("backdated posts found", self.backdated_found),
            ("planted backdating missed", self.backdated_missed.len() as u64),
            ("false cases of backdating", self.false_backdating.len() as u64),
            ("deletions proven", self.deletions),
            ("planted deletions missed", self.deletions_missed.len() as u64),
            ("accounts with false deletions", self.false_deletions.len() as u64),
            ("planted bursts found", self.bursts_found),
            ("planted bursts missed", self.bursts_missed.len() as u64),
            ("other accounts weighed for bursts", self.bursts_weighed),
            ("  of these told (probability < 0.02)", self.bursts_of_others),
        ] {
            println!("{what:<44} {count:>12}");
        }
    }

    /// The first of everything that broke a promise.
    fn told(&self) -> impl Iterator<Item = &String> {
        let lists = [
            &self.false_silent,
            &self.missed,
            &self.late,
            &self.saved_afterwards,
            &self.eternal,
            &self.false_backdating,
            &self.backdated_missed,
            &self.false_deletions,
            &self.deletions_missed,
            &self.bursts_missed,
        ];
        lists.into_iter().flat_map(|list| list.iter().take(8))
    }
}
