use std::error::Error;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::domain::{ActiveFinding, FindingCell, FleetCell, Standing};
use crate::metrics::ScoreQuantile;
use crate::store::{Assessment, FrozenFilter, SiteFacts, Store, StoreError};

/// The database did not answer; the source says why, for the log.
#[derive(Debug, Error)]
#[error("the database cannot be read: {0}")]
pub struct Unavailable(#[source] Box<dyn Error + Send + Sync>);

impl Unavailable {
    /// Wraps the store's own error.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// What a question to the store comes to.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// The questions the pages ask the store.
///
/// `platform` is an id; `area` is the leading digits of an administrative division code. Only
/// accounts that are judged are meant.
pub trait Reads: Send + Sync + 'static {
    /// Whether the database answers.
    fn ping(&self) -> Answer<'_, ()>;

    /// Accounts by platform, area and activity.
    fn fleet(&self) -> Answer<'_, Vec<FleetCell>>;

    /// Quantiles of the newest scores.
    fn score_quantiles(&self) -> Answer<'_, Vec<ScoreQuantile>>;

    /// Findings that are not done with, by rule, severity and area.
    fn finding_cells(&self) -> Answer<'_, Vec<FindingCell>>;

    /// At most `limit` findings of accounts that are not done with, the gravest first.
    fn active_findings(&self, limit: u32) -> Answer<'_, Vec<ActiveFinding>>;

    /// At most `limit` accounts, worst first.
    fn standings<'a>(
        &'a self,
        limit: u32,
        platform: Option<&'a str>,
        area: Option<&'a str>,
    ) -> Answer<'a, Vec<Standing>>;

    /// One account by its key.
    fn standing<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Standing>>;

    /// What is known of the site on which an account of this key stands: probes since the first
    /// time, looks at the home page since the second. `None` where it stands on no watched site.
    fn site_facts<'a>(
        &'a self,
        key: &'a str,
        probes_since: DateTime<Utc>,
        looks_since: DateTime<Utc>,
    ) -> Answer<'a, Option<SiteFacts>>;

    /// Every version of every frozen assessment, of one period or of all, the newest first.
    fn assessments<'a>(&'a self, period: Option<&'a str>) -> Answer<'a, Vec<Assessment>>;

    /// At most `limit` lines of a frozen assessment after a place, with their places.
    fn frozen_page<'a>(
        &'a self,
        id: i64,
        after: i64,
        limit: u32,
        filter: FrozenFilter<'a>,
    ) -> Answer<'a, Vec<(i64, String)>>;

    /// At most `limit` accounts in the order of their keys, those after `after`; `activity` is the
    /// word of one.
    ///
    /// This default reads all of them and keeps one page; a store that can seek should.
    fn standings_after<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: u32,
        platform: Option<&'a str>,
        area: Option<&'a str>,
        activity: Option<&'a str>,
    ) -> Answer<'a, Vec<Standing>> {
        Box::pin(async move {
            let mut all = self.standings(u32::MAX, platform, area).await?;
            all.retain(|one| after.is_none_or(|after| one.key.as_str() > after));
            all.retain(|one| activity.is_none_or(|word| one.activity.as_str() == word));
            all.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            all.truncate(limit as usize);
            Ok(all)
        })
    }
}

fn told<T>(answer: Result<T, StoreError>) -> Result<T, Unavailable> {
    answer.map_err(Unavailable::new)
}

impl Reads for Store {
    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async move { told(self.ping().await) })
    }

    fn fleet(&self) -> Answer<'_, Vec<FleetCell>> {
        Box::pin(async move { told(self.fleet().await) })
    }

    fn score_quantiles(&self) -> Answer<'_, Vec<ScoreQuantile>> {
        Box::pin(async move {
            let quantiles = told(self.score_quantiles().await)?.into_iter();
            let told = quantiles.map(|one| ScoreQuantile {
                platform: one.platform,
                dimension: one.dimension,
                quantile: one.quantile,
                points: one.points,
            });
            Ok(told.collect())
        })
    }

    fn finding_cells(&self) -> Answer<'_, Vec<FindingCell>> {
        Box::pin(async move { told(self.finding_cells().await) })
    }

    fn active_findings(&self, limit: u32) -> Answer<'_, Vec<ActiveFinding>> {
        Box::pin(async move { told(self.active_findings(limit).await) })
    }

    fn standings<'a>(
        &'a self,
        limit: u32,
        platform: Option<&'a str>,
        area: Option<&'a str>,
    ) -> Answer<'a, Vec<Standing>> {
        Box::pin(async move { told(self.standings(limit, platform, area).await) })
    }

    fn standing<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Standing>> {
        Box::pin(async move { told(self.standing(key).await) })
    }

    fn site_facts<'a>(
        &'a self,
        key: &'a str,
        probes_since: DateTime<Utc>,
        looks_since: DateTime<Utc>,
    ) -> Answer<'a, Option<SiteFacts>> {
        Box::pin(async move { told(self.site_facts(key, probes_since, looks_since).await) })
    }

    fn assessments<'a>(&'a self, period: Option<&'a str>) -> Answer<'a, Vec<Assessment>> {
        Box::pin(async move { told(self.assessments(period).await) })
    }

    fn frozen_page<'a>(
        &'a self,
        id: i64,
        after: i64,
        limit: u32,
        filter: FrozenFilter<'a>,
    ) -> Answer<'a, Vec<(i64, String)>> {
        Box::pin(async move { told(self.frozen_page(id, after, limit.into(), filter).await) })
    }

    fn standings_after<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: u32,
        platform: Option<&'a str>,
        area: Option<&'a str>,
        activity: Option<&'a str>,
    ) -> Answer<'a, Vec<Standing>> {
        let after = after.unwrap_or_default();
        Box::pin(
            async move { told(self.standings_after(after, limit, platform, area, activity).await) },
        )
    }
}
