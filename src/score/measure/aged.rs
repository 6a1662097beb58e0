//! Interactions at fixed ages of the posts: reads and likes grow for days, so that numbers taken at
//! different ages favour old posts.

use chrono::Duration;

use crate::domain::Count;

use super::super::reading::{Quantity, Reading, UnknownKind, number, number_of};
use super::super::window::Window;
use super::super::{Aged, PostFact};

/// The posts that had reached an age at the cutoff, whenever a sample was taken of them.
fn grown<'a>(window: &Window<'a>, hours: u32) -> Vec<&'a PostFact> {
    let age = Duration::hours(i64::from(hours));
    let cutoff = window.facts.cutoff;
    window.counted().filter(|post| post.published.to + age <= cutoff).collect()
}

fn at_age(post: &PostFact, hours: u32) -> Option<&Aged> {
    post.aged.iter().find(|aged| aged.hours == hours)
}

/// Adds the kinds that are shown; `None` where none is.
fn visible(kinds: [Option<&Count>; 3]) -> Option<Quantity> {
    let mut total: Option<Quantity> = None;
    for count in kinds.into_iter().flatten() {
        let Some((value, low)) = count.value().zip(count.low()) else { continue };
        let sum = total.unwrap_or(Quantity::exact(0.0));
        total = Some(Quantity {
            value: sum.value + number(value),
            low: sum.low + number(low),
            high: sum.high.zip(count.high()).map(|(sum, high)| sum + number(high)),
        });
    }
    total
}

/// The mean over the posts that reached the age and were sampled at it.
fn mean(window: &Window<'_>, hours: u32, of: impl Fn(&Aged) -> Option<Quantity>) -> Reading {
    let grown = grown(window, hours);
    if grown.is_empty() {
        if window.counted().next().is_none() {
            return window.without_posts();
        }
        let reason = format!("截止时没有满 {hours} 小时的发布");
        return Reading::unknown(UnknownKind::Undetermined, reason);
    }
    let sampled: Vec<&Aged> = grown.iter().filter_map(|post| at_age(post, hours)).collect();
    if sampled.is_empty() {
        let reason = format!("发布满 {hours} 小时时没有读取");
        return Reading::unknown(UnknownKind::Undetermined, reason);
    }
    let shown: Vec<Quantity> = sampled.iter().filter_map(|aged| of(aged)).collect();
    if shown.is_empty() {
        return Reading::unknown(UnknownKind::NotObservable, "读取的页面不显示该数");
    }
    let count = number_of(shown.len());
    let sum = |end: fn(&Quantity) -> f64| shown.iter().map(end).sum::<f64>() / count;
    let open = shown.iter().any(|one| one.high.is_none());
    Reading::Known(Quantity {
        value: sum(|one| one.value),
        low: sum(|one| one.low),
        high: (!open).then(|| sum(|one| one.high.unwrap_or(one.value))),
    })
}

fn interactions(window: &Window<'_>, hours: u32) -> Reading {
    mean(window, hours, |aged| {
        visible([aged.likes.as_ref(), aged.comments.as_ref(), aged.shares.as_ref()])
    })
}

pub(in super::super) fn interactions_1d_per_post(window: &Window<'_>) -> Reading {
    interactions(window, 24)
}

pub(in super::super) fn interactions_3d_per_post(window: &Window<'_>) -> Reading {
    interactions(window, 72)
}

pub(in super::super) fn interactions_7d_per_post(window: &Window<'_>) -> Reading {
    interactions(window, 168)
}

pub(in super::super) fn reads_7d_per_post(window: &Window<'_>) -> Reading {
    mean(window, 168, |aged| visible([aged.reads.as_ref(), None, None]))
}

pub(in super::super) fn posts_sampled_7d(window: &Window<'_>) -> Reading {
    let grown = grown(window, 168);
    let sampled = grown.iter().filter(|post| at_age(post, 168).is_some()).count();
    Reading::exact(number_of(sampled))
}
