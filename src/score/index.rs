//! Index formulas over numbers with bounds.
//!
//! Logarithms come from the pure-Rust `libm`, summands are added in the order of the formula, so
//! that every machine gives the same bits. No summand falls as its number rises, so the ends of the
//! numbers give the ends of the index.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::scheme::{Aggregate, Formula, FormulaKey, Metric};

use super::reading::Quantity;

/// What a formula is computed from.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// The days of the period; vendors take nominally 7, 30 or 365.
    pub days: f64,
    /// How many posts there were.
    pub posts: Option<Quantity>,
    /// The numbers, by metric.
    pub figures: BTreeMap<Metric, Figures>,
}

/// The numbers of one metric over a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The sum.
    pub total: Quantity,
    /// The sum over headline articles (头条).
    pub headline: Option<Quantity>,
    /// The most of one post.
    pub peak: Option<Quantity>,
}

impl Figures {
    /// A number that has neither headlines nor peaks, as followers.
    pub fn total(total: Quantity) -> Self {
        Self { total, headline: None, peak: None }
    }
}

/// An index with the formula it came from, without which it cannot be compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndexValue {
    /// Index, version and metric set.
    pub key: FormulaKey,
    /// The value and its bounds.
    pub value: Quantity,
}

/// Two values of different formulas, which say nothing about each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} and {1} cannot be compared")]
pub struct OtherFormula(pub FormulaKey, pub FormulaKey);

impl IndexValue {
    /// Which value is greater, where the bounds leave no doubt; `None` where they overlap.
    ///
    /// # Errors
    ///
    /// The values come from different formulas.
    pub fn compare(&self, other: &Self) -> Result<Option<Ordering>, OtherFormula> {
        if self.key != other.key {
            return Err(OtherFormula(self.key.clone(), other.key.clone()));
        }
        let (a, b) = (&self.value, &other.value);
        let same = (a.low, a.high) == (b.low, b.high) && a.high == Some(a.low);
        Ok(if same {
            Some(Ordering::Equal)
        } else if a.high.is_some_and(|high| high < b.low) {
            Some(Ordering::Less)
        } else if b.high.is_some_and(|high| high < a.low) {
            Some(Ordering::Greater)
        } else {
            None
        })
    }
}

/// What a formula needs and the material does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingMetric(pub Metric);

/// The value of a formula, with the formula that it came from.
///
/// # Errors
///
/// The first metric that is missing; never 0 for it.
pub fn index(formula: &Formula, material: &Material) -> Result<IndexValue, MissingMetric> {
    Ok(IndexValue { key: formula.key(), value: value(formula, material)? })
}

/// As [`index`], the value alone.
pub(super) fn value(formula: &Formula, material: &Material) -> Result<Quantity, MissingMetric> {
    let (mut value, mut low, mut high) = (0.0, 0.0, Some(0.0));
    for term in &formula.terms {
        let number = aggregate(material, term.metric, term.of).ok_or(MissingMetric(term.metric))?;
        let of = |x: f64| term.weight * libm::log1p(term.gain * x);
        value += of(number.value);
        low += of(number.low);
        high = high.zip(number.high).map(|(sum, end)| sum + of(end));
    }
    let scale = |sum: f64| formula.scale * if formula.power == 2 { sum * sum } else { sum };
    Ok(Quantity { value: scale(value), low: scale(low), high: high.map(scale) })
}

fn aggregate(material: &Material, metric: Metric, of: Aggregate) -> Option<Quantity> {
    let figures = material.figures.get(&metric)?;
    let days = if material.days > 0.0 { material.days } else { 1.0 };
    Some(match of {
        Aggregate::Total => figures.total,
        Aggregate::PerDay => figures.total.map(|x| x / days),
        Aggregate::PerPost => per(figures.total, material.posts?),
        Aggregate::PerDayPerPost => per(figures.total, material.posts?).map(|x| x / days),
        Aggregate::HeadlinePerDay => figures.headline?.map(|x| x / days),
        Aggregate::Peak => figures.peak?,
        Aggregate::PeakPerDay => figures.peak?.map(|x| x / days),
    })
}

