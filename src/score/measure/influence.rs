//! Influence: what others did with the posts.

use crate::domain::Count;

use super::super::PostFact;
use super::super::reading::{Quantity, Reading, UnknownKind, number, number_of};
use super::super::window::Window;

pub(super) type Metric = fn(&PostFact) -> Option<&Count>;

pub(super) const LIKES: Metric = |post| post.likes.as_ref();
pub(super) const COMMENTS: Metric = |post| post.comments.as_ref();
pub(super) const SHARES: Metric = |post| post.shares.as_ref();
pub(super) const READS: Metric = |post| post.reads.as_ref();

/// The sum over the posts listed; a post without the number leaves only a lower bound.
fn listed_sum(window: &Window<'_>, metric: Metric) -> Reading {
    let mut total = Quantity::exact(0.0);
    let (mut listed, mut shown) = (0, 0);
    let mut reason = None;
    for post in window.counted() {
        listed += 1;
        let count = metric(post);
        if let Some(Count::Hidden(hidden)) = count {
            reason.get_or_insert_with(|| Count::hidden_words(hidden).to_owned());
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
pub(super) fn sum(window: &Window<'_>, metric: Metric) -> Reading {
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

pub(in super::super) fn likes(window: &Window<'_>) -> Reading {
    sum(window, LIKES)
}

pub(in super::super) fn comments(window: &Window<'_>) -> Reading {
    sum(window, COMMENTS)
}

pub(in super::super) fn shares(window: &Window<'_>) -> Reading {
    sum(window, SHARES)
}

pub(in super::super) fn reads(window: &Window<'_>) -> Reading {
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

pub(in super::super) fn interactions_per_post(window: &Window<'_>) -> Reading {
    per_post(window, listed_interactions(window))
}

pub(in super::super) fn reads_per_post(window: &Window<'_>) -> Reading {
    per_post(window, listed_sum(window, READS))
}

/// A count of the account itself.
fn of_account(count: Option<&Count>, what: &str) -> Reading {
    let Some(count) = count else {
        return Reading::unknown(UnknownKind::NotObservable, format!("读取的页面不显示{what}"));
    };
    match (count.value(), count.low()) {
        (Some(value), Some(low)) => Reading::Known(Quantity {
            value: number(value),
            low: number(low),
            high: count.high().map(number),
        }),
        _ => Reading::unknown(
            UnknownKind::NotObservable,
            match count {
                Count::Hidden(reason) => Count::hidden_words(reason).to_owned(),
                _ => "平台不显示".to_owned(),
            },
        ),
    }
}

pub(in super::super) fn followers(window: &Window<'_>) -> Reading {
    of_account(window.facts.followers.as_ref(), "关注数")
}

/// The difference of two bounded numbers; may be negative.
pub(in super::super) fn follower_gain(window: &Window<'_>) -> Reading {
    let before = of_account(window.facts.followers_before.as_ref(), "期初关注数");
    match (followers(window).known(), before.known()) {
        (Ok(now), Ok(before)) => {
            // Without an upper end of the number before, the gain has no lower end; followers
            // cannot fall below none.
            let low = before.high.map_or(-1e12, |high| now.low - high);
            Reading::Known(Quantity {
                value: now.value - before.value,
                low,
                high: now.high.map(|high| high - before.low),
            })
        }
        (Err(unknown), _) | (_, Err(unknown)) => Reading::Unknown(unknown.clone()),
    }
}

pub(in super::super) fn followers_per_resident(window: &Window<'_>) -> Reading {
    let population = window.facts.subject.population.filter(|people| *people > 0);
    let Some(population) = population else {
        return Reading::unknown(UnknownKind::Undetermined, "台账未填常住人口");
    };
    followers(window).map(|followers| followers / number(population))
}

/// The most that one listed post has.
pub(super) fn peak(window: &Window<'_>, metric: Metric) -> Option<Quantity> {
    let mut peak = Quantity::exact(0.0);
    let mut shown = window.counted().next().is_none();
    for count in window.counted().map(metric) {
        let Some((value, low)) = count.and_then(|count| count.value().zip(count.low())) else {
            peak.high = None;
            continue;
        };
        shown = true;
        peak.value = peak.value.max(number(value));
        peak.low = peak.low.max(number(low));
        let high = count.and_then(Count::high).map(number);
        peak.high = peak.high.zip(high).map(|(a, b)| a.max(b));
    }
    let sure = window.is_covered() && window.posts.iter().all(|listed| listed.surely);
    shown.then_some(Quantity { high: peak.high.filter(|_| sure), ..peak })
}
