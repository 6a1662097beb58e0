//! Points over every combination of the measures' ends.

use std::collections::BTreeMap;

use rust_decimal::prelude::FromPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::scheme::Expression;

use super::super::card::Points;
use super::super::catalogue::measure_title;
use super::super::reading::{Reading, Readings, Unknown};
use super::{ScoreError, reading};

/// What stands for an absent upper end: beyond every count of this world, so that what saturates
/// saturates.
const UNBOUNDED: f64 = 1e12;

/// The measures that an expression uses.
pub(super) fn inputs(
    expression: &Expression,
    readings: &Readings,
) -> Result<BTreeMap<String, Reading>, ScoreError> {
    let measures = expression.measures().iter();
    measures.map(|measure| Ok((measure.clone(), reading(readings, measure)?.clone()))).collect()
}

/// Those of the measures that cannot be told, the gravest kind first to be found by `max`.
pub(super) fn unknown(inputs: &BTreeMap<String, Reading>) -> Vec<(&String, &Unknown)> {
    let unknown = |(measure, reading)| Reading::known(reading).err().map(|why| (measure, why));
    inputs.iter().filter_map(unknown).collect()
}

/// The reasons, one after the other, each said once: by the title of the catalogue's measure, or by
/// itself where the scheme or an index gives the number.
pub(super) fn reasons(unknown: &[(&String, &Unknown)]) -> String {
    let mut each: Vec<String> = Vec::new();
    for (measure, why) in unknown {
        let said = match measure_title(measure) {
            Some(title) => format!("{title}:{}", why.reason),
            None => why.reason.to_string(),
        };
        if !each.contains(&said) {
            each.push(said);
        }
    }
    each.join(";")
}

/// The number at the values, and the least and most over every combination of the measures' ends:
/// it rises or falls evenly in each measure, which compiling has checked.
pub(super) fn interval(
    expression: &Expression,
    inputs: &BTreeMap<String, Reading>,
) -> Result<[f64; 3], String> {
    let known: Vec<(&str, [f64; 3])> = inputs
        .iter()
        .filter_map(|(measure, reading)| {
            let quantity = reading.known().ok()?;
            let high = quantity.high.unwrap_or(UNBOUNDED);
            Some((measure.as_str(), [quantity.value, quantity.low, high]))
        })
        .collect();
    let value =
        expression.evaluate(&known.iter().map(|(name, ends)| (*name, ends[0])).collect())?;
    let bounded: Vec<usize> =
        (0..known.len()).filter(|at| known[*at].1[1] != known[*at].1[2]).collect();
    let (mut low, mut high) = (value, value);
    for corner in 0..1u32 << bounded.len() {
        let mut values: BTreeMap<&str, f64> =
            known.iter().map(|(name, ends)| (*name, ends[0])).collect();
        for (bit, at) in bounded.iter().enumerate() {
            let (name, ends) = known[*at];
            values.insert(name, ends[if corner >> bit & 1 == 0 { 1 } else { 2 }]);
        }
        let points = expression.evaluate(&values)?;
        low = low.min(points);
        high = high.max(points);
    }
    Ok([value, low, high])
}

/// Cuts to 0..max and rounds half away from zero to two decimals, so that what is printed adds up.
pub(super) fn cut(ends: [f64; 3], max: Decimal) -> Points {
    let [points, low, high] = ends.map(|end| {
        let end = Decimal::from_f64(end.clamp(0.0, 1e9)).unwrap_or_default();
        to_points(end.min(max))
    });
    Points { points, low, high }
}

/// Two decimals, half away from zero.
pub(in super::super) fn to_points(points: Decimal) -> Decimal {
    points.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}
