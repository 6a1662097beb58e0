//! A site's home page and columns: when they were last updated, and which stand still.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ColumnClass;

use super::threshold::{Threshold, Unit};

/// `[observe.site]`: what the national rules ask of a site (国办秘函〔2019〕19号, 单项否决).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteRules {
    /// Days that availability is monitored.
    pub probe_days: u32,
    /// Counted probes that each of them needs.
    pub probes_per_day_min: u32,
    /// Probes closer together than this count once.
    pub probe_apart_minutes: u32,
    /// A page that has not come within so many seconds has not opened.
    pub probe_limit_seconds: u32,
    /// From this share of failures on the site is unreachable, in percent; itself included.
    pub probe_failed_percent: u32,
    /// 首页不更新: the home page without an update.
    pub home: Threshold,
    /// 栏目不更新, 动态/要闻.
    pub news: Threshold,
    /// 通知公告.
    pub notices: Threshold,
    /// 政策文件.
    pub policies: Threshold,
    /// Any other column; no national rule names a limit, local ones have six months.
    pub other: Threshold,
    /// So many 动态/要闻, 通知公告 and 政策文件 columns without an update fail a site.
    pub stale_max: u32,
    /// So many other columns that have long not been updated do.
    pub long_stale_max: u32,
    /// So many blank columns do.
    pub blank_max: u32,
    /// A look older than this many hours says nothing of now.
    pub look_age_max_hours: u32,
}

impl Default for SiteRules {
    fn default() -> Self {
        Self {
            probe_days: 7,
            probes_per_day_min: 20,
            probe_apart_minutes: 10,
            probe_limit_seconds: 15,
            probe_failed_percent: 5,
            home: Threshold::more_than(14, Unit::Days),
            news: Threshold::more_than(14, Unit::Days),
            notices: Threshold::more_than(6, Unit::Months),
            policies: Threshold::more_than(6, Unit::Months),
            other: Threshold::more_than(6, Unit::Months),
            stale_max: 5,
            long_stale_max: 10,
            blank_max: 5,
            look_age_max_hours: 72,
        }
    }
}

impl SiteRules {
    /// What is wrong with the numbers: each setting's name with the reason.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        for (field, value, least, most) in [
            ("site.probe_days", self.probe_days, 1, 31),
            ("site.probes_per_day_min", self.probes_per_day_min, 1, 96),
            ("site.probe_apart_minutes", self.probe_apart_minutes, 1, 60),
            ("site.probe_limit_seconds", self.probe_limit_seconds, 1, 60),
            ("site.probe_failed_percent", self.probe_failed_percent, 1, 100),
            ("site.stale_max", self.stale_max, 1, 1000),
            ("site.long_stale_max", self.long_stale_max, 1, 1000),
            ("site.blank_max", self.blank_max, 1, 1000),
            ("site.look_age_max_hours", self.look_age_max_hours, 24, 24 * 31),
        ] {
            if !(least..=most).contains(&value) {
                problems.push((field, format!("must be from {least} to {most}, not {value}")));
            }
        }
        problems
    }

    /// Whether so many failures among so many probes are too many.
    pub(super) fn fails(&self, failed: u32, counted: u32) -> bool {
        u64::from(failed) * 100 >= u64::from(counted) * u64::from(self.probe_failed_percent)
    }

    fn limit(&self, class: ColumnClass) -> Threshold {
        match class {
            ColumnClass::News => self.news,
            ColumnClass::Notices => self.notices,
            ColumnClass::Policies => self.policies,
            ColumnClass::Messages | ColumnClass::Other => self.other,
        }
    }

    fn look_age_max(&self) -> Duration {
        Duration::hours(self.look_age_max_hours.into())
    }
}

/// A date alone means any time of its day: what it says is taken at its latest.
const DAY: Duration = Duration::days(1);

/// For as long as a home page read the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeRun {
    /// When it was first read so.
    pub from: DateTime<Utc>,
    /// When it was last read so.
    pub to: DateTime<Utc>,
    /// What it showed; `None` where it could not be read.
    pub shown: Option<HomeShown>,
}

/// What a home page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeShown {
    /// Digest of its items.
    pub fingerprint: String,
    /// How many items; 0: it only leads on.
    pub items: u32,
    /// The newest date on it.
    pub newest_at: Option<DateTime<Utc>>,
}

/// A column as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnState {
    /// What it is for.
    pub class: ColumnClass,
    /// When it was last read.
    pub looked_at: Option<DateTime<Utc>>,
    /// The newest date on it.
    pub newest_at: Option<DateTime<Utc>>,
    /// Since when it has been read without any item.
    pub blank_since: Option<DateTime<Utc>>,
}

/// What is proven of a home page or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// It was updated within its limit, last at this time.
    Updated(DateTime<Utc>),
    /// It was not: nothing newer than this; `None` where it bears no date at all.
    Stale(Option<DateTime<Utc>>),
    /// It holds nothing (空白栏目).
    Blank,
    /// Not enough was seen.
    Undetermined,
}

impl Currency {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Updated(_) => "updated",
            Self::Stale(_) => "stale",
            Self::Blank => "blank",
            Self::Undetermined => "undetermined",
        }
    }
}

