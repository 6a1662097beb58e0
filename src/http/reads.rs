use std::error::Error;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::domain::{ActiveFinding, FindingCell, FindingId, FleetCell, Standing};
use crate::metrics::ScoreQuantile;
use crate::observe::History;
use crate::store::{
    Assessment, EvidenceRow, FindingEvent, FindingFilter, FindingRecord, FrozenFilter,
    IssuedNotice, ListedScore, ScoreFilter, SiteFacts, StandingFilter, StoredPost, VisitLine,
};

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

    /// Hands the same accounts to `take`, one after the other.
    ///
    /// This default reads all of them before; a store that can stream should.
    fn each_standing<'a>(
        &'a self,
        limit: u32,
        platform: Option<&'a str>,
        area: Option<&'a str>,
        take: &'a mut (dyn FnMut(Standing) + Send),
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            self.standings(limit, platform, area).await?.into_iter().for_each(take);
            Ok(())
        })
    }

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

    /// The chosen findings in the order of their numbers.
    fn findings<'a>(&'a self, wanted: &'a FindingFilter) -> Answer<'a, Vec<FindingRecord>>;

    /// What was done about a finding, oldest first, and whom was told of it.
    fn finding_story(&self, id: FindingId) -> Answer<'_, (Vec<FindingEvent>, Vec<IssuedNotice>)>;

    /// The records that a finding has pinned.
    fn pinned_records(&self, id: FindingId) -> Answer<'_, Vec<EvidenceRow>>;

    /// At most `limit` scores of a period's newest runs, those after a key, scheme and dimension.
    fn scores<'a>(
        &'a self,
        period: &'a str,
        after: [&'a str; 3],
        limit: u32,
        wanted: ScoreFilter<'a>,
    ) -> Answer<'a, Vec<ListedScore>>;

    /// At most `limit` posts of the account of a key, newest first, before a place.
    fn posts<'a>(
        &'a self,
        key: &'a str,
        before: Option<(DateTime<Utc>, &'a str)>,
        limit: u32,
    ) -> Answer<'a, Vec<StoredPost>>;

    /// At most `limit` visits of the account of a key, newest first, before a place.
    fn visits<'a>(
        &'a self,
        key: &'a str,
        before: Option<(DateTime<Utc>, &'a str)>,
        limit: u32,
    ) -> Answer<'a, Vec<VisitLine>>;

    /// What is known of the account of a key since a time.
    fn history<'a>(&'a self, key: &'a str, since: DateTime<Utc>) -> Answer<'a, History>;

    /// How many accounts of these assessments lie in an area.
    fn frozen_counts<'a>(&'a self, ids: &'a [i64], area: &'a str) -> Answer<'a, Vec<(i64, u64)>>;

    /// At most `limit` of the chosen accounts in the order of their keys, those after `after`.
    ///
    /// This default reads all of them and keeps one page; a store that can seek should.
    fn standings_after<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: u32,
        wanted: StandingFilter<'a>,
    ) -> Answer<'a, Vec<Standing>> {
        Box::pin(async move {
            let mut all = self.standings(u32::MAX, wanted.platform, wanted.area).await?;
            all.retain(|one| after.is_none_or(|after| one.key.as_str() > after));
            all.retain(|one| wanted.activity.is_none_or(|word| one.activity.as_str() == word));
            all.retain(|one| wanted.sponsor.is_none_or(|part| one.sponsor.contains(part)));
            let holds = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
            all.retain(|one| {
                wanted.text.is_none_or(|part| holds(&one.name, part) || holds(&one.key, part))
            });
            all.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            all.truncate(limit as usize);
            Ok(all)
        })
    }
}