/// A sum divided by the number of posts; without posts there is nothing, which is 0.
fn per(total: Quantity, posts: Quantity) -> Quantity {
    let divide = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
    Quantity {
        value: divide(total.value, posts.value),
        low: posts.high.map_or(0.0, |most| divide(total.low, most)),
        high: total.high.map(|sum| sum / posts.low.max(1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceText;
    use crate::scheme::{BUILT_IN, IndexCatalog};

    fn catalog() -> IndexCatalog {
        let files = [
            include_str!("../../config/indices/bci_qingbo.toml"),
            include_str!("../../config/indices/dci.toml"),
            include_str!("../../config/indices/wci_14_2_3m.toml"),
        ]
        .map(|text| SourceText { file: "x.toml".to_owned(), text: text.to_owned() });
        IndexCatalog::compile(&files).unwrap()
    }

    fn exact(value: f64) -> Quantity {
        Quantity::exact(value)
    }

    fn figures(total: f64, headline: f64, peak: f64) -> Figures {
        Figures { total: exact(total), headline: Some(exact(headline)), peak: Some(exact(peak)) }
    }

    fn material(days: f64, posts: f64, rows: &[(Metric, Figures)]) -> Material {
        Material { days, posts: Some(exact(posts)), figures: rows.iter().copied().collect() }
    }

    /// The input that the domain's vectors of several versions share.
    fn shared() -> Material {
        material(
            7.0,
            10.0,
            &[
                (Metric::Reads, figures(35_000.0, 21_000.0, 9_000.0)),
                (Metric::Zaikan, figures(200.0, 120.0, 50.0)),
                (Metric::Likes, figures(300.0, 180.0, 80.0)),
                (Metric::Shares, figures(500.0, 300.0, 150.0)),
            ],
        )
    }

    fn check(id: &str, material: &Material, want: &str) {
        let catalog = catalog();
        let got = index(catalog.get(id).unwrap(), material).unwrap();
        assert_eq!(format!("{:.4}", got.value.value), want, "{id}");
        assert_eq!(got.value.high, Some(got.value.value), "{id}: exact numbers, exact index");
    }

    #[test]
    fn every_published_vector_comes_out_to_the_printed_digit() {
        let wci = |posts, reads: (f64, f64), zaikan: (f64, f64)| {
            material(
                7.0,
                posts,
                &[
                    (Metric::Reads, figures(reads.0, 0.0, reads.1)),
                    (Metric::Zaikan, figures(zaikan.0, 0.0, zaikan.1)),
                ],
            )
        };
        check("wci_2_0", &wci(100.0, (10_000.0, 300.0), (4_000.0, 60.0)), "411.4875");
        check("wci_11", &wci(3.0, (29_396.0, 22_858.0), (72.0, 49.0)), "812.0232");
        check("wci_14_2_4m", &shared(), "722.5799");
        check("wci_14_2_3m", &shared(), "777.4771");
        check("wci_13_0", &shared(), "622.0257");
        let registered = material(
            7.0,
            50.0,
            &[
                (Metric::Posts, Figures::total(exact(50.0))),
                (Metric::Shares, figures(300.0, 0.0, 0.0)),
                (Metric::Comments, figures(120.0, 0.0, 0.0)),
                (Metric::Likes, figures(800.0, 0.0, 0.0)),
            ],
        );
        check("bci_registered", &registered, "834.7250");
        check("vci_registered", &registered, "834.7250");
        let bvci = material(
            1.0,
            20.0,
            &[
                (Metric::Posts, Figures::total(exact(20.0))),
                (Metric::Reads, Figures::total(exact(5_000.0))),
                (Metric::Comments, Figures::total(exact(30.0))),
                (Metric::Followers, Figures::total(exact(20_000.0))),
                (Metric::NewFollowers, Figures::total(exact(100.0))),
            ],
        );
        check("bvci_2_0", &bvci, "595.2674");
        let qsci = material(
            7.0,
            28.0,
            &[
                (Metric::Posts, Figures::total(exact(28.0))),
                (Metric::Pushes, Figures::total(exact(7.0))),
                (Metric::Reads, Figures::total(exact(50_000.0))),
                (Metric::Comments, Figures::total(exact(300.0))),
                (Metric::Likes, Figures::total(exact(800.0))),
            ],
        );
        check("qsci_1_0", &qsci, "7.2574");
    }

    #[test]
    fn nothing_at_all_is_zero_in_every_version() {
        let rows: Vec<_> = Metric::ALL.iter().map(|row| (row.0, figures(0.0, 0.0, 0.0))).collect();
        for formula in catalog().iter() {
            let got = index(formula, &material(7.0, 0.0, &rows)).unwrap();
            assert_eq!(got.value, exact(0.0), "{}", formula.id);
        }
        // 12.0 has no published vector: a day of one post is what 11.x gives.
        let one = material(
            1.0,
            1.0,
            &[(Metric::Reads, figures(5.0, 5.0, 5.0)), (Metric::Zaikan, figures(2.0, 2.0, 2.0))],
        );
        let of = |id: &str| index(catalog().get(id).unwrap(), &one).unwrap().value;
        assert_eq!(of("wci_12_0"), of("wci_11"));
    }

    #[test]
    fn a_capped_number_leaves_a_lower_bound() {
        let mut capped = shared();
        let reads = Quantity { value: 100_001.0, low: 100_001.0, high: None };
        let figures = Figures { total: reads, headline: Some(reads), peak: Some(reads) };
        capped.figures.insert(Metric::Reads, figures);
        let catalog = catalog();
        let formula = catalog.get("wci_14_2_4m").unwrap();
        let open = index(formula, &capped).unwrap();
        assert_eq!((open.value.low, open.value.high), (open.value.value, None));
        let rounded = Quantity { value: 12_000.0, low: 11_500.0, high: Some(12_499.0) };
        let bounded = Figures { total: rounded, headline: Some(rounded), peak: Some(rounded) };
        capped.figures.insert(Metric::Reads, bounded);
        let value = index(formula, &capped).unwrap().value;
        assert!(value.low < value.value && Some(value.value) < value.high, "{value:?}");
    }

    #[test]
    fn what_is_not_shown_is_missing_and_never_zero() {
        let mut blind = shared();
        blind.figures.remove(&Metric::Zaikan);
        let catalog = catalog();
        let formula = catalog.get("wci_14_2_4m").unwrap();
        assert_eq!(index(formula, &blind), Err(MissingMetric(Metric::Zaikan)));
        let mut faceless = shared();
        faceless.figures.insert(Metric::Reads, Figures::total(exact(35_000.0)));
        assert_eq!(index(formula, &faceless), Err(MissingMetric(Metric::Reads)));
    }

    #[test]
    fn values_of_different_versions_are_never_compared() {
        let catalog = catalog();
        let of = |id: &str| index(catalog.get(id).unwrap(), &shared()).unwrap();
        let (four, three) = (of("wci_14_2_4m"), of("wci_14_2_3m"));
        assert!(four.compare(&three).is_err(), "the metric set is part of the version");
        assert_eq!(four.compare(&four), Ok(Some(Ordering::Equal)));
        let mut open = four.clone();
        open.value.high = None;
        assert_eq!(four.compare(&open), Ok(None), "bounds that overlap decide nothing");
        for (a, b) in BUILT_IN.iter().zip(BUILT_IN.iter().skip(1)) {
            assert_ne!(a.key(), b.key());
        }
    }
}
