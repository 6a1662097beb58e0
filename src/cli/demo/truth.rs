use chrono::{DateTime, Utc};

use crate::domain::{Activity, Standing};
use crate::jobs;
use crate::simulator::City;

/// Every account whose verdict is not what the city's truth allows, with both.
///
/// An observable account must be judged as it is, or undetermined for a reason that comes and goes;
/// any other must be undetermined for a reason that fits what stands in the way.
pub(super) async fn differences(jobs: &jobs::Context, city: &City) -> anyhow::Result<Vec<String>> {
    let now = jobs.clock.now();
    let standings = jobs.store.standings(u32::MAX, None, None).await?;
    Ok(standings.iter().filter_map(|standing| difference(standing, city, now)).collect())
}

fn difference(standing: &Standing, city: &City, now: DateTime<Utc>) -> Option<String> {
    let truth = city.truth(&standing.key, now)?;
    let judged = standing.activity;
    let agrees = match judged {
        Activity::Undetermined(reason) => truth.reasons.contains(&reason),
        proven => truth.observable && proven == truth.activity,
    };
    let character = city.character(&standing.key);
    (!agrees).then(|| {
        format!(
            "{} {}: {judged:?}, in truth {:?} ({character:?}, observable: {})",
            standing.key, standing.platform, truth.activity, truth.observable
        )
    })
}
