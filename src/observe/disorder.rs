use chrono::{DateTime, Duration, Utc};

use crate::domain::Reason;

use super::facts::{Outcome, Visit};

/// Lists so near in time are taken to be of one kind.
const NEAR: Duration = Duration::days(15);

/// Where more than one in so many of them is out of order, the others are in order by chance.
const ONE_IN: usize = 3;

/// How the lists of an account's page kinds fared, in order of time: page kind, version of the
/// platform file, time, and whether the list was out of order.
pub(super) struct Disorder<'a>(Vec<(&'a str, &'a str, DateTime<Utc>, bool)>);

impl<'a> Disorder<'a> {
    /// `visits` in order of time.
    pub(super) fn of(visits: &[&'a Visit]) -> Self {
        let lists = visits.iter().filter_map(|visit| {
            let out_of_order = match &visit.outcome {
                Outcome::Observed(seen) if seen.span.is_some() => false,
                // One that could not be read at all lists nothing.
                Outcome::Failed(Reason::Drifted) if visit.items > 0 => true,
                _ => return None,
            };
            Some((visit.page.as_str(), visit.adapter.as_str(), visit.started_at, out_of_order))
        });
        let lists: Vec<_> = lists.collect();
        let is_needed = lists.iter().any(|(.., out_of_order)| *out_of_order);
        Self(if is_needed { lists } else { Vec::new() })
    }

    /// Whether a list that seems to stand newest first is one of a page that mostly does not: it
    /// shows what is popular, say, and tells nothing of what it leaves out.
    pub(super) fn holds(&self, visit: &Visit) -> bool {
        let from = self.0.partition_point(|(_, _, at, _)| *at < visit.started_at - NEAR);
        let near = self.0[from..].iter().take_while(|(_, _, at, _)| *at <= visit.started_at + NEAR);
        let mut near = near.filter(|(page, adapter, ..)| {
            (*page, *adapter) == (visit.page.as_str(), visit.adapter.as_str())
        });
        let (all, out) = near.by_ref().fold((0, 0), |(all, out), (.., out_of_order)| {
            (all + 1, out + usize::from(*out_of_order))
        });
        out * ONE_IN > all
    }
}
