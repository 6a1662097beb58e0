//! Rules about numbers: measures of a period, and messages left unanswered.

use std::collections::BTreeMap;

use chrono::Duration;
use serde_json::json;

use crate::domain::EvidenceRef;

use super::evaluate::{Doubt, Holding, Verdict, doubt, name_of, shown};
use super::facts::{AccountFacts, AskedFact, Measured, PeriodMeasures};
use super::limit::{Limit, Operator};
use super::rule::{Condition, PeriodChoice};

/// Whether a measure with its bounds surely stands in a relation to a limit, surely does not, or
/// may.
fn compares(operator: Operator, low: f64, high: Option<f64>, limit: f64) -> Option<bool> {
    let high = high.unwrap_or(f64::INFINITY);
    let (at_low, at_high) = (operator.compares(low, limit), operator.compares(high, limit));
    (at_low == at_high).then_some(at_low)
}

pub(super) fn measures(
    choice: PeriodChoice,
    coverage_min: f64,
    conditions: &[Condition],
    facts: &AccountFacts,
) -> Verdict {
    let Some(period) = facts.measures.get(&choice) else { return doubt("没有本期的数据") };
    let covered = match period.readings.get("coverage") {
        Some(Measured::Known { low, .. }) => *low,
        _ => 0.0,
    };
    if covered < coverage_min {
        return Verdict::Undetermined(Doubt(format!(
            "{} 的覆盖率 {covered:.4} 低于要求的 {coverage_min}",
            period.period
        )));
    }
    if is_too_little(conditions, period) {
        return Verdict::Quiet;
    }
    let mut held = Vec::new();
    let mut unknown = None;
    for one in conditions {
        match period.readings.get(&one.measure) {
            Some(Measured::Known { value, low, high }) => {
                match compares(one.operator, *low, *high, one.value) {
                    Some(true) => held.push(format!(
                        "{} 为 {}({} {})",
                        one.measure,
                        rounded(*value),
                        one.operator,
                        rounded(one.value)
                    )),
                    Some(false) => {
                        let proof = format!(
                            "{} 的 {} 为 {},不满足 {} {}",
                            period.period,
                            one.measure,
                            rounded(*value),
                            one.operator,
                            rounded(one.value)
                        );
                        return Verdict::Refuted { proof, at: None };
                    }
                    None => unknown = Some(format!("{} 的上下限跨越界限", one.measure)),
                }
            }
            Some(Measured::Unknown { unknown: why }) => {
                unknown = Some(format!("{}:{why}", one.measure));
            }
            None => unknown = Some(format!("没有 {} 的读数", one.measure)),
        }
    }
    if let Some(why) = unknown {
        return Verdict::Undetermined(Doubt(why));
    }
    let used = conditions.iter().map(|one| (one.measure.clone(), &period.readings[&one.measure]));
    Verdict::Holds(Holding {
        occasion: period.period.clone(),
        statement: format!("{}:{}。", period.period, held.join(";")),
        window: Some((period.from, period.to)),
        inputs: json!({
            "period": period.period,
            "coverage": covered,
            "measures": used.collect::<BTreeMap<_, _>>(),
        }),
        ..Holding::default()
    })
}

/// Whether a gate surely does not hold: that is no repair.
fn is_too_little(conditions: &[Condition], period: &PeriodMeasures) -> bool {
    conditions.iter().filter(|one| one.gate).any(|gate| match period.readings.get(&gate.measure) {
        Some(Measured::Known { low, high, .. }) => {
            compares(gate.operator, *low, *high, gate.value) == Some(false)
        }
        _ => false,
    })
}

/// Two decimals, without those that say nothing.
fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn overdue(limit: Limit, within_days: u32, facts: &AccountFacts) -> Verdict {
    let Some(inquiries) = &facts.inquiries else {
        return doubt("没有读取过载有留言的页面");
    };
    let since = facts.cutoff - Duration::days(i64::from(within_days));
    let unanswered = |one: &&AskedFact| one.replied.is_none();
    let recent: Vec<&AskedFact> = inquiries
        .iter()
        .filter(unanswered)
        .filter(|one| one.asked.is_some_and(|at| at.lower() >= since && at.lower() < facts.cutoff))
        .collect();
    // It is unanswered as far as the page was read, and no further.
    let surely = |one: &&&AskedFact| {
        one.asked.is_some_and(|at| limit.after(at.upper()) < one.last_seen.min(facts.cutoff))
    };
    let possibly =
        |one: &&&AskedFact| one.asked.is_some_and(|at| limit.after(at.lower()) < facts.cutoff);
    let late: Vec<&&AskedFact> = recent.iter().filter(surely).collect();
    let Some(oldest) = late.iter().filter_map(|one| one.asked).map(|at| at.at).min() else {
        return match recent.iter().filter(possibly).count() {
            0 => Verdict::Refuted { proof: "没有超期未复的留言".to_owned(), at: None },
            count => {
                Verdict::Undetermined(Doubt(format!("{count} 条留言可能超期,期满后未再读到其页面")))
            }
        };
    };
    let key = &facts.account.entry.key;
    let evidence = late
        .iter()
        .map(|one| EvidenceRef::Inquiry { key: key.clone(), reference: one.reference.clone() });
    Verdict::Holds(Holding {
        occasion: name_of(late.iter().map(|one| one.reference.as_str()).collect()),
        statement: format!(
            "有 {} 条留言超过 {limit} 未答复,最早的一条于 {} 提出。",
            late.len(),
            shown(oldest)
        ),
        window: Some((since, facts.cutoff)),
        inputs: json!({
            "overdue": late.len(),
            "oldest_asked_at": oldest,
            "limit": limit.to_string(),
        }),
        evidence: evidence.collect(),
        needs_approval: false,
    })
}
