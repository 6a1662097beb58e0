//! Whether page kinds still yield what they used to; where one does not, silent verdicts freeze.

use anyhow::Context as _;

use crate::observe::{PAGES_COMPARED, drifted};

use super::Context;

/// Compares the pages read last at every host and page kind with their own past, and freezes or
/// frees the silent verdicts there. A log line says it.
pub async fn judge_yields(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    let shared = shared_platforms(context);
    let groups = context.store.yield_groups(&shared, PAGES_COMPARED);
    for group in groups.await.context("comparing what pages yield")? {
        let before = group.drifting_since.is_some();
        let (platform, host, page) = (&group.place.platform, &group.place.host, &group.place.page);
        let (compared, fallen) = (group.compared, group.fallen);
        match (before, drifted(compared, fallen, before)) {
            (false, true) => {
                let since = group.fallen_since.unwrap_or(now);
                context.store.begin_drift(&group, since, now).await.context("freezing verdicts")?;
                tracing::warn!(
                    platform, host, page, compared, fallen, %since,
                    "a page kind no longer yields what it used to; silent verdicts are frozen"
                );
            }
            (true, false) => {
                context.store.end_drift(&group.place, now).await.context("freeing verdicts")?;
                tracing::info!(
                    platform,
                    host,
                    page,
                    compared,
                    fallen,
                    "a page kind yields again; silent verdicts are given again"
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// The platforms whose accounts share hosts; elsewhere the accounts of all hosts are compared.
pub(super) fn shared_platforms(context: &Context) -> Vec<String> {
    let shared = context.platforms.iter().filter(|platform| !platform.hosts.is_empty());
    shared.map(|platform| platform.id.clone()).collect()
}
