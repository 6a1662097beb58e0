//! What posts are like: their forms, repeats, bursts, late appearances.

use chrono::Duration;

use crate::domain::Form;

use super::super::PostFact;
use super::super::reading::{Quantity, Reading, UnknownKind, number_of};
use super::super::window::{Listed, Window};

/// The last days of a period in which a burst is looked for.
const BURST_DAYS: i64 = 7;

/// How many posts have a property: unknown where no page says it of any post.
fn counted(
    window: &Window<'_>,
    of: impl Fn(&PostFact) -> Option<bool>,
    why: &'static str,
) -> Reading {
    let known = window.posts.iter().any(|listed| of(listed.post).is_some());
    if !window.posts.is_empty() && !known {
        return Reading::unknown(UnknownKind::NotObservable, why);
    }
    let count = |chosen: &dyn Fn(&Listed<'_>) -> bool| {
        number_of(window.posts.iter().filter(|listed| chosen(listed)).count())
    };
    let high = count(&|listed| of(listed.post) != Some(false));
    Reading::Known(Quantity {
        value: count(&|listed| listed.counted && of(listed.post) == Some(true)),
        low: count(&|listed| listed.surely && of(listed.post) == Some(true)),
        high: window.is_covered().then_some(high),
    })
}

fn of_form(window: &Window<'_>, form: Form) -> Reading {
    counted(window, |post| post.form.map(|one| one == form), "页面不显示发布的形式")
}

pub(in super::super) fn text_posts(window: &Window<'_>) -> Reading {
    of_form(window, Form::Text)
}

pub(in super::super) fn image_posts(window: &Window<'_>) -> Reading {
    of_form(window, Form::Image)
}

pub(in super::super) fn video_posts(window: &Window<'_>) -> Reading {
    of_form(window, Form::Video)
}

pub(in super::super) fn article_posts(window: &Window<'_>) -> Reading {
    of_form(window, Form::Article)
}

pub(in super::super) fn live_posts(window: &Window<'_>) -> Reading {
    of_form(window, Form::Live)
}

/// Posts that appeared late; what nobody has seen can only add to them.
pub(in super::super) fn late_posts(window: &Window<'_>) -> Reading {
    counted(window, |post| Some(post.late), "")
}

/// Posts whose text an earlier one of the window has.
pub(in super::super) fn repeated_posts(window: &Window<'_>) -> Reading {
    let mut texts: Vec<&str> = Vec::with_capacity(window.posts.len());
    texts.extend(window.counted().filter_map(|post| post.text_digest.as_deref()));
    let (posts, known) = (window.counted().count(), texts.len());
    if posts > 0 && known == 0 {
        return Reading::unknown(UnknownKind::NotObservable, "页面不显示发布的文字");
    }
    texts.sort_unstable();
    texts.dedup();
    let value = number_of(known - texts.len());
    let bounded = window.is_covered() && known == posts;
    let all_sure = window.posts.iter().all(|listed| listed.surely);
    let low = if all_sure { value } else { 0.0 };
    let high = bounded.then(|| number_of(window.posts.len().saturating_sub(1)));
    Reading::Known(Quantity {
        value,
        low,
        high: if bounded && all_sure { Some(value) } else { high },
    })
}

pub(in super::super) fn repeated_share(window: &Window<'_>) -> Reading {
    let posts = window.counted().count();
    if posts == 0 {
        return window.without_posts();
    }
    let share = repeated_posts(window).map(|repeated| repeated / number_of(posts));
    match share {
        Reading::Known(quantity) => Reading::Known(Quantity {
            high: Some(quantity.high.unwrap_or(1.0).min(1.0)),
            ..quantity
        }),
        unknown @ Reading::Unknown(_) => unknown,
    }
}

/// The share of the posts in the last days of the window.
pub(in super::super) fn burst_share(window: &Window<'_>) -> Reading {
    let total = window.counted().count();
    if total == 0 {
        return window.without_posts();
    }
    let begin = window.to - Duration::days(BURST_DAYS);
    let share = |late: usize, all: usize| {
        if all == 0 { 0.0 } else { number_of(late) / number_of(all) }
    };
    let late = |listed: &&Listed<'_>| listed.post.published.from >= begin;
    let maybe_late = |listed: &&Listed<'_>| listed.post.published.to >= begin;
    let sure_late = window.posts.iter().filter(|l| l.surely).filter(late).count();
    let may_be_late = window.posts.iter().filter(maybe_late).count();
    let sure_early = window.posts.iter().filter(|l| l.surely).filter(|l| !maybe_late(l)).count();
    let may_be_early = window.posts.iter().filter(|l| !late(l)).count();
    let value = share(window.posts.iter().filter(|l| l.counted).filter(late).count(), total);
    let gap_late = window.gaps.iter().any(|gap| gap.to > begin);
    let gap_early = window.gaps.iter().any(|gap| gap.from < begin);
    Reading::Known(Quantity {
        value,
        low: if gap_early { 0.0 } else { share(sure_late, sure_late + may_be_early) },
        high: Some(if gap_late { 1.0 } else { share(may_be_late, may_be_late + sure_early) }),
    })
}
