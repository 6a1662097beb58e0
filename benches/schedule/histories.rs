//! Posting histories: recorded ones from a folder, and made-up ones whose truth is known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use xunjian::domain::{shanghai_date, shanghai_midnight};

/// One account: since when it is watched, and every push, the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) watched_from: DateTime<Utc>,
    pub(crate) pushes: Vec<DateTime<Utc>>,
}

/// Accounts under watch for a time.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) title: String,
    pub(crate) accounts: Vec<Account>,
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
    /// From here on delays count.
    pub(crate) scored_from: DateTime<Utc>,
}

/// Which accounts of a folder are taken: all, or every other one by the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    All,
    Even,
    Odd,
}

/// Reads every `*_posts_*.csv` of a folder that has the columns `published`, `account` and
/// `first_seen` (several rows of one time and account are one push) and, where there are any, `*_accounts.csv` (columns
/// `account`, `first_snapshot`).
///
/// An account is watched from the Shanghai day after its first snapshot, or after its first
/// `first_seen`. Accounts without a push in the time are left out.
pub(crate) fn recorded(
    folder: &Path,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    half: Half,
) -> anyhow::Result<Set> {
    let mut pushes: BTreeMap<String, Vec<DateTime<Utc>>> = BTreeMap::new();
    let mut begun: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<anyhow::Result<_>>()?;
    files.sort();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with("_accounts.csv") {
            for [account, first] in rows(file, ["account", "first_snapshot"])? {
                begun.insert(account, instant(&first)?);
            }
        }
    }
    let mut first_seen: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.contains("_posts_") && name.ends_with(".csv") && has_column(file, "first_seen")? {
            for [published, account, seen] in rows(file, ["published", "account", "first_seen"])? {
                let seen = instant(&seen)?;
                first_seen
                    .entry(account.clone())
                    .and_modify(|at| *at = seen.min(*at))
                    .or_insert(seen);
                pushes.entry(account).or_default().push(instant(&published)?);
            }
        }
    }
    if pushes.is_empty() {
        bail!("{}: no rows in any *_posts_*.csv", folder.display());
    }
    let accounts = pushes.into_iter().map(|(name, mut pushes)| {
        pushes.sort_unstable();
        pushes.dedup();
        let seen = begun.get(&name).or(first_seen.get(&name)).copied().unwrap_or(from);
        let next_day = shanghai_date(seen).succ_opt().unwrap_or_default();
        Account { name, watched_from: shanghai_midnight(next_day).max(from), pushes }
    });
    let wanted = |(place, account): &(usize, Account)| {
        let chosen = match half {
            Half::All => true,
            Half::Even => place % 2 == 0,
            Half::Odd => place % 2 == 1,
        };
        chosen && account.pushes.iter().any(|at| *at >= account.watched_from && *at < to)
    };
    let accounts = accounts.enumerate().filter(wanted).map(|(_, account)| account).collect();
    let title = format!("histories {} to {}", shanghai_date(from), shanghai_date(to));
    Ok(Set { title, accounts, from, to, scored_from: from })
}

fn has_column(file: &Path, column: &str) -> anyhow::Result<bool> {
    let mut reader = csv::Reader::from_path(file)?;
    Ok(reader.headers()?.iter().any(|header| header == column))
}

fn rows<const N: usize>(file: &Path, columns: [&str; N]) -> anyhow::Result<Vec<[String; N]>> {
    let mut reader = csv::Reader::from_path(file)?;
    let headers = reader.headers()?.clone();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let found = headers.iter().position(|header| header == column);
        *place = found.with_context(|| format!("{}: no column {column}", file.display()))?;
    }
    let mut rows = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let record = record.with_context(|| format!("{}: row {number}", file.display()))?;
        rows.push(places.map(|place| record.get(place).unwrap_or_default().to_owned()));
    }
    Ok(rows)
}

fn instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    text.parse().with_context(|| format!("{text:?} is no RFC 3339 time"))
}

