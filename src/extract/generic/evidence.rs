//! From many places that name a day to one day with a confidence, or to a refusal.

use chrono::NaiveDate;

use crate::domain::{Finding, Moment, Precision, shanghai_date};

/// The least confidence with which a day is told.
pub(super) const CONFIDENCE_MIN: f64 = 0.6;

/// Days by which the address of a page may differ from its date: a draft is filed before it is
/// published.
const FILING_DAYS: i64 = 31;

/// Kinds of places; two of one kind do not confirm each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Meta,
    Data,
    Element,
    Label,
    Bare,
    Address,
}

/// One place that names a time.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) kind: Kind,
    pub(super) moment: Moment,
    /// How likely the place is right, by itself.
    pub(super) weight: f64,
    /// Where it stands, in words.
    pub(super) place: String,
    /// The time as it is written.
    pub(super) text: String,
}

/// A day that was settled on.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) moment: Moment,
    pub(super) text: String,
    pub(super) finding: Finding,
}

/// Settles on the day for which most speaks.
///
/// Places of different kinds that name one day confirm each other: the chance that all of them err
/// is the product of each one's. Days exclude each other, so the confidence in one is its odds
/// among the odds of all and of "none of these" (Bayes' rule with even priors).
pub(super) fn settle(evidence: &[Evidence]) -> Result<Settled, String> {
    if evidence.is_empty() {
        return Err("no publication time: no meta tag, label or date under the title".to_owned());
    }
    let mut days: Vec<(NaiveDate, f64)> = Vec::new();
    for one in evidence {
        let day = day(one);
        if days.iter().all(|(known, _)| *known != day) {
            days.push((day, odds(evidence, day)));
        }
    }
    days.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (best, best_odds) = days[0];
    let against = days[1..].iter().filter(|(day, _)| opposes(evidence, *day, best));
    let confidence = best_odds / (1.0 + best_odds + against.map(|(_, odds)| odds).sum::<f64>());
    let finding = Finding {
        place: places(evidence, best),
        confidence_percent: (confidence * 100.0).round().clamp(0.0, 99.0) as u8,
    };
    if confidence < CONFIDENCE_MIN {
        let others = days[1..]
            .iter()
            .take(3)
            .map(|(day, _)| format!(", {day} by {}", places(evidence, *day)));
        return Err(format!(
            "publication time not sure enough ({} %): {best} by {}{}",
            finding.confidence_percent,
            finding.place,
            others.collect::<String>()
        ));
    }
    let chosen = finest(evidence, best);
    Ok(Settled { moment: chosen.moment, text: chosen.text.clone(), finding })
}

fn day(evidence: &Evidence) -> NaiveDate {
    shanghai_date(evidence.moment.at)
}

fn of(evidence: &[Evidence], day: NaiveDate) -> impl Iterator<Item = &Evidence> {
    evidence.iter().filter(move |one| self::day(one) == day)
}

fn odds(evidence: &[Evidence], day: NaiveDate) -> f64 {
    let kinds = [Kind::Meta, Kind::Data, Kind::Element, Kind::Label, Kind::Bare, Kind::Address];
    let errs = kinds.map(|kind| {
        let weights = of(evidence, day).filter(|one| one.kind == kind).map(|one| one.weight);
        1.0 - weights.fold(0.0, f64::max)
    });
    let all_err = errs.iter().product::<f64>();
    (1.0 - all_err) / all_err
}

/// A place that is not enough alone does not speak against another, nor does an address of about
/// that time.
fn opposes(evidence: &[Evidence], day: NaiveDate, best: NaiveDate) -> bool {
    let far = (day - best).num_days().abs() > FILING_DAYS;
    of(evidence, day).any(|one| one.weight >= CONFIDENCE_MIN && (one.kind != Kind::Address || far))
}

/// The heaviest; then a finer one that lies within it.
fn finest(evidence: &[Evidence], day: NaiveDate) -> &Evidence {
    let mut sorted = of(evidence, day).collect::<Vec<_>>();
    sorted.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut chosen = sorted[0];
    for one in sorted {
        let (coarse, fine) = (chosen.moment, one.moment);
        let within = fine.at >= coarse.lower() && fine.at < coarse.upper();
        if fine.precision < coarse.precision && within && one.kind != Kind::Address {
            chosen = one;
        }
    }
    chosen
}

fn places(evidence: &[Evidence], day: NaiveDate) -> String {
    let mut named = of(evidence, day).collect::<Vec<_>>();
    named.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut places = named.into_iter().map(|one| one.place.clone()).collect::<Vec<_>>();
    places.dedup();
    places.truncate(4);
    places.join(", ")
}

/// Whether a time is no finer than a day.
pub(super) fn is_day(moment: Moment) -> bool {
    moment.precision == Precision::Day
}
