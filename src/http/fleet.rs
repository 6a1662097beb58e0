use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::domain::FleetCell;
use crate::metrics::{render_findings, render_fleet};

use super::problem::ProblemDetail;
use super::query::Filter;
use super::site::Site;

/// Fleet numbers may be this old and no older, whatever the setting says.
const AGE_MAX: Duration = Duration::from_secs(15);

/// The fleet as it was read: the cells and their text for Prometheus.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) cells: Vec<FleetCell>,
    pub(super) text: String,
}

impl Fleet {
    /// Accounts that a filter lets through.
    pub(super) fn accounts(&self, filter: &Filter) -> u64 {
        let cells = self.cells.iter();
        let kept = cells.filter(|cell| filter.admits(&cell.platform, cell.region.as_str()));
        kept.map(|cell| cell.accounts).sum()
    }
}

/// The newest reading. The lock is held while reading, so that scrapes at the same moment put one
/// question to the database. A failure is not kept, and ends what was kept before.
#[derive(Debug, Default)]
pub(super) struct FleetCache {
    newest: Mutex<Option<(Instant, Arc<Fleet>)>>,
}

impl Site {
    /// The fleet, at most `fleet_cache_seconds` old.
    pub(super) async fn read_fleet(&self) -> Result<Arc<Fleet>, ProblemDetail> {
        let age_max = Duration::from_secs(self.settings.fleet_cache_seconds).min(AGE_MAX);
        let mut newest = self.fleet.newest.lock().await;
        if let Some((read_at, fleet)) = newest.as_ref()
            && read_at.elapsed() < age_max
        {
            return Ok(Arc::clone(fleet));
        }
        *newest = None;
        let cells = self.ask("fleet", self.reads.fleet()).await?;
        let quantiles = self.ask("score_quantiles", self.reads.score_quantiles()).await?;
        let findings = self.ask("finding_cells", self.reads.finding_cells()).await?;
        let active = self.reads.active_findings(self.series.findings_max);
        let active = self.ask("active_findings", active).await?;
        let accounts = cells.iter().map(|cell| cell.accounts).sum();
        let digits = self.series.area_digits.for_fleet(accounts);
        let text = render_fleet(&cells, &quantiles, self.series.area_digits)
            + &render_findings(&findings, &active, digits);
        let fleet = Arc::new(Fleet { cells, text });
        *newest = Some((Instant::now(), Arc::clone(&fleet)));
        Ok(fleet)
    }
}
