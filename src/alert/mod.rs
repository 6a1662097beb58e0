//! What is held against whom: rules, the ladder of notices, triage, early warning.
//!
//! Pure: facts and rules in, verdicts out, the same for the same arguments for ever. A rule is data
//! (`config/rules/*.toml`); what it needs from the facts is one of a few [`Check`]s. A check says
//! that the rule holds, that a proven fact refutes it, or that it cannot be told, with the reason:
//! what cannot be told raises nothing and mends nothing.

mod books;
mod catalog;
mod compile;
mod compile_ladder;
mod drift;
mod evaluate;
mod exit;
mod facts;
mod ladder;
mod limit;
mod matrix;
mod measured;
mod naming;
mod posts;
mod rule;
mod settings;
mod table;
mod triage;
mod warning;

#[cfg(test)]
mod tests;

pub use books::{Books, SubjectVerdict};
pub use catalog::Catalog;
pub use evaluate::{Doubt, Holding, Verdict, judge_account};
pub use exit::{ExitFacts, ExitRule, judge_exit};
pub use facts::{AccountFacts, AskedFact, Confirmed, Measured, PeriodMeasures, ShownIdentity};
pub use ladder::{
    Answer, Ladder, LadderStanding, LadderWindow, NoticeFact, Reset, Rung, climb, judge_notice,
};
pub use limit::{Limit, Operator};
pub use matrix::{MatrixPost, NearDuplicates, near_duplicates};
pub use naming::{Bar, NamingFacts, naming_bar};
pub use posts::{Deleted, LateAppearance, PostingBurst};
pub use rule::{
    Check, Condition, Matrix, NearDuplicateRule, PeriodChoice, Rule, RuleSet, SilentTier,
};
pub use settings::Settings;
pub use triage::{Triage, TriageFacts, TriageOutcome, TriageRule, triage};
pub use warning::{Rhythm, Warning, warn};
