//! Influence: what others did with the posts.

use crate::domain::Count;

use super::PostFact;
use super::index::bci_registered;
use super::posting;
use super::reading::{Quantity, Reading, UnknownKind, number, number_of};
use super::window::Window;

type Metric = fn(&PostFact) -> Option<&Count>;

const LIKES: Metric = |post| post.likes.as_ref();
const COMMENTS: Metric = |post| post.comments.as_ref();
const SHARES: Metric = |post| post.shares.as_ref();
const READS: Metric = |post| post.reads.as_ref();

/// The sum over the posts listed; a post without the number leaves only a lower bound.
fn listed_sum(window: &Window<'_>, metric: Metric) -> Reading {
    let mut total = Quantity::exact(0.0);
    let (mut listed, mut shown) = (0, 0);
    let mut reason = None;
    for post in window.counted() {
        listed += 1;
        let count = metric(post);
        if let Some(Count::Hidden(hidden)) = count {
            reason.get_or_insert_with(|| hidden.clone());
        }
        let Some((value, low)) = count.and_then(|count| count.value().zip(count.low())) else {
            total.high = None;
            continue;
        };
        shown += 1;
        total.value += number(value);
        total.low += number(low);
        let high = count.and_then(Count::high).map(number);
        total.high = total.high.zip(high).map(|(sum, high)| sum + high);
    }
    if listed > 0 && shown == 0 {
        let reason = reason.unwrap_or_else(|| "读取的页面不显示该数".to_owned());
        return Reading::unknown(UnknownKind::NotObservable, reason);
    }
    Reading::Known(total)
}

/// The sum over the period: what no observation covers can only add to it.
fn sum(window: &Window<'_>, metric: Metric) -> Reading {
    match listed_sum(window, metric) {
        Reading::Known(total) => {
            let all_sure = window.posts.iter().all(|listed| listed.surely);
            let low = if all_sure { total.low } else { 0.0 };
            let high = total.high.filter(|_| window.is_covered() && all_sure);
            Reading::Known(Quantity { low, high, ..total })
        }
        unknown @ Reading::Unknown(_) => unknown,
    }
}

pub(super) fn likes(window: &Window<'_>) -> Reading {
    sum(window, LIKES)
}

pub(super) fn comments(window: &Window<'_>) -> Reading {
    sum(window, COMMENTS)
}

pub(super) fn shares(window: &Window<'_>) -> Reading {
    sum(window, SHARES)
}

pub(super) fn reads(window: &Window<'_>) -> Reading {
    sum(window, READS)
}

/// Likes, comments and shares of the posts listed; a kind that is not shown leaves a lower bound.
fn listed_interactions(window: &Window<'_>) -> Reading {
    let kinds = [LIKES, COMMENTS, SHARES].map(|metric| listed_sum(window, metric));
    let mut total: Option<Quantity> = None;
    for quantity in kinds.iter().filter_map(|kind| kind.known().ok()) {
        let sum = total.unwrap_or(Quantity::exact(0.0));
        total = Some(Quantity {
            value: sum.value + quantity.value,
            low: sum.low + quantity.low,
            high: sum.high.zip(quantity.high).map(|(a, b)| a + b),
        });
    }
    let all_shown = kinds.iter().all(|kind| kind.known().is_ok());
    match total {
        Some(total) if all_shown => Reading::Known(total),
        Some(total) => Reading::Known(Quantity { high: None, ..total }),
        None => kinds.into_iter().next().unwrap_or_else(|| {
            Reading::unknown(UnknownKind::NotObservable, "读取的页面不显示该数")
        }),
    }
}

fn per_post(window: &Window<'_>, total: Reading) -> Reading {
    let posts = window.counted().count();
    if posts == 0 {
        return window.without_posts();
    }
    total.map(|total| total / number_of(posts))
}

pub(super) fn interactions_per_post(window: &Window<'_>) -> Reading {
    per_post(window, listed_interactions(window))
}

pub(super) fn reads_per_post(window: &Window<'_>) -> Reading {
    per_post(window, listed_sum(window, READS))
}

pub(super) fn followers(window: &Window<'_>) -> Reading {
    let Some(count) = &window.facts.followers else {
        return Reading::unknown(UnknownKind::NotObservable, "读取的页面不显示关注数");
    };
    match (count.value(), count.low()) {
        (Some(value), Some(low)) => Reading::Known(Quantity {
            value: number(value),
            low: number(low),
            high: count.high().map(number),
        }),
        _ => Reading::unknown(
            UnknownKind::NotObservable,
            if let Count::Hidden(reason) = count {
                reason.as_str()
            } else {
                "平台不显示关注数"
            },
        ),
    }
}

pub(super) fn bci(window: &Window<'_>) -> Reading {
    let parts = [posting::posts(window), shares(window), comments(window), likes(window)];
    let mut quantities = [Quantity::exact(0.0); 4];
    for (place, part) in quantities.iter_mut().zip(&parts) {
        match part.known() {
            Ok(quantity) => *place = quantity,
            Err(unknown) => return Reading::Unknown(unknown.clone()),
        }
    }
    let at = |end: fn(&Quantity) -> f64| {
        let [posts, shares, comments, likes] = quantities.each_ref().map(end);
        bci_registered(posts, shares, comments, likes)
    };
    let bounded = quantities.iter().all(|quantity| quantity.high.is_some());
    Reading::Known(Quantity {
        value: at(|quantity| quantity.value),
        low: at(|quantity| quantity.low),
        high: bounded.then(|| at(|quantity| quantity.high.unwrap_or(quantity.value))),
    })
}
