use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use crate::domain::{ActiveFinding, FindingCell, FindingId, FleetCell, Standing};
use crate::metrics::ScoreQuantile;
use crate::observe::History;
use crate::store::{
    Assessment, EvidenceRow, FindingEvent, FindingFilter, FindingRecord, FrozenFilter,
    IssuedNotice, ListedScore, PinHolder, ScoreFilter, SiteFacts, StandingFilter, Store,
    StoreError, StoredPost, VisitLine,
};

use super::reads::{Answer, Reads, Unavailable};

pub(super) fn told<T>(answer: Result<T, StoreError>) -> Result<T, Unavailable> {
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

    fn each_standing<'a>(
        &'a self,
        limit: u32,
        platform: Option<&'a str>,
        area: Option<&'a str>,
        take: &'a mut (dyn FnMut(Standing) + Send),
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut all = self.each_standing(limit, platform, area);
            while let Some(standing) = told(all.try_next().await)? {
                take(standing);
            }
            Ok(())
        })
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

    fn findings<'a>(&'a self, wanted: &'a FindingFilter) -> Answer<'a, Vec<FindingRecord>> {
        Box::pin(async move { told(self.findings(wanted).await) })
    }

    fn finding_story(&self, id: FindingId) -> Answer<'_, (Vec<FindingEvent>, Vec<IssuedNotice>)> {
        Box::pin(async move {
            Ok((told(self.finding_events(id).await)?, told(self.notices_of(id).await)?))
        })
    }

    fn pinned_records(&self, id: FindingId) -> Answer<'_, Vec<EvidenceRow>> {
        Box::pin(async move {
            let pinned = told(self.pinned_evidence(PinHolder::Finding(id.0)).await)?;
            told(self.evidence_rows(&pinned).await)
        })
    }

    fn scores<'a>(
        &'a self,
        period: &'a str,
        after: [&'a str; 3],
        limit: u32,
        wanted: ScoreFilter<'a>,
    ) -> Answer<'a, Vec<ListedScore>> {
        Box::pin(async move { told(self.score_page(period, after, limit, wanted).await) })
    }

    fn posts<'a>(
        &'a self,
        key: &'a str,
        before: Option<(DateTime<Utc>, &'a str)>,
        limit: u32,
    ) -> Answer<'a, Vec<StoredPost>> {
        Box::pin(async move {
            let Some(account) = told(self.account(key).await)? else { return Ok(Vec::new()) };
            told(self.post_page(account.id, before, limit).await)
        })
    }

    fn visits<'a>(
        &'a self,
        key: &'a str,
        before: Option<(DateTime<Utc>, &'a str)>,
        limit: u32,
    ) -> Answer<'a, Vec<VisitLine>> {
        Box::pin(async move {
            let Some(account) = told(self.account(key).await)? else { return Ok(Vec::new()) };
            told(self.visit_page(account.id, before, limit).await)
        })
    }

    fn history<'a>(&'a self, key: &'a str, since: DateTime<Utc>) -> Answer<'a, History> {
        Box::pin(async move {
            let Some(account) = told(self.account(key).await)? else {
                return Ok(History::default());
            };
            let mut histories = told(self.histories(&[account.id], since).await)?;
            Ok(histories.remove(&account.id).unwrap_or_default())
        })
    }

    fn frozen_counts<'a>(&'a self, ids: &'a [i64], area: &'a str) -> Answer<'a, Vec<(i64, u64)>> {
        Box::pin(async move { told(self.frozen_counts(ids, area).await) })
    }

    fn standings_after<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: u32,
        wanted: StandingFilter<'a>,
    ) -> Answer<'a, Vec<Standing>> {
        let after = after.unwrap_or_default();
        Box::pin(async move { told(self.standings_after(after, limit, wanted).await) })
    }
}
