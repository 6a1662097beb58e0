//! Scoring schemes (评分方案) and index formulas, compiled and validated.
//!
//! What differs from city to city is a file, `config/schemes/<id>.toml`: vetoes, deductions,
//! dimensions and their lines, conditions and points as CEL expressions over documented measures,
//! every limit with an explicit operator. Compiling finds every mistake before the first account is
//! scored: unknown measures, a type that does not fit, an expression that gives no number, or one
//! whose points rise and fall again in one measure, over which no honest interval could be told.
//! `docs/schemes.md` is the reference of the language.

mod assign;
mod catalog;
mod certainty;
mod compare;
mod compile;
mod declared;
mod expression;
mod index;
mod overall;
mod reader;
mod rhythm;
mod rules;
mod scope;
mod threshold;

#[cfg(test)]
mod tests;

pub use assign::{ASSIGN_FILE, Assignment};
pub use catalog::{Catalog, DEFAULT_SCHEME};
pub use certainty::Certainty;
pub use compare::Compare;
pub use declared::{
    Deadline, Declared, DeclaredKind, GroupKey, Manual, Minimum, Only, Peers, Rank, TermUnit,
};
pub use expression::Expression;
pub use index::{
    Aggregate, BUILT_IN, Formula, FormulaKey, IndexCatalog, Metric, Term, coefficients,
};
pub use overall::{Composite, How, Part, Pass, Rollup, RollupPart, RollupTo};
pub use rhythm::{Every, Rhythm, Sampling};
pub use rules::{
    Deduction, Dimension, Flag, Gives, IfUndetermined, Line, Ranking, Rescale, Scheme, Unmeasured,
};
pub use scope::{Scope, Subject};
pub use threshold::{Activity, Limit, Operator, Threshold};
