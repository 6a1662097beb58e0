use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use crate::domain::Reason;

use super::facts::{Bracket, Outcome, Visit};

/// Lists so near in time are taken to be of one kind.
const NEAR: Duration = Duration::days(45);

/// Where more than one in so many of them is out of order, the others are in order by chance.
const ONE_IN: usize = 3;

/// How the lists of an account's page kinds fared, in order of time.
pub(super) struct Disorder<'a>(Vec<Ranked<'a>>);

/// A list, and whether its order was that of time.
struct Ranked<'a> {
    page: &'a str,
    /// Version of the platform file.
    adapter: &'a str,
    at: DateTime<Utc>,
    order: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Broken,
    Kept,
    /// The list before it stood so already: what has not changed shows its order once. Or it lists
    /// too little to show any.
    Unchanged,
}

impl<'a> Disorder<'a> {
    /// `visits` in order of time.
    pub(super) fn of(visits: &[&'a Visit]) -> Self {
        let mut enclosed: HashMap<&str, Bracket> = HashMap::new();
        let mut ranked = |visit: &&'a Visit| {
            let order = match &visit.outcome {
                Outcome::Observed(seen) if seen.span.is_some() => match seen.bracket {
                    Some(bracket) if enclosed.insert(&visit.page, bracket) != Some(bracket) => {
                        Order::Kept
                    }
                    _ => Order::Unchanged,
                },
                // One that could not be read at all lists nothing.
                Outcome::Failed(Reason::Drifted) if visit.items > 0 => Order::Broken,
                _ => return None,
            };
            let (page, adapter) = (visit.page.as_str(), visit.adapter.as_str());
            Some(Ranked { page, adapter, at: visit.started_at, order })
        };
        let lists: Vec<_> = visits.iter().filter_map(&mut ranked).collect();
        let is_needed = lists.iter().any(|list| list.order == Order::Broken);
        Self(if is_needed { lists } else { Vec::new() })
    }

    /// Whether a list that seems to stand newest first is one of a page that mostly does not: it
    /// shows what is popular, say, and tells nothing of what it leaves out.
    pub(super) fn holds(&self, visit: &Visit) -> bool {
        let from = self.0.partition_point(|list| list.at < visit.started_at - NEAR);
        let near = self.0[from..].iter().take_while(|list| list.at <= visit.started_at + NEAR);
        let near = near.filter(|list| (list.page, list.adapter) == (&*visit.page, &*visit.adapter));
        let (kept, broken) = near.fold((0, 0), |(kept, broken), list| match list.order {
            Order::Broken => (kept, broken + 1),
            Order::Kept => (kept + 1, broken),
            Order::Unchanged => (kept, broken),
        });
        broken * ONE_IN > kept + broken
    }
}
