//! Interactions at fixed ages of the posts: reads and likes grow for days, so that numbers taken at
//! different ages favour old posts.

use chrono::Duration;

use crate::domain::Count;

use super::super::reading::{Quantity, Reading, UnknownKind, number, number_of};
use super::super::window::Window;
use super::super::{Aged, PostFact};

/// The posts that had reached an age at the cutoff, whenever a sample was taken of them.
fn grown<'a>(window: &Window<'a>, hours: u32) -> impl Iterator<Item = &'a PostFact> {
    let age = Duration::hours(i64::from(hours));
    let cutoff = window.facts.cutoff;
    window.counted().filter(move |post| post.published.to + age <= cutoff)
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
    if grown(window, hours).next().is_none() {
        if window.counted().next().is_none() {
            return window.without_posts();
        }
        let reason = format!("截止时没有满 {hours} 小时的发布");
        return Reading::unknown(UnknownKind::Undetermined, reason);
    }
    let sampled = || grown(window, hours).filter_map(|post| at_age(post, hours));
    if sampled().next().is_none() {
        let reason = format!("发布满 {hours} 小时时没有读取");
        return Reading::unknown(UnknownKind::Undetermined, reason);
    }
    let (mut shown, mut sum) = (0, Quantity::exact(0.0));
    for one in sampled().filter_map(of) {
        shown += 1;
        sum.value += one.value;
        sum.low += one.low;
        sum.high = sum.high.zip(one.high).map(|(sum, high)| sum + high);
    }
    if shown == 0 {
        return Reading::unknown(UnknownKind::NotObservable, "读取的页面不显示该数");
    }
    Reading::Known(sum).map(|sum| sum / number_of(shown))
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
    let sampled = grown(window, 168).filter(|post| at_age(post, 168).is_some()).count();
    Reading::exact(number_of(sampled))
}