/// Whether a column is kept current, at `cutoff`.
///
/// What has not been read lately is undetermined. A column whose items bear no date is stale from
/// when it was first read so, since an undated item counts as no update (2015年全国政府网站普查).
pub fn column_currency(column: &ColumnState, rules: &SiteRules, cutoff: DateTime<Utc>) -> Currency {
    let read = column.looked_at.is_some_and(|at| cutoff - at <= rules.look_age_max());
    let window = rules.limit(column.class).window(cutoff);
    if let Some(newest) = column.newest_at
        && window.meets(newest, newest + DAY)
    {
        return Currency::Updated(newest);
    }
    match (read, column.blank_since, column.newest_at) {
        (false, ..) => Currency::Undetermined,
        (true, Some(_), _) => Currency::Blank,
        (true, None, newest) => Currency::Stale(newest),
    }
}

/// Whether a home page is kept current, at `cutoff`.
///
/// Updated: it bears a date within the limit, or what it lists changed within it. Stale: it was
/// read the same before the limit began and lately, and bears no date within it. One that lists
/// nothing only leads on: then its columns speak, and it is stale only where every one is.
pub fn home_currency(
    runs: &[HomeRun],
    columns: &[ColumnState],
    rules: &SiteRules,
    cutoff: DateTime<Utc>,
) -> Currency {
    let window = rules.home.window(cutoff);
    let mut read: Vec<(&HomeRun, &HomeShown)> =
        runs.iter().filter_map(|run| Some((run, run.shown.as_ref()?))).collect();
    read.sort_by_key(|(run, _)| run.from);
    let read: Vec<_> = read.into_iter().filter(|(run, _)| run.from < cutoff).collect();
    let dated = read.iter().filter_map(|(_, shown)| shown.newest_at);
    if let Some(newest) = dated.clone().filter(|at| window.meets(*at, *at + DAY)).max() {
        return Currency::Updated(newest);
    }
    let changed = read.windows(2).filter_map(|pair| {
        let [(before, old), (after, new)] = pair else { return None };
        // The change lies between the two: it counts only where all of that is within the limit.
        let inside = window.begins_by(before.to) && old.fingerprint != new.fingerprint;
        (inside && new.items > 0).then_some(after.from)
    });
    if let Some(changed) = changed.max() {
        return Currency::Updated(changed);
    }
    let Some((newest, shown)) = read.last() else { return Currency::Undetermined };
    if cutoff - newest.to > rules.look_age_max() {
        return Currency::Undetermined;
    }
    if shown.items == 0 {
        return second_level(columns, rules, cutoff);
    }
    let same = read.iter().rev().take_while(|(_, other)| other.fingerprint == shown.fingerprint);
    let since = same.map(|(run, _)| run.from).min().unwrap_or(newest.from);
    if window.begins_by(since) && since > window.start {
        return Currency::Undetermined;
    }
    Currency::Stale(dated.max())
}

/// The second-level pages of a home page that only leads on, by the limit of the home page.
fn second_level(columns: &[ColumnState], rules: &SiteRules, cutoff: DateTime<Utc>) -> Currency {
    let window = rules.home.window(cutoff);
    let dated = columns.iter().filter_map(|column| column.newest_at);
    if let Some(newest) = dated.clone().filter(|at| window.meets(*at, *at + DAY)).max() {
        return Currency::Updated(newest);
    }
    let all_read = columns
        .iter()
        .all(|column| column.looked_at.is_some_and(|at| cutoff - at <= rules.look_age_max()));
    if columns.is_empty() || !all_read {
        return Currency::Undetermined;
    }
    Currency::Stale(dated.max())
}

/// The columns of a site, counted as the rule counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnCounts {
    /// All columns.
    pub columns: u32,
    /// 动态/要闻, 通知公告 and 政策文件 columns that are stale.
    pub stale: u32,
    /// Other columns that have long not been updated.
    pub long_stale: u32,
    /// Blank ones.
    pub blank: u32,
    /// Columns of which too little was seen.
    pub undetermined: u32,
    /// 栏目不更新: whether the counts fail the site; `None` where the undetermined ones decide.
    pub fails: Option<bool>,
}

/// Counts the columns of a site at `cutoff`. Message boards are no columns that should be updated.
pub fn column_counts(
    columns: &[ColumnState],
    rules: &SiteRules,
    cutoff: DateTime<Utc>,
) -> ColumnCounts {
    let mut counts = ColumnCounts::default();
    for column in columns.iter().filter(|column| column.class != ColumnClass::Messages) {
        counts.columns += 1;
        match (column_currency(column, rules, cutoff), column.class) {
            (Currency::Updated(_), _) => {}
            (Currency::Stale(_), ColumnClass::Other | ColumnClass::Messages) => {
                counts.long_stale += 1;
            }
            (Currency::Stale(_), _) => counts.stale += 1,
            (Currency::Blank, _) => counts.blank += 1,
            (Currency::Undetermined, _) => counts.undetermined += 1,
        }
    }
    let over = |more: u32| {
        counts.stale + more >= rules.stale_max
            || counts.long_stale + more >= rules.long_stale_max
            || counts.blank + more >= rules.blank_max
    };
    counts.fails = match (over(0), over(counts.undetermined)) {
        (true, _) => Some(true),
        (false, false) => Some(false).filter(|_| counts.columns > 0),
        (false, true) => None,
    };
    counts
}

#[cfg(test)]
mod tests;
