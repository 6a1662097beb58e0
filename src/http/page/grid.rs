//! Where the marks of a picture lie.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};

use crate::domain::{SHANGHAI, shanghai_midnight};

use super::scene::Scene;

/// Width of a Chinese character in the picture, in its own units.
const CHARACTER: f64 = 12.0;

/// Where the rows lie in a picture of one width.
pub(super) struct Grid {
    pub(super) width: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) posts: f64,
    pub(super) looks: f64,
    pub(super) spans: f64,
    pub(super) axis: f64,
    pub(super) height: f64,
    from: i64,
    seconds: f64,
}

pub(super) const SPAN_HEIGHT: f64 = 24.0;

impl Grid {
    /// On a wide picture the names of the rows stand before them, on a narrow one above.
    pub(super) fn new(scene: &Scene, width: u32) -> Self {
        let is_narrow = width < 500;
        let (left, posts, looks, spans) =
            if is_narrow { (10.0, 34.0, 78.0, 112.0) } else { (56.0, 30.0, 64.0, 88.0) };
        let axis = spans + SPAN_HEIGHT + 10.0;
        Self {
            width: f64::from(width),
            left,
            right: f64::from(width) - 10.0,
            posts,
            looks,
            spans,
            axis,
            height: axis + 22.0,
            from: scene.from.timestamp(),
            seconds: whole((scene.to - scene.from).num_seconds()).max(1.0),
        }
    }

    pub(super) fn x(&self, at: DateTime<Utc>) -> f64 {
        let part = whole(at.timestamp() - self.from) / self.seconds;
        self.left + part.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// Marks that would lie on one another are drawn once: at whole units, with how many they are.
    pub(super) fn columns(
        &self,
        times: impl Iterator<Item = DateTime<Utc>>,
    ) -> BTreeMap<i64, usize> {
        let mut columns = BTreeMap::new();
        for at in times {
            *columns.entry(unit(self.x(at))).or_default() += 1;
        }
        columns
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a few months, units of a picture")]
fn whole(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a place within the picture")]
fn unit(place: f64) -> i64 {
    place.round() as i64
}

pub(super) fn text_width(text: &str) -> f64 {
    text.chars().map(|one| if one.is_ascii() { CHARACTER * 0.55 } else { CHARACTER }).sum()
}

/// The day before which pictures of so many days begin, at midnight in Beijing.
pub(super) fn beginning(to: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    let day = to.with_timezone(&SHANGHAI).date_naive();
    day.checked_sub_days(Days::new(u64::from(days))).map_or(to, shanghai_midnight)
}
