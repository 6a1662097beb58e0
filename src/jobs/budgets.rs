//! What is usual on each platform, and what may be spent on each host.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use crate::schedule::{Habits, Rhythm, Spending, next_price};
use crate::store::{HostBudget, HostDemand};

use super::{Context, crawl};

/// Most accounts of a platform that its habits are learned from.
const ACCOUNTS_MAX: u32 = 1000;

/// A host's claims are got through in so many minutes at its limit.
const CLAIMED_MINUTES: f64 = 3.0;

/// What is usual on each platform, learned anew by [`learn_habits`]; nothing is, until then.
#[derive(Debug, Default)]
pub struct PlatformHabits(RwLock<BTreeMap<String, Arc<Habits>>>);

impl PlatformHabits {
    /// The habits of a platform.
    pub fn of(&self, platform: &str) -> Arc<Habits> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(platform).cloned().unwrap_or_default()
    }

    fn set(&self, platform: String, habits: Habits) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(platform, Arc::new(habits));
    }
}

/// Learns the hours and weekdays of each platform from its accounts; returns how many platforms.
pub async fn learn_habits(context: &Context) -> anyhow::Result<usize> {
    let now = context.clock.now();
    let stored = context.store.rhythms(ACCOUNTS_MAX).await.context("rhythms")?;
    let mut platforms: BTreeMap<String, Vec<Rhythm>> = BTreeMap::new();
    for (platform, rhythm) in stored {
        platforms.entry(platform).or_default().push(Rhythm::from_bytes(&rhythm));
    }
    let count = platforms.len();
    for (platform, rhythms) in platforms {
        context.habits.set(platform, Habits::of(&rhythms, &context.schedule, now));
    }
    Ok(count)
}

/// Sets what each host may be asked in a day and what a visit must save, from what was claimed; and
/// tells how the delays of each platform compare with the least possible. Returns how many hosts.
pub async fn set_budgets(context: &Context) -> anyhow::Result<u64> {
    let now = context.clock.now();
    let demands = context.store.host_demands().await.context("demands on hosts")?;
    let mut changed = Vec::new();
    let mut platforms: BTreeMap<&str, Spent> = BTreeMap::new();
    for demand in &demands {
        let Some(budget) = budget(context, demand, now) else { continue };
        let spent = platforms.entry(&demand.platform).or_default();
        spent.visits += used(&budget);
        spent.rate_roots += demand.rate_roots;
        spent.rates += demand.rates;
        if !demand.budget.as_ref().is_some_and(|old| is_same(old, &budget)) {
            changed.push(budget);
        }
    }
    for (platform, spent) in platforms {
        if let Some(bound) = spent.bound_seconds() {
            context.metrics.set_delay_bound_seconds(platform, bound);
        }
    }
    context.store.set_host_budgets(&changed).await.context("budgets of hosts")
}

fn budget(context: &Context, demand: &HostDemand, now: DateTime<Utc>) -> Option<HostBudget> {
    let platform = context.platforms.get(&demand.platform)?;
    let per_minute = context.fetcher.limit(&demand.host, crawl::host_limit(platform)).per_minute;
    let policy = &context.schedule;
    let per_day = per_minute * 1440.0 * f64::from(policy.budget_percent) / 100.0;
    let (mut spending, counted, settled, elapsed) = match &demand.budget {
        Some(old) => {
            let spending: Spending =
                serde_json::from_value(old.spending.clone()).unwrap_or_default();
            (spending, old.counted, old.settled, now - old.priced_at)
        }
        None => (Spending::default(), demand.claimed, policy.base_price(), TimeDelta::zero()),
    };
    spending.add(demand.claimed.saturating_sub(counted), now);
    let used = spending.used() as f64;
    let price = next_price(settled, policy.base_price(), used, per_day, elapsed);
    let at_once = f64::from(context.settings.claims_per_host);
    Some(HostBudget {
        host: demand.host.clone(),
        per_day,
        claims_max: (per_minute * CLAIMED_MINUTES).clamp(1.0, at_once.max(1.0)) as u32,
        settled: price.settled,
        price: price.now,
        spending: serde_json::to_value(&spending).ok()?,
        counted: demand.claimed,
        priced_at: now,
    })
}

fn used(budget: &HostBudget) -> f64 {
    let spending: Spending = serde_json::from_value(budget.spending.clone()).unwrap_or_default();
    spending.used() as f64
}

/// Whether nothing but the time has changed, so that there is nothing to write.
fn is_same(old: &HostBudget, new: &HostBudget) -> bool {
    HostBudget { priced_at: new.priced_at, ..old.clone() } == *new
}

/// The visits of the last day to a platform's hosts, and what they were for.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    visits: f64,
    rate_roots: f64,
    rates: f64,
}

impl Spent {
    /// The least mean delay for constant rates, (Σ√λ)² / (2 R Σλ), in seconds.
    fn bound_seconds(self) -> Option<f64> {
        let days = self.rate_roots * self.rate_roots / (2.0 * self.visits * self.rates);
        (days.is_finite() && days > 0.0).then_some(days * 86_400.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_of_equal_accounts_is_half_their_interval() {
        // Ten accounts with two posts a day, four visits a day each: six hours apart.
        let spent = Spent { visits: 40.0, rate_roots: 10.0 * 2f64.sqrt(), rates: 20.0 };
        assert!((spent.bound_seconds().unwrap() - 3.0 * 3600.0).abs() < 1e-6);
        assert_eq!(Spent { visits: 0.0, ..spent }.bound_seconds(), None);
        assert_eq!(Spent::default().bound_seconds(), None);
    }
}
