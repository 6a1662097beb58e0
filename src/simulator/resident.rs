use chrono::{DateTime, Duration, Utc};

use crate::domain::LedgerEntry;

use super::chance::Chance;
use super::character::{Character, Venue};
use super::fault::Fault;
use super::names;
use super::plan::Plan;
use super::script::Item;

/// One account of the city with all that is scripted for it.
#[derive(Debug)]
pub(super) struct Resident {
    pub(super) venue: Venue,
    pub(super) character: Character,
    pub(super) look: Look,
    pub(super) entry: LedgerEntry,
    pub(super) plan: Plan,
    /// Whether it stands in the office's ledger.
    pub(super) registered: bool,
}

/// How an account answers the messages of citizens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replies {
    /// Nobody writes.
    NoMessages,
    /// All within a day.
    Prompt,
    /// Most, after days.
    Slow,
    /// None.
    Never,
}

/// How an account's pages look; drawn once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Weibo: `N分钟前` and the like instead of the full time.
    pub(super) relative_times: bool,
    /// Weibo: large numbers as `1.2万`, `100万+`.
    pub(super) rounded_counts: bool,
    /// Portals: GB2312 instead of UTF-8. Feeds: Atom instead of RSS.
    pub(super) second_form: bool,
    /// Portals: dates in parentheses. Feeds: times in GMT.
    pub(super) second_dates: bool,
    /// Which of its venue's walls it stands behind.
    pub(super) wall: usize,
    /// Share of posts that repeat another account's, in percent.
    pub(super) reposts_percent: u64,
    pub(super) replies: Replies,
}

impl Look {
    /// Draws a look; walls take turns.
    pub(super) fn draw(chance: &mut Chance, turn: usize) -> Self {
        Self {
            relative_times: chance.percent(50),
            rounded_counts: chance.percent(50),
            second_form: chance.percent(40),
            second_dates: chance.percent(30),
            wall: turn,
            reposts_percent: *chance.pick(&[0, 10, 30]),
            replies: *chance.pick(&[
                Replies::NoMessages,
                Replies::Prompt,
                Replies::Slow,
                Replies::Never,
            ]),
        }
    }
}

impl Resident {
    /// The host its page is on.
    pub(super) fn host(&self) -> &str {
        self.address().split('/').next().unwrap_or_default()
    }

    /// Its page's address without the scheme.
    pub(super) fn address(&self) -> &str {
        let url = self.entry.url.as_deref().unwrap_or_default();
        url.split_once("://").map_or(url, |(_, rest)| rest)
    }

    /// Whether the platform has taken it away.
    pub(super) fn is_gone(&self, now: DateTime<Utc>) -> bool {
        self.plan.cancelled_at.is_some_and(|gone| gone <= now)
    }

    /// The obstacle in force at an instant.
    pub(super) fn obstacle(&self, now: DateTime<Utc>) -> Option<Fault> {
        self.plan.obstacle.filter(|fault| match fault {
            // Not in step with the hour: a visitor who comes hourly must not always be refused.
            Fault::TooManyRequests { .. } => now.timestamp().div_euclid(1500) % 3 == 0,
            _ => true,
        })
    }

    /// The title of an item.
    pub(super) fn title(&self, item: &Item) -> String {
        let script = &self.plan.script;
        names::title(
            script.seed,
            script.number,
            item.written_at.timestamp(),
            item.place,
            &self.entry.sponsor,
        )
    }

    /// When the bridge last fetched this account: every two hours, at a minute of its own.
    pub(super) fn upstream_success_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let shift = (self.plan.script.number * 613).cast_signed() % 7_200;
        now - Duration::seconds((now.timestamp() - shift).rem_euclid(7_200))
    }
}
