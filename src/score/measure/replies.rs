//! Responsiveness: whether and how soon messages were answered.

use chrono::{DateTime, Duration, Utc};

use super::super::facts::{InquiryFact, Stretch};
use super::super::reading::{Quantity, Reading, UnknownKind, number_of};
use super::super::window::Window;

/// The 97.5 % point of the normal distribution: Wilson intervals are two-sided 95 %.
const NORMAL_975: f64 = 1.959_963_984_540_054;

/// A message whose time is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Dated {
    asked: Stretch,
    replied: Option<Stretch>,
    /// Until when it is known to have been open, where it was not answered.
    open_until: DateTime<Utc>,
    /// Whether an answer may have been given that nobody saw.
    unsure: bool,
}

/// The messages asked in the window.
struct Asked {
    dated: Vec<Dated>,
    undated: usize,
}

fn asked(window: &Window<'_>) -> Result<Asked, Reading> {
    let Some(inquiries) = &window.facts.inquiries else {
        let reason = "没有读取过载有留言的页面";
        return Err(Reading::unknown(UnknownKind::NotObservable, reason));
    };
    let inside = |inquiry: &InquiryFact| {
        let asked = inquiry.asked.filter(|at| at.from >= window.from && at.from < window.to)?;
        // What was answered only after the cutoff was not answered at the cutoff.
        let cutoff = window.facts.cutoff;
        let replied = inquiry.replied.filter(|at| at.from < cutoff);
        let open_until = inquiry.open_until.unwrap_or(cutoff).min(cutoff);
        let unsure = replied.is_none() && open_until < cutoff;
        Some(Dated { asked, replied, open_until, unsure })
    };
    let mut dated: Vec<_> = inquiries.iter().filter_map(inside).collect();
    dated.sort();
    let undated = inquiries.iter().filter(|inquiry| inquiry.asked.is_none()).count();
    Ok(Asked { dated, undated })
}

/// The messages, or "not applicable" where there is none.
fn some_asked(window: &Window<'_>) -> Result<Asked, Reading> {
    let asked = asked(window)?;
    if asked.dated.is_empty() {
        return Err(Reading::unknown(UnknownKind::NotApplicable, "本期没有留言"));
    }
    Ok(asked)
}

pub(in super::super) fn inquiries(window: &Window<'_>) -> Reading {
    match asked(window) {
        Err(unknown) => unknown,
        Ok(asked) => {
            let value = number_of(asked.dated.len());
            let high = number_of(asked.dated.len() + asked.undated);
            Reading::Known(Quantity { value, low: value, high: Some(high) })
        }
    }
}

pub(in super::super) fn replied(window: &Window<'_>) -> Reading {
    match asked(window) {
        Err(unknown) => unknown,
        Ok(asked) => {
            let replied = count_replied(&asked);
            let value = number_of(replied);
            let high = number_of(replied + count_unsure(&asked) + asked.undated);
            Reading::Known(Quantity { value, low: value, high: Some(high) })
        }
    }
}

fn count_replied(asked: &Asked) -> usize {
    asked.dated.iter().filter(|one| one.replied.is_some()).count()
}

/// Messages that may have been answered while nobody could look.
fn count_unsure(asked: &Asked) -> usize {
    asked.dated.iter().filter(|one| one.unsure).count()
}

/// A share of the answered messages; those that may have been answered unseen bound it from above.
fn rate(window: &Window<'_>, of: impl Fn(f64, f64) -> f64) -> Reading {
    match some_asked(window) {
        Err(unknown) => unknown,
        Ok(asked) => {
            let all = number_of(asked.dated.len());
            let replied = count_replied(&asked);
            let value = of(number_of(replied), all);
            let high = of(number_of(replied + count_unsure(&asked)), all);
            Reading::Known(Quantity { value, low: value, high: Some(high) })
        }
    }
}

pub(in super::super) fn reply_rate(window: &Window<'_>) -> Reading {
    rate(window, |replied, asked| replied / asked)
}

/// The reply rate with its Wilson interval as bounds; those that may have been answered unseen
/// count at its upper end.
pub(in super::super) fn reply_share(window: &Window<'_>) -> Reading {
    match some_asked(window) {
        Err(unknown) => unknown,
        Ok(asked) => {
            let (replied, total) = (count_replied(&asked), number_of(asked.dated.len()));
            let (low, _) = wilson(number_of(replied), total);
            let (_, high) = wilson(number_of(replied + count_unsure(&asked)), total);
            Reading::Known(Quantity { value: number_of(replied) / total, low, high: Some(high) })
        }
    }
}

pub(in super::super) fn reply_rate_low(window: &Window<'_>) -> Reading {
    rate(window, |replied, asked| wilson(replied, asked).0)
}

pub(in super::super) fn reply_rate_high(window: &Window<'_>) -> Reading {
    rate(window, |replied, asked| wilson(replied, asked).1)
}

