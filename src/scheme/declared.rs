//! Numbers that a scheme defines itself, beside those of the catalogue.

use chrono::{NaiveTime, Weekday};
use regex::Regex;
use rust_decimal::Decimal;

use super::rhythm::Every;
use super::{Certainty, Compare};

/// One number, or a few of one kind, that a scheme defines.
#[derive(Debug)]
pub struct Declared {
    /// The name in expressions.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause it stands for.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// What it is.
    pub kind: DeclaredKind,
}

/// What a declared number is.
#[derive(Debug)]
pub enum DeclaredKind {
    /// How many whole weeks, months or quarters of the period fall short of a minimum of posts.
    Minimum(Minimum),
    /// Messages answered after, or unanswered beyond, one stage of a reply deadline; `<id>_share`
    /// is their share.
    Deadline(Deadline),
    /// The share of the peer group, 0–1, that has less, half of those with as much included.
    Peers(Peers),
    /// The place in the peer group, 1 for the most; `<id>_run` is for how many periods in a row,
    /// this one included, the place was within `top`.
    Rank(Rank),
    /// What a person enters.
    Manual(Manual),
    /// A number in a column of the ledger that the program does not know.
    Column {
        /// The column's header.
        column: String,
    },
}

impl Declared {
    /// The names it adds to the expressions.
    pub fn names(&self) -> Vec<String> {
        match self.kind {
            DeclaredKind::Deadline(_) => vec![self.id.clone(), format!("{}_share", self.id)],
            DeclaredKind::Rank(_) => vec![self.id.clone(), format!("{}_run", self.id)],
            _ => vec![self.id.clone()],
        }
    }

    /// Whether it can be told only beside other accounts.
    pub fn needs_others(&self) -> bool {
        matches!(self.kind, DeclaredKind::Peers(_) | DeclaredKind::Rank(_))
    }
}

/// At least so many posts in every unit of time.
#[derive(Debug)]
pub struct Minimum {
    /// The unit; units that the judged window does not hold whole are left out.
    pub every: Every,
    /// The day on which weeks begin.
    pub week_starts: Weekday,
    /// Which posts count.
    pub only: Only,
    /// How the count is held against the number: `>=` 3 is met by three.
    pub compare: Compare,
    /// The number.
    pub value: u32,
}

/// Which posts count.
#[derive(Debug, Default)]
pub struct Only {
    /// Only those marked as originals.
    pub original: bool,
    /// Only those whose title matches: a topic.
    pub title: Option<Regex>,
}

/// What a reply term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermUnit {
    /// Hours of sixty minutes.
    Hours,
    /// Days of 24 hours.
    Days,
    /// Calendar days, to 24:00 Asia/Shanghai of the last.
    CalendarDays,
    /// Working days of the State Council's calendar, to 24:00 Asia/Shanghai of the last.
    WorkingDays,
}

impl TermUnit {
    /// Every unit with its stable word.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Hours, "hours"),
        (Self::Days, "days"),
        (Self::CalendarDays, "calendar_days"),
        (Self::WorkingDays, "working_days"),
    ];
}

/// One stage of a reply deadline: acknowledge (首次回应), answer (答复), longest (最长).
#[derive(Debug)]
pub struct Deadline {
    /// The kinds of message; empty for every kind.
    pub kinds: Vec<String>,
    /// `>`: late only beyond the term; `>=`: already at its end.
    pub compare: Compare,
    /// How many units.
    pub value: u32,
    /// The unit.
    pub unit: TermUnit,
    /// Whether the day of receipt is the first day.
    pub receipt_day_counted: bool,
    /// What comes outside is received on the next working day; absent: on its own day.
    pub office_hours: Option<(NaiveTime, NaiveTime)>,
}

/// What two accounts share to be peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKey {
    /// The platform.
    Platform,
    /// 层级.
    Level,
    /// 类别.
    Category,
    /// 角色.
    Role,
    /// The province, the first two digits of the region.
    Province,
    /// The city, the first four digits of the region.
    City,
    /// The region, six digits.
    Region,
}

impl GroupKey {
    /// Every key with its stable word.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Platform, "platform"),
        (Self::Level, "level"),
        (Self::Category, "category"),
        (Self::Role, "role"),
        (Self::Province, "province"),
        (Self::City, "city"),
        (Self::Region, "region"),
    ];
}

/// A percentile among peers.
#[derive(Debug)]
pub struct Peers {
    /// The measure compared.
    pub of: String,
    /// What peers share.
    pub group: Vec<GroupKey>,
    /// A smaller group of accounts with a number says nothing.
    pub at_least: u32,
}

/// A place among peers.
#[derive(Debug)]
pub struct Rank {
    /// The measure, dimension or composite compared.
    pub of: String,
    /// What peers share.
    pub group: Vec<GroupKey>,
    /// The places that count for the run.
    pub top: u32,
}

/// A person's entry.
#[derive(Debug)]
pub struct Manual {
    /// The most that may be entered; the least is 0.
    pub max: Decimal,
    /// What holds where nobody has entered anything; absent: the number is undetermined.
    pub absent: Option<Decimal>,
}
