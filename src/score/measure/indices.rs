//! Index formulas over what was listed in the window.

use std::collections::BTreeMap;

use crate::scheme::{Formula, Metric};

use super::super::index::{self, Figures, Material};
use super::super::reading::{Quantity, Reading, UnknownKind};
use super::super::window::Window;
use super::influence::{self, COMMENTS, LIKES, READS, SHARES, peak, sum};
use super::posting;

/// What of the formulas' metrics a window knows. Headlines (头条), 在看 and pushes are not among
/// what pages show anonymously.
pub(in super::super) fn material(window: &Window<'_>) -> Material {
    let known = |reading: Reading| reading.known().ok();
    let mut figures = BTreeMap::new();
    let posts = known(posting::posts(window));
    figures.extend(posts.map(|posts| (Metric::Posts, Figures::total(posts))));
    let originals = known(posting::original_posts(window));
    figures.extend(originals.map(|posts| (Metric::Originals, Figures::total(posts))));
    for (metric, of) in [
        (Metric::Reads, READS),
        (Metric::Likes, LIKES),
        (Metric::Comments, COMMENTS),
        (Metric::Shares, SHARES),
    ] {
        let total = known(sum(window, of));
        let shown = total.map(|total| Figures { total, headline: None, peak: peak(window, of) });
        figures.extend(shown.map(|figures| (metric, figures)));
    }
    let followers = known(influence::followers(window));
    figures.extend(followers.map(|total| (Metric::Followers, Figures::total(total))));
    // A logarithm of followers lost has no meaning in the formulas; they count as none gained.
    let gain = known(influence::follower_gain(window)).map(|gain| Quantity {
        value: gain.value.max(0.0),
        low: gain.low.max(0.0),
        high: gain.high.map(|high| high.max(0.0)),
    });
    figures.extend(gain.map(|gain| (Metric::NewFollowers, Figures::total(gain))));
    Material { days: window.days(), posts, figures }
}

pub(in super::super) fn value(formula: &Formula, material: &Material) -> Reading {
    match index::value(formula, material) {
        Ok(value) => Reading::Known(value),
        Err(missing) => Reading::unknown(
            UnknownKind::NotObservable,
            format!("{}所需的{}不可见", formula.index, missing.0.title()),
        ),
    }
}
