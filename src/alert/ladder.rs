use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use crate::domain::{SHANGHAI, shanghai_midnight};
use crate::observe::{History, ListedPost, Policy, Threshold, Unit, coverage, judge_at, latest};

use super::limit::Operator;

/// How notices that nobody answered become a naming (通报), and namings a proposal of closure.
///
/// 汕尾, 汕府办函〔2020〕137号: 通知更新而未更新的次数达到两次以上 (≥ 2) in the quarter → named in it;
/// 通报超过两次 (> 2) → forced closure, which here is a proposal that a person decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// From how many missed notices on an account is to be named.
    pub missed: Rung,
    /// From how many namings on its closure is proposed.
    pub namings: Rung,
    /// What makes earlier missed notices no longer count.
    pub reset: Reset,
}

/// One step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// `>` 超过, or `>=` 以上.
    pub operator: Operator,
    /// The number.
    pub value: u32,
    /// What is counted together.
    pub window: LadderWindow,
}

impl From<(Operator, u32, LadderWindow)> for Rung {
    fn from((operator, value, window): (Operator, u32, LadderWindow)) -> Self {
        Self { operator, value, window }
    }
}

impl Rung {
    fn is_reached(self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.operator.compares(f64::from(count), f64::from(self.value))
    }
}

/// What is counted together, in calendar time of Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LadderWindow {
    /// The quarter that holds the instant asked about.
    Quarter,
    /// The year that holds it.
    Year,
    /// Everything up to it.
    AllTime,
}

impl LadderWindow {
    /// Every window with its word in files and its Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Quarter, "quarter", "本季度"),
        (Self::Year, "year", "本年度"),
        (Self::AllTime, "all_time", "累计"),
    ];

    /// The Chinese name.
    pub fn title(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    fn holds(self, one: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        one <= at && self.begins(one) == self.begins(at)
    }

    /// The end of the window before the one that holds an instant, which by then is whole.
    pub fn end_before(self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.begins(at).map(shanghai_midnight)
    }

    /// The first day of the window that holds an instant; midnight ends the day before it.
    fn begins(self, at: DateTime<Utc>) -> Option<NaiveDate> {
        let local = at.with_timezone(&SHANGHAI);
        let ends_a_day = local.num_seconds_from_midnight() == 0 && local.nanosecond() == 0;
        let day = local.date_naive();
        let day = if ends_a_day { day.pred_opt().unwrap_or(day) } else { day };
        match self {
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
            Self::AllTime => None,
        }
    }
}

/// What makes earlier missed notices no longer count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Nothing but the window.
    Never,
    /// A naming: what led to it does not lead to the next.
    OnNaming,
    /// A later notice that was answered.
    OnAnswer,
}

impl Reset {
    /// Every reset with its word in files.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Never, "never"), (Self::OnNaming, "on_naming"), (Self::OnAnswer, "on_answer")];
}

/// Whether a notice to update was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A new post appeared in time.
    Answered {
        /// The platform's id of the post.
        post: String,
        /// When it was published, as closely as is known.
        at: DateTime<Utc>,
    },
    /// It is proven that none did.
    Missed,
    /// Not told yet, or not to be told; never counted as missed.
    Unknown(&'static str),
}

/// One notice to update and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeFact {
    /// When it was sent.
    pub issued_at: DateTime<Utc>,
    /// The end of its time.
    pub deadline: DateTime<Utc>,
    /// What came of it.
    pub answer: Answer,
}

/// Where an account stands on the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LadderStanding {
    /// Missed notices that count, by their places among those given.
    pub missed: Vec<usize>,
    /// It is to be named in the bulletin of the window.
    pub to_be_named: bool,
    /// Namings that count.
    pub namings: usize,
    /// Its closure is to be proposed.
    pub closure_proposed: bool,
}

/// Where an account stands at an instant, by its notices and its published namings.
pub fn climb(
    ladder: &Ladder,
    notices: &[NoticeFact],
    namings: &[DateTime<Utc>],
    at: DateTime<Utc>,
) -> LadderStanding {
    let named = namings.iter().copied().filter(|naming| *naming <= at);
    let answered = notices.iter().filter(|one| matches!(one.answer, Answer::Answered { .. }));
    let fresh_from = match ladder.reset {
        Reset::Never => None,
        Reset::OnNaming => named.clone().max(),
        Reset::OnAnswer => answered.map(|one| one.issued_at).filter(|issued| *issued <= at).max(),
    };
    let counts = |one: &NoticeFact| {
        one.answer == Answer::Missed
            && ladder.missed.window.holds(one.deadline, at)
            && fresh_from.is_none_or(|from| one.deadline > from)
    };
    let missed: Vec<usize> = (0..notices.len()).filter(|place| counts(&notices[*place])).collect();
    let namings = named.filter(|naming| ladder.namings.window.holds(*naming, at)).count();
    LadderStanding {
        to_be_named: ladder.missed.is_reached(missed.len()),
        missed,
        namings,
        closure_proposed: ladder.namings.is_reached(namings),
    }
}

/// Whether a notice to update was followed, from the facts recorded by `known_at`.
///
/// A post new to us that may have been published between the notice and its deadline answers it,
/// the doubt being the account's. It was missed only where silence over the whole of that time is
/// proven as for a naming: covered, confirmed after the deadline, nothing hidden.
pub fn judge_notice(
    issued_at: DateTime<Utc>,
    deadline: DateTime<Utc>,
    history: &History,
    policy: &Policy,
    known_at: DateTime<Utc>,
) -> Answer {
    let known = history.posts.iter().filter(|post| post.recorded_at <= known_at);
    let mut answers: Vec<(DateTime<Utc>, &str)> =
        known.filter_map(|post| answers(post, issued_at, deadline)).collect();
    answers.sort_unstable();
    if let Some((at, post)) = answers.first() {
        return Answer::Answered { post: (*post).to_owned(), at: *at };
    }
    if known_at < deadline {
        return Answer::Unknown("期限未到");
    }
    if !coverage(history, issued_at, deadline, known_at).gaps.is_empty() {
        return Answer::Unknown("通知至期限之间有未观察到的时段");
    }
    let hours = u32::try_from((deadline - issued_at).num_hours()).unwrap_or(u32::MAX).max(1);
    let whole = Threshold::more_than(hours, Unit::Hours);
    let strict = Policy { watch: whole, dormant: whole, zombie: whole, ..*policy };
    if judge_at(history, &strict, deadline, known_at).activity.is_silent() {
        Answer::Missed
    } else {
        Answer::Unknown("期限后的观察尚不足以确认未更新")
    }
}

/// The post's instant, where it can have been published after the notice and by its deadline.
fn answers(
    post: &ListedPost,
    issued_at: DateTime<Utc>,
    deadline: DateTime<Utc>,
) -> Option<(DateTime<Utc>, &str)> {
    if post.first_seen <= issued_at {
        return None;
    }
    let (from, to) = match post.claimed {
        Some(claim) => (claim.lower().min(post.first_seen), latest(claim).min(post.first_seen)),
        None => (post.seen_before.unwrap_or(issued_at), post.first_seen),
    };
    // One that appeared late may have been published when it appeared.
    let to = if post.missed_by.is_some() { post.first_seen } else { to };
    let from = if post.missed_by.is_some() { from.max(issued_at) } else { from };
    (to > issued_at && from <= deadline).then(|| (to.min(deadline), post.reference.as_str()))
}
