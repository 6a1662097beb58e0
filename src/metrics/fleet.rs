use std::collections::BTreeMap;

use crate::domain::FleetCell;

use super::settings::AreaDigits;
use super::table::{ACCOUNTS, COVERAGE_RATIO, SCORE_POINTS};
use super::text::{number, push_header, push_series};

/// The words of `account_activity`, each written for every platform and area, 0 included.
const ACTIVITIES: [&str; 7] =
    ["active", "watch", "dormant", "zombie", "empty", "gone", "undetermined"];

/// One quantile of one dimension's scores over the accounts of a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreQuantile {
    /// Platform id.
    pub platform: String,
    /// The dimension, as the scheme names it.
    pub dimension: String,
    /// Which quantile, 0–1.
    pub quantile: f64,
    /// Points.
    pub points: f64,
}

#[derive(Default)]
struct Area<'a> {
    accounts: u64,
    coverage_sum: f64,
    by_activity: BTreeMap<&'a str, u64>,
}

/// Writes the fleet's families: accounts, mean coverage, score quantiles.
///
/// Areas are cut to the digits that suit the number of accounts. A platform and area that has
/// accounts shows every activity, so that a count that falls to 0 is a 0 and not a gap.
pub fn render_fleet(
    cells: &[FleetCell],
    quantiles: &[ScoreQuantile],
    area_digits: AreaDigits,
) -> String {
    let digits = area_digits.for_fleet(cells.iter().map(|cell| cell.accounts).sum());
    let mut areas: BTreeMap<(&str, &str), Area<'_>> = BTreeMap::new();
    for cell in cells {
        let area = areas.entry((&cell.platform, cell.region.prefix(digits))).or_default();
        area.accounts += cell.accounts;
        area.coverage_sum += cell.coverage_sum;
        *area.by_activity.entry(&cell.activity).or_default() += cell.accounts;
    }
    let mut text = String::with_capacity(1024 + areas.len() * 8 * 96 + quantiles.len() * 96);
    push_header(&mut text, &ACCOUNTS);
    for ((platform, code), area) in &areas {
        let unseen = ACTIVITIES.iter().filter(|word| !area.by_activity.contains_key(**word));
        let zeros = unseen.map(|word| (*word, 0));
        for (word, accounts) in area.by_activity.iter().map(|(k, v)| (*k, *v)).chain(zeros) {
            push_series(&mut text, &ACCOUNTS, &[platform, code, word], number(accounts));
        }
    }
    push_header(&mut text, &COVERAGE_RATIO);
    for ((platform, code), area) in &areas {
        let ratio = area.coverage_sum / number(area.accounts);
        // No accounts, no mean: unknown is not 0.
        if ratio.is_finite() {
            push_series(&mut text, &COVERAGE_RATIO, &[platform, code], ratio.clamp(0.0, 1.0));
        }
    }
    push_quantiles(&mut text, quantiles);
    text
}

fn push_quantiles(text: &mut String, quantiles: &[ScoreQuantile]) {
    push_header(text, &SCORE_POINTS);
    for one in quantiles.iter().filter(|one| one.points.is_finite()) {
        let quantile = one.quantile.to_string();
        let labels = [one.platform.as_str(), &one.dimension, &quantile];
        push_series(text, &SCORE_POINTS, &labels, one.points);
    }
}
