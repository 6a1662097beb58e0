use chrono::{DateTime, Utc};

use crate::domain::{Count, Standing};

use super::table::{ACCOUNT_INFO, ACCOUNT_SCORE_POINTS};
use super::text::{epoch_seconds, number, push_label};

/// The per-account series, kept by column and written family by family.
///
/// A registry of 100,000 accounts × 8 gauges takes seconds and 900 MiB to gather; this keeps each
/// account's labels as bytes, escaped once, and copies them, in tens of milliseconds.
#[derive(Debug)]
pub struct AccountsPage {
    accounts_max: usize,
    pub(super) dropped: u64,
    /// `key="…",platform="…"` of each account.
    pub(super) labels: Texts,
    /// The further labels of `account_info`.
    pub(super) info: Texts,
    pub(super) activities: Vec<&'static str>,
    pub(super) last_posts: Vec<Option<f64>>,
    pub(super) last_observations: Vec<Option<f64>>,
    pub(super) silence_deadlines: Vec<Option<f64>>,
    pub(super) followers: Vec<Option<f64>>,
    pub(super) dimensions: Vec<Dimension>,
}

/// One dimension's points, of the accounts that have them.
#[derive(Debug)]
pub(super) struct Dimension {
    name: String,
    pub(super) label: String,
    pub(super) points: Vec<(usize, f64)>,
}

impl AccountsPage {
    /// A page for at most `accounts_max` accounts; the rest is counted as dropped.
    pub fn new(accounts_max: u32) -> Self {
        Self {
            accounts_max: accounts_max as usize,
            dropped: 0,
            labels: Texts::default(),
            info: Texts::default(),
            activities: Vec::new(),
            last_posts: Vec::new(),
            last_observations: Vec::new(),
            silence_deadlines: Vec::new(),
            followers: Vec::new(),
            dimensions: Vec::new(),
        }
    }

    /// The page of these accounts, worst first.
    pub fn of(standings: &[Standing], accounts_max: u32) -> Self {
        let mut page = Self::new(accounts_max);
        for standing in standings {
            page.push(standing);
        }
        page
    }

    /// Takes a whole account, or counts it as dropped where the page is full. The worst come first.
    pub fn push(&mut self, standing: &Standing) {
        if self.accounts() == self.accounts_max {
            self.dropped += 1;
            return;
        }
        self.push_scores(standing);
        self.labels.push(|text| {
            push_label(text, "key", &standing.key);
            text.push(',');
            push_label(text, "platform", &standing.platform);
        });
        self.info.push(|text| {
            let values = [
                standing.name.as_str(),
                &standing.sponsor,
                standing.region.as_str(),
                standing.category.as_deref().unwrap_or_default(),
            ];
            for (name, value) in ACCOUNT_INFO.labels[2..].iter().zip(values) {
                text.push(',');
                push_label(text, name, value);
            }
        });
        self.activities.push(standing.activity.as_str());
        let seconds = |at: Option<DateTime<Utc>>| at.map(epoch_seconds);
        self.last_posts.push(seconds(standing.last_post_at));
        self.last_observations.push(seconds(standing.last_observation_at));
        self.silence_deadlines.push(seconds(standing.silence_deadline_at));
        self.followers.push(standing.followers.as_ref().and_then(Count::value).map(number));
    }

    fn push_scores(&mut self, standing: &Standing) {
        let account = self.accounts();
        for (name, points) in standing.scores.iter().filter(|(_, points)| points.is_finite()) {
            let known = self.dimensions.iter().position(|one| one.name == *name);
            let place = known.unwrap_or_else(|| {
                let mut label = String::from(",");
                push_label(&mut label, ACCOUNT_SCORE_POINTS.labels[2], name);
                self.dimensions.push(Dimension { name: name.clone(), label, points: Vec::new() });
                self.dimensions.len() - 1
            });
            self.dimensions[place].points.push((account, *points));
        }
    }

    /// Counts accounts that were left out before, by the query's own limit.
    pub fn add_dropped(&mut self, accounts: u64) {
        self.dropped += accounts;
    }

    /// Accounts on the page.
    pub fn accounts(&self) -> usize {
        self.activities.len()
    }
}

/// Many short texts in one buffer.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    pub(super) fn at(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }
}