/// The Wilson score interval of a share, two-sided 95 % (E. B. Wilson, 1927).
fn wilson(successes: f64, trials: f64) -> (f64, f64) {
    let share = successes / trials;
    let z2 = NORMAL_975 * NORMAL_975;
    let centre = share + z2 / (2.0 * trials);
    let spread =
        NORMAL_975 * (share * (1.0 - share) / trials + z2 / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + z2 / trials;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

pub(in super::super) fn reply_median_hours(window: &Window<'_>) -> Reading {
    let asked = match some_asked(window) {
        Ok(asked) => asked,
        Err(unknown) => return unknown,
    };
    let median = |wait: fn(Stretch, Stretch) -> Duration| {
        let mut waits: Vec<(i64, bool)> = asked
            .dated
            .iter()
            .map(|one| {
                let open = Stretch { from: one.open_until, to: one.open_until };
                let until = one.replied.unwrap_or(open);
                (wait(one.asked, until).num_seconds().max(0), one.replied.is_some())
            })
            .collect();
        kaplan_meier_median(&mut waits)
    };
    let begin = median(|asked, reply| reply.from - asked.from);
    let soonest = median(|asked, reply| reply.from - asked.to);
    let latest = median(|asked, reply| reply.to - asked.from);
    Reading::Known(Quantity {
        value: hours(begin.0),
        low: hours(soonest.0),
        high: latest.1.then(|| hours(latest.0)),
    })
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a few years, far below 2^53")]
fn hours(seconds: i64) -> f64 {
    seconds as f64 / 3600.0
}

/// The median waiting time by Kaplan and Meier (1958): an unanswered message has waited at least
/// until the cutoff. Gives seconds, and whether the median was reached; if not, the longest wait
/// known, which the median exceeds.
fn kaplan_meier_median(waits: &mut [(i64, bool)]) -> (i64, bool) {
    // At equal times answers come before unanswered messages, which were still waiting.
    waits.sort_by_key(|(seconds, answered)| (*seconds, !answered));
    let mut waiting = 1.0;
    for (index, (seconds, answered)) in waits.iter().enumerate() {
        if *answered {
            let at_risk = number_of(waits.len() - index);
            waiting *= (at_risk - 1.0) / at_risk;
            // One half exactly, when it is a product of rounded fractions, may come out above.
            if waiting <= 0.5 + 1e-9 {
                return (*seconds, true);
            }
        }
    }
    (waits.last().map_or(0, |(seconds, _)| *seconds), false)
}

/// Overdue messages: counted, at least, at most.
fn overdue(window: &Window<'_>, asked: &Asked) -> (usize, usize, usize) {
    let cutoff = window.facts.cutoff;
    let count = |late: &dyn Fn(&Dated) -> bool| asked.dated.iter().filter(|one| late(one)).count();
    let limit = window.reply_deadline;
    // At the latest, what was not seen to be answered is open to this day.
    let open = |one: &Dated| one.replied.map_or(one.open_until, |reply| reply.from);
    let latest = |one: &Dated| one.replied.map_or(cutoff, |reply| reply.to);
    (
        count(&|one| open(one) - one.asked.from > limit),
        count(&|one| open(one) - one.asked.to > limit),
        count(&|one| latest(one) - one.asked.from > limit),
    )
}

pub(in super::super) fn overdue_replies(window: &Window<'_>) -> Reading {
    match asked(window) {
        Err(unknown) => unknown,
        Ok(asked) => {
            let (value, low, high) = overdue(window, &asked);
            Reading::Known(Quantity {
                value: number_of(value),
                low: number_of(low),
                high: Some(number_of(high)),
            })
        }
    }
}

pub(in super::super) fn overdue_share(window: &Window<'_>) -> Reading {
    match some_asked(window) {
        Err(unknown) => unknown,
        Ok(asked) => {
            let total = number_of(asked.dated.len());
            overdue_replies(window).map(|overdue| overdue / total)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_the_unanswered() {
        for (waits, want) in [
            (vec![(10, true), (20, true), (30, true)], (20, true)),
            (vec![(10, true), (20, true)], (10, true)),
            (vec![(10, true), (20, false), (30, true), (40, false)], (30, true)),
            (vec![(10, true), (20, false), (30, false)], (30, false)),
            (vec![(10, false)], (10, false)),
            ((1..=10).map(|n| (n, true)).collect(), (5, true)),
        ] {
            assert_eq!(kaplan_meier_median(&mut waits.clone()), want, "{waits:?}");
        }
    }

    #[test]
    fn wilson_gives_known_intervals() {
        // Published: 8 of 10 gives 0.490 to 0.943; 0 of 10 gives 0 to 0.278.
        let (low, high) = wilson(8.0, 10.0);
        assert_eq!((format!("{low:.3}"), format!("{high:.3}")), ("0.490".into(), "0.943".into()));
        let (low, high) = wilson(0.0, 10.0);
        assert_eq!((low, format!("{high:.3}")), (0.0, "0.278".into()));
    }
}
