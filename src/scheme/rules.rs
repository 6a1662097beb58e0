//! What a compiled scheme is made of.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::{Lifecycle, Problem};

use super::declared::Declared;
use super::overall::{Composite, Pass, Rollup};
use super::rhythm::{Rhythm, Sampling};
use super::{Activity, Certainty, Expression, Scope, Threshold};

/// A versioned, dated set of rules of one authority.
#[derive(Debug)]
pub struct Scheme {
    /// The id: lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// Who issued it, with the number of the document where there is one.
    pub authority: String,
    /// The version of the rules, as their authority counts.
    pub version: String,
    /// How sure the whole is, where a part does not say otherwise.
    pub certainty: Certainty,
    /// The first day on which it judges.
    pub effective_from: NaiveDate,
    /// The last day on which it judges; open where absent.
    pub effective_until: Option<NaiveDate>,
    /// `sha256:…` of the file: what a result names as its rules.
    pub digest: String,
    /// The file itself: a freeze keeps it.
    pub text: String,
    /// The lifecycle states (状态) that are judged.
    pub judges: Vec<Lifecycle>,
    /// The tiers of silence where no row of `staleness` says otherwise.
    pub activity: Activity,
    /// Tiers of their own for some platforms or column classes; the first that applies counts.
    pub staleness: Vec<(Scope, Activity)>,
    /// A message is overdue when it is not answered this long after it was asked.
    pub reply_deadline_hours: u32,
    /// Whether a failed account may be named without a second person's approval.
    pub naming_without_approval: bool,
    /// How often the authority checks, and when.
    pub rhythm: Option<Rhythm>,
    /// How many accounts a check draws.
    pub sampling: Option<Sampling>,
    /// Numbers that the scheme itself defines.
    pub declared: Vec<Declared>,
    /// 单项否决: any one fails the account.
    pub vetoes: Vec<Flag>,
    /// States and proposals that are no veto: 重点关注, 僵尸账号, 归集整合, 建议注销, …
    pub flags: Vec<Flag>,
    /// The dimensions, in the order of the file.
    pub dimensions: Vec<Dimension>,
    /// Weighted sums of dimensions, each of what stands before it.
    pub composites: Vec<Composite>,
    /// Which score passes, where a score decides.
    pub pass: Option<Pass>,
    /// Scores of whoever answers for several accounts.
    pub rollups: Vec<Rollup>,
    /// Items of the authority that nothing here measures; listed with every result.
    pub unmeasured: Vec<Unmeasured>,
    /// What an operator should know: numbers that are not verified.
    pub warnings: Vec<Problem>,
}

impl Scheme {
    /// Whether it judges on a day.
    pub fn is_effective(&self, day: NaiveDate) -> bool {
        self.effective_from <= day && self.effective_until.is_none_or(|until| day <= until)
    }

    /// Every silence that it asks for, of whatever subject.
    pub fn silences(&self) -> impl Iterator<Item = Threshold> {
        let own = self.staleness.iter().map(|(_, activity)| *activity);
        own.chain([self.activity]).flat_map(|one| [one.watch, one.dormant, one.zombie])
    }

    /// The tiers of silence of a subject.
    pub fn activity_of(&self, subject: &super::Subject<'_>) -> Activity {
        let own = self.staleness.iter().find(|(scope, _)| scope.holds(subject));
        own.map_or(self.activity, |(_, activity)| *activity)
    }
}

/// An item of the authority's rules that is not measured.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unmeasured {
    /// The id.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// Why nothing here measures it, and who could enter it.
    pub reason: String,
}

/// What to do with a line or flag whose measures cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfUndetermined {
    /// It is not scored, and listed with the reason.
    #[default]
    NotScored,
    /// In the account's favour: full points, or no veto; listed.
    Favour,
    /// Against the account: no points, or the veto; listed.
    Against,
}

/// A condition with a consequence.
#[derive(Debug)]
pub struct Flag {
    /// The id, unique in the scheme.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whom it concerns.
    pub scope: Scope,
    /// When it holds.
    pub when: Expression,
    /// A stable word for what follows: `fail` for vetoes, `watch`, `zombie`, `merge`, `cancel`, ….
    pub outcome: String,
    /// Whether only a person can enter it.
    pub manual: bool,
    /// What follows where it cannot be told.
    pub undetermined: IfUndetermined,
}

/// How points of lines that do not apply are given to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescale {
    /// The others' sum is multiplied by full ÷ theirs (75 of 100: × 4/3).
    Scale,
    /// The missing points are spread evenly: each other line is worth that much more.
    Spread,
}

/// One score, such as 勤勉度.
#[derive(Debug)]
pub struct Dimension {
    /// The id, unique in the scheme.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The least covered share of the period, 0–1, below which nothing is scored.
    pub coverage_min: Decimal,
    /// Where lines cannot be scored because the platform does not show what they need, or there is
    /// nothing to judge: the least sum of the others' maxima from which those are scaled up to the
    /// full sum. Absent: one line that is not scored leaves the dimension not scored.
    pub rescale_from: Option<Decimal>,
    /// How they are scaled up.
    pub rescale: Rescale,
    /// When the result may stand in a ranking; absent: always.
    pub ranking: Option<Ranking>,
    /// The score that opens it (加分); closed, it gives 0 points.
    pub gate: Option<Pass>,
    /// The lines, in the order of the file.
    pub lines: Vec<Line>,
}

/// A result rests on enough only from here on.
#[derive(Debug)]
pub struct Ranking {
    /// The measure counted.
    pub measure: String,
    /// The least count.
    pub at_least: Decimal,
}

/// One indicator: what earns or loses points and under which clause.
#[derive(Debug)]
pub struct Line {
    /// The id, unique in the dimension.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause it follows, or why it is there.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whom it concerns; for others it does not apply and its points are rescaled.
    pub scope: Scope,
    /// What it gives.
    pub gives: Gives,
    /// The most points.
    pub max: Decimal,
    /// Whether nothing to judge earns 0 points (no post, no interaction) rather than none being
    /// given; `not_applicable = "zero"` in the file.
    pub zero_where_not_applicable: bool,
    /// What follows where it cannot be told.
    pub undetermined: IfUndetermined,
}

/// How a line comes to its points.
#[derive(Debug)]
pub enum Gives {
    /// The points; results are cut to 0 and the line's maximum.
    Points(Expression),
    /// From the line's maximum what applies is taken away, never below 0.
    Deductions(Vec<Deduction>),
}

/// Points taken away.
#[derive(Debug)]
pub struct Deduction {
    /// The id, unique in the line.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// When it applies; absent: always, with as many points as the expression gives.
    pub when: Option<Expression>,
    /// How many points.
    pub points: Expression,
}
