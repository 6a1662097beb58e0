use std::cmp::Reverse;
use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::domain::{Activity, Count, Standing};

use super::table::{
    ACCOUNT_ACTIVITY, ACCOUNT_FOLLOWERS, ACCOUNT_INFO, ACCOUNT_LAST_OBSERVATION, ACCOUNT_LAST_POST,
    ACCOUNT_SCORE_POINTS, ACCOUNT_SILENCE_DEADLINE, ACCOUNTS_DROPPED, Family,
};
use super::text::{epoch_seconds, number, push_header, push_label, push_number, push_series};

/// Bytes of one account's usual nine series, labels included; a short guess costs one regrowth.
const BYTES_AN_ACCOUNT: usize = 1_100;

/// The per-account series, written family by family into one buffer.
///
/// A registry of 100,000 accounts × 8 gauges takes seconds and 900 MiB to gather; this writer
/// keeps each account's labels as bytes once and copies them, in tens of milliseconds.
#[derive(Debug)]
pub struct AccountsPage<'a> {
    standings: Vec<&'a Standing>,
    dropped: u64,
}

impl<'a> AccountsPage<'a> {
    /// Takes whole accounts, worst first, at most `accounts_max`; the rest is counted as dropped.
    pub fn new(standings: &'a [Standing], accounts_max: u32) -> Self {
        let accounts_max = accounts_max as usize;
        let mut kept: Vec<&Standing> = standings.iter().collect();
        if kept.len() > accounts_max {
            kept.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)));
            kept.truncate(accounts_max);
        }
        let dropped = (standings.len() - kept.len()) as u64;
        Self { standings: kept, dropped }
    }

    /// Counts accounts that were left out before, by the query's own limit.
    #[must_use]
    pub fn with_dropped(mut self, accounts: u64) -> Self {
        self.dropped += accounts;
        self
    }

    /// The page in the text format.
    pub fn render(&self) -> String {
        let labels = Labels::new(&self.standings);
        let mut text = String::with_capacity(2_048 + self.standings.len() * BYTES_AN_ACCOUNT);
        push_header(&mut text, &ACCOUNTS_DROPPED);
        push_series(&mut text, &ACCOUNTS_DROPPED, &[], number(self.dropped));
        self.push_info(&mut text, &labels);
        push_header(&mut text, &ACCOUNT_ACTIVITY);
        for (standing, account) in self.rows(&labels) {
            let word = standing.activity.as_str();
            push_account(&mut text, &ACCOUNT_ACTIVITY, account, &[word], 1.0);
        }
        self.push_times(&mut text, &labels, &ACCOUNT_LAST_POST, |one| one.last_post_at);
        self.push_times(&mut text, &labels, &ACCOUNT_LAST_OBSERVATION, |one| {
            one.last_observation_at
        });
        self.push_times(&mut text, &labels, &ACCOUNT_SILENCE_DEADLINE, |one| {
            one.silence_deadline_at
        });
        push_header(&mut text, &ACCOUNT_SCORE_POINTS);
        for (standing, account) in self.rows(&labels) {
            for (dimension, points) in standing.scores.iter().filter(|(_, p)| p.is_finite()) {
                push_account(&mut text, &ACCOUNT_SCORE_POINTS, account, &[dimension], *points);
            }
        }
        push_header(&mut text, &ACCOUNT_FOLLOWERS);
        for (standing, account) in self.rows(&labels) {
            if let Some(followers) = standing.followers.as_ref().and_then(Count::value) {
                push_account(&mut text, &ACCOUNT_FOLLOWERS, account, &[], number(followers));
            }
        }
        text
    }

    fn rows<'b>(&'b self, labels: &'b Labels) -> impl Iterator<Item = (&'a Standing, &'b str)> {
        self.standings.iter().copied().zip(labels.iter())
    }

    fn push_info(&self, text: &mut String, labels: &Labels) {
        push_header(text, &ACCOUNT_INFO);
        for (standing, account) in self.rows(labels) {
            let rest = [
                standing.name.as_str(),
                &standing.sponsor,
                standing.region.as_str(),
                standing.category.as_deref().unwrap_or_default(),
            ];
            push_account(text, &ACCOUNT_INFO, account, &rest, 1.0);
        }
    }

    fn push_times(
        &self,
        text: &mut String,
        labels: &Labels,
        family: &Family,
        time: impl Fn(&Standing) -> Option<DateTime<Utc>>,
    ) {
        push_header(text, family);
        for (standing, account) in self.rows(labels) {
            if let Some(at) = time(standing) {
                push_account(text, family, account, &[], epoch_seconds(at));
            }
        }
    }
}

/// Every account's `key="…",platform="…"`, escaped once, in one buffer.
struct Labels {
    text: String,
    ends: Vec<usize>,
}

impl Labels {
    fn new(standings: &[&Standing]) -> Self {
        let mut text = String::with_capacity(standings.len() * 64);
        let ends = standings
            .iter()
            .map(|standing| {
                push_label(&mut text, "key", &standing.key);
                text.push(',');
                push_label(&mut text, "platform", &standing.platform);
                text.len()
            })
            .collect();
        Self { text, ends }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[Range { start, end }])
    }
}

/// Writes one series whose first two labels are the account's; `rest` are the others.
fn push_account(text: &mut String, family: &Family, account: &str, rest: &[&str], value: f64) {
    debug_assert_eq!(family.labels.len(), 2 + rest.len(), "{}", family.name);
    text.push_str(family.name);
    text.push('{');
    text.push_str(account);
    for (name, value) in family.labels.iter().skip(2).zip(rest) {
        text.push(',');
        push_label(text, name, value);
    }
    text.push('}');
    push_number(text, value);
}

/// Worst first: what accuses, then what is unknown, then the active; inside, the oldest post.
fn rank(standing: &Standing) -> (u8, bool, Option<DateTime<Utc>>, Reverse<u64>, &str) {
    let badness = match standing.activity {
        Activity::Gone => 0,
        Activity::Empty => 1,
        Activity::Zombie => 2,
        Activity::Dormant => 3,
        Activity::Watch => 4,
        Activity::Undetermined(_) => 5,
        Activity::Active => 6,
    };
    let followers = standing.followers.as_ref().and_then(Count::low).unwrap_or(0);
    let last = standing.last_post_at;
    (badness, last.is_none(), last, Reverse(followers), &standing.key)
}
