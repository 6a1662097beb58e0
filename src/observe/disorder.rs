use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};

use crate::domain::{Reason, shanghai_date};

use super::facts::{Bracket, Outcome, Visit};

/// Lists so near in time are taken to be of one kind.
///
/// By the near ones, lest a page that was in order for weeks and is no more is trusted for its
/// past; and by those of weeks, lest a chance that lasts is.
const NEAR: [Duration; 2] = [Duration::days(15), Duration::days(45)];

/// Where more than one in so many of them is out of order, the others are in order by chance.
const ONE_IN: usize = 3;

/// Out of order on a single day is an accident.
const BROKEN_DAYS: usize = 2;

/// What has not changed shows its order anew only after so long.
const SHOWN_AGAIN: Duration = Duration::days(3);

/// How the lists of an account's page kinds fared, in order of time; those that show nothing new
/// are left out.
pub(super) struct Disorder<'a>(Vec<Ranked<'a>>);

/// A list, and whether its order was that of time.
struct Ranked<'a> {
    page: &'a str,
    /// Version of the platform file.
    adapter: &'a str,
    at: DateTime<Utc>,
    is_broken: bool,
}

/// Whether a list was out of order. One that could not be read at all lists nothing.
fn is_broken(visit: &Visit) -> bool {
    matches!(visit.outcome, Outcome::Failed(Reason::Drifted)) && visit.items > 0
}

impl<'a> Disorder<'a> {
    /// `visits` in order of time.
    pub(super) fn of(visits: &[&'a Visit]) -> Self {
        if !visits.iter().any(|visit| is_broken(visit)) {
            return Self(Vec::new());
        }
        let mut shown: HashMap<(&str, &str, Bracket), DateTime<Utc>> = HashMap::new();
        let mut ranked = |visit: &&'a Visit| {
            let (page, adapter) = (visit.page.as_str(), visit.adapter.as_str());
            let at = visit.started_at;
            let is_broken = match &visit.outcome {
                Outcome::Observed(seen) if seen.span.is_some() => {
                    // One that encloses nothing shows no order.
                    let shown = shown.entry((page, adapter, seen.bracket?)).or_default();
                    if at - *shown < SHOWN_AGAIN {
                        return None;
                    }
                    *shown = at;
                    false
                }
                _ if is_broken(visit) => true,
                _ => return None,
            };
            Some(Ranked { page, adapter, at, is_broken })
        };
        Self(visits.iter().filter_map(&mut ranked).collect())
    }

    /// Whether a list that seems to stand newest first is one of a page that mostly does not: it
    /// shows what is popular, say, and tells nothing of what it leaves out.
    pub(super) fn holds(&self, visit: &Visit) -> bool {
        !self.0.is_empty() && NEAR.into_iter().any(|near| self.is_mostly_broken(visit, near))
    }

    fn is_mostly_broken(&self, visit: &Visit, near: Duration) -> bool {
        let from = self.0.partition_point(|list| list.at < visit.started_at - near);
        let lists = self.0[from..].iter().take_while(|list| list.at <= visit.started_at + near);
        let lists =
            lists.filter(|list| (list.page, list.adapter) == (&*visit.page, &*visit.adapter));
        let (broken, kept): (Vec<&Ranked>, Vec<&Ranked>) = lists.partition(|list| list.is_broken);
        let days: HashSet<_> = broken.iter().map(|list| shanghai_date(list.at)).collect();
        days.len() >= BROKEN_DAYS && broken.len() * ONE_IN > kept.len() + broken.len()
    }
}
