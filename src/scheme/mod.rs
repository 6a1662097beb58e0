//! Scoring schemes (评分方案), compiled and validated.
//!
//! What differs from city to city is a file, `config/schemes/<id>.toml`: dimensions, lines, points
//! as CEL expressions over documented measures, thresholds with an explicit operator. Compiling
//! finds every mistake before the first account is scored: unknown measures, a type that does not
//! fit, an expression that gives no number, or one whose points rise and fall again in one measure,
//! over which no honest interval could be told.

mod catalog;
mod compile;
mod expression;
mod reader;
mod rules;
mod threshold;

#[cfg(test)]
mod tests;

pub use catalog::Catalog;
pub use expression::Expression;
pub use rules::{Dimension, Line, Ranking, Scheme};
pub use threshold::{Activity, Limit, Operator, Threshold};