/// Constant rates, log-normal over the accounts (median 0.65, mean 1.6 a day), Poisson in time; 60
/// days, of which the second half counts.
pub(crate) fn stationary(accounts: usize, seed: u64) -> Set {
    let (from, days) = (start(), 60);
    let mut dice = Dice(seed);
    let sigma = (2.0 * (1.6f64 / 0.65).ln()).sqrt();
    let accounts = (0..accounts).map(|number| {
        let rate = 0.65 * (sigma * dice.normal()).exp();
        let pushes = dice.poisson(rate, from - TimeDelta::days(30), 30 + days, |_| 1.0);
        Account { name: format!("s{number}"), watched_from: from, pushes }
    });
    let accounts = accounts.collect();
    let title = "stationary mix".to_owned();
    let scored_from = from + TimeDelta::days(days / 2);
    Set { title, accounts, from, to: from + TimeDelta::days(days), scored_from }
}

/// Made-up accounts with habits: a push a day about a usual minute, some on workdays only, some
/// several times a day by office hours, a few that fall silent.
pub(crate) fn habitual(accounts: usize, seed: u64) -> Set {
    let (from, days) = (start(), 120);
    let mut dice = Dice(seed);
    let accounts = (0..accounts).map(|number| {
        let begin = from - TimeDelta::days(30);
        let usual = 7.0 * 60.0 + 30.0 * (dice.even() * 30.0).floor();
        let jitter = if dice.even() < 0.5 { 0.0 } else { 90.0 };
        let workdays = dice.even() < 0.4;
        let posting = 0.3 + 0.7 * dice.even();
        let ends = if number % 10 == 9 { 40 } else { days };
        let mut pushes = if number % 5 == 4 {
            let office = |hour: usize| if (8..20).contains(&hour) { 2.0 } else { 0.0 };
            dice.poisson(3.0, begin, 30 + ends, office)
        } else {
            let mut pushes = Vec::new();
            for day in 0..30 + ends {
                if (workdays && day % 7 >= 5) || dice.even() > posting {
                    continue;
                }
                let minute = (usual + jitter * dice.normal()).clamp(0.0, 1439.0);
                pushes.push(begin + TimeDelta::days(day) + TimeDelta::minutes(minute as i64));
            }
            pushes
        };
        pushes.sort_unstable();
        Account { name: format!("h{number}"), watched_from: from, pushes }
    });
    let accounts = accounts.collect();
    let title = "habitual mix".to_owned();
    let scored_from = from + TimeDelta::days(30);
    Set { title, accounts, from, to: from + TimeDelta::days(days), scored_from }
}

/// Writes a set in the form that [`recorded`] reads.
pub(crate) fn write(set: &Set, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let shown = |at: DateTime<Utc>| at.to_rfc3339();
    let mut accounts = csv::Writer::from_path(folder.join("made_up_accounts.csv"))?;
    let mut posts = csv::Writer::from_path(folder.join("made_up_posts_all.csv"))?;
    accounts.write_record(["account", "first_snapshot"])?;
    posts.write_record(["published", "account", "first_seen"])?;
    for account in &set.accounts {
        let first = account.watched_from - TimeDelta::hours(16);
        accounts.write_record([&account.name, &shown(first)])?;
        for at in &account.pushes {
            posts.write_record([&shown(*at), &account.name, &shown((*at).max(first))])?;
        }
    }
    accounts.flush()?;
    posts.flush()?;
    Ok(())
}

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_089) - TimeDelta::hours(8)
}

/// The same numbers for the same seed: SplitMix64.
struct Dice(u64);

impl Dice {
    fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.even()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.even()).cos()
    }

    /// A Poisson process by thinning: `rate` a day times the profile of the Shanghai hour, at most
    /// twice the mean.
    fn poisson(
        &mut self,
        rate: f64,
        from: DateTime<Utc>,
        days: i64,
        profile: impl Fn(usize) -> f64,
    ) -> Vec<DateTime<Utc>> {
        let mut pushes = Vec::new();
        let mut day = 0.0;
        loop {
            day -= (1.0 - self.even()).ln() / (2.0 * rate);
            if day >= days as f64 {
                return pushes;
            }
            let hour = (day.fract() * 24.0) as usize;
            if self.even() * 2.0 < profile(hour) {
                pushes.push(from + TimeDelta::seconds((day * 86_400.0) as i64));
            }
        }
    }
}
