//! A small county in which everything occurs once, so that every panel has something to show.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use xunjian::domain::{
    ActiveFinding, Activity, Area, Count, FindingCell, FindingId, FindingState, FleetCell, Reason,
    Sha256Digest, Standing,
};
use xunjian::http::{Acts, Answer, Done, HandedOver, Reads, Refusal, Register, TakenStep};
use xunjian::jobs::findings::PersonFinding;
use xunjian::jobs::import::Export;
use xunjian::metrics::{JobOutcome, Known, Metrics, ScoreQuantile};
use xunjian::observe::History;
use xunjian::store::{
    Assessment, AuditEntry, Begun, EvidenceRow, FindingEvent, FindingFilter, FindingRecord,
    FrozenFilter, IssuedNotice, KeptAnswer, ListedScore, ScoreFilter, SiteFacts, StoredPost, Token,
    VisitLine,
};

const PLATFORMS: [&str; 2] = ["weibo", "douyin"];
const ACTIVITIES: [Activity; 7] = [
    Activity::Active,
    Activity::Watch,
    Activity::Dormant,
    Activity::Zombie,
    Activity::Empty,
    Activity::Gone,
    Activity::Undetermined(Reason::Blocked),
];

fn now() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// The process as it is just after its start.
pub(crate) fn metrics() -> Metrics {
    Metrics::new(&Known {
        version: "0.1.0",
        revision: "0123abc",
        platforms: PLATFORMS.to_vec(),
        outcomes: vec!["observed", "blocked", "unreachable"],
        jobs: vec!["crawl", "judge"],
        channels: vec!["email", "file"],
    })
}

/// A little of everything the daemon does.
pub(crate) fn work(metrics: &Metrics) {
    for platform in PLATFORMS {
        metrics.fetched(platform, "observed", 0.4, 62_000);
        metrics.extracted(platform, 20);
        metrics.warned(platform, "time");
        metrics.discovered(platform, Some(1_800.0));
        metrics.set_due(platform, 3, 40.0);
        metrics.set_delay_bound_seconds(platform, 1_500.0);
        metrics.set_platform_up(platform, true);
        metrics.set_verdicts_frozen(platform, false);
        metrics.set_canary_last_post(platform, now());
    }
    metrics.set_host_penalty_seconds("m.weibo.cn", 30.0);
    metrics.job_ran("crawl", JobOutcome::Succeeded, now());
    metrics.beat(now());
    metrics.set_database_up(true);
    metrics.store_answered("fleet", 0.002);
    metrics.set_data_dir_free_bytes(50_000_000_000);
    metrics.set_config_last_reload(true);
    metrics.evidence_failed();
    metrics.evidence_written(32_000);
    metrics.set_evidence_chain_head(now());
}

/// One account of every activity on every platform.
pub(crate) fn standings() -> Vec<Standing> {
    let account = |platform: &str, activity: Activity| Standing {
        key: format!("{platform}:{}", activity.as_str()),
        platform: platform.to_owned(),
        name: "海丰发布".to_owned(),
        sponsor: "海丰县人民政府办公室".to_owned(),
        region: "441521".parse().unwrap(),
        category: Some("发布".to_owned()),
        activity,
        last_post_at: (activity != Activity::Empty).then(|| now() - Duration::days(12)),
        last_observation_at: Some(now()),
        silence_deadline_at: Some(now() + Duration::days(2)),
        coverage: 0.97,
        followers: Some(Count::Exact(12_000)),
        scores: vec![("diligence".to_owned(), 71.5), ("influence".to_owned(), 40.0)],
    };
    let all = PLATFORMS.iter().flat_map(|id| ACTIVITIES.map(|activity| account(id, activity)));
    all.collect()
}

pub(crate) fn fleet() -> Vec<FleetCell> {
    let cell = |one: Standing| FleetCell {
        platform: one.platform,
        region: one.region,
        activity: one.activity.as_str().to_owned(),
        accounts: 1,
        coverage_sum: one.coverage,
    };
    standings().into_iter().map(cell).collect()
}

pub(crate) fn score_quantiles() -> Vec<ScoreQuantile> {
    let row = |platform: &str, quantile| ScoreQuantile {
        platform: platform.to_owned(),
        dimension: "diligence".to_owned(),
        quantile,
        points: 100.0 * quantile,
    };
    PLATFORMS.iter().flat_map(|platform| [0.1, 0.5, 0.9].map(|q| row(platform, q))).collect()
}

/// A finding of each dormant account.
pub(crate) fn active_findings() -> Vec<ActiveFinding> {
    let finding = |one: Standing| ActiveFinding {
        key: one.key,
        platform: one.platform,
        region: one.region,
        sponsor_key: one.sponsor,
        rule: "not_updated_dormant".to_owned(),
        severity: "veto".to_owned(),
    };
    let dormant = standings().into_iter().filter(|one| one.activity == Activity::Dormant);
    dormant.map(finding).collect()
}

pub(crate) fn finding_cells() -> Vec<FindingCell> {
    let cell = |rule: &str, of_accounts| FindingCell {
        rule: rule.to_owned(),
        severity: "veto".to_owned(),
        region: (of_accounts > 0).then(|| "441521".parse().unwrap()),
        findings: 2,
        of_accounts,
    };
    vec![cell("not_updated_dormant", 2), cell("duplicate_account", 0)]
}

/// The county as a store; each look at the fleet is also a little work done, so that counters move
/// from scrape to scrape.
pub(crate) struct County {
    pub(crate) metrics: Arc<Metrics>,
}

impl Reads for County {
    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn fleet(&self) -> Answer<'_, Vec<FleetCell>> {
        work(&self.metrics);
        Box::pin(async { Ok(fleet()) })
    }

    fn score_quantiles(&self) -> Answer<'_, Vec<ScoreQuantile>> {
        Box::pin(async { Ok(score_quantiles()) })
    }

    fn finding_cells(&self) -> Answer<'_, Vec<FindingCell>> {
        Box::pin(async { Ok(finding_cells()) })
    }

    fn active_findings(&self, limit: u32) -> Answer<'_, Vec<ActiveFinding>> {
        Box::pin(async move { Ok(active_findings().into_iter().take(limit as usize).collect()) })
    }

    fn standings<'a>(
        &'a self,
        limit: u32,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> Answer<'a, Vec<Standing>> {
        Box::pin(async move { Ok(standings().into_iter().take(limit as usize).collect()) })
    }

    fn site_facts<'a>(
        &'a self,
        _: &'a str,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Answer<'a, Option<SiteFacts>> {
        Box::pin(async { Ok(None) })
    }

    fn assessments<'a>(&'a self, _: Option<&'a str>) -> Answer<'a, Vec<Assessment>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn frozen_page<'a>(
        &'a self,
        _: i64,
        _: i64,
        _: u32,
        _: FrozenFilter<'a>,
    ) -> Answer<'a, Vec<(i64, String)>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn standing<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Standing>> {
        Box::pin(async move { Ok(standings().into_iter().find(|one| one.key == key)) })
    }

    fn findings<'a>(&'a self, _: &'a FindingFilter) -> Answer<'a, Vec<FindingRecord>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn finding_story(&self, _: FindingId) -> Answer<'_, (Vec<FindingEvent>, Vec<IssuedNotice>)> {
        Box::pin(async { Ok((Vec::new(), Vec::new())) })
    }

    fn pinned_records(&self, _: FindingId) -> Answer<'_, Vec<EvidenceRow>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn scores<'a>(
        &'a self,
        _: &'a str,
        _: [&'a str; 3],
        _: u32,
        _: ScoreFilter<'a>,
    ) -> Answer<'a, Vec<ListedScore>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn posts<'a>(
        &'a self,
        _: &'a str,
        _: Option<(DateTime<Utc>, &'a str)>,
        _: u32,
    ) -> Answer<'a, Vec<StoredPost>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn visits<'a>(
        &'a self,
        _: &'a str,
        _: Option<(DateTime<Utc>, &'a str)>,
        _: u32,
    ) -> Answer<'a, Vec<VisitLine>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn history<'a>(&'a self, _: &'a str, _: DateTime<Utc>) -> Answer<'a, History> {
        Box::pin(async { Ok(History::default()) })
    }

    fn frozen_counts<'a>(&'a self, _: &'a [i64], _: &'a str) -> Answer<'a, Vec<(i64, u64)>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// Nobody shows a token to the county.
impl Register for County {
    fn token_of<'a>(&'a self, _: &'a str) -> Answer<'a, Option<Token>> {
        Box::pin(async { Ok(None) })
    }

    fn token_used(&self, _: i64, _: DateTime<Utc>) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn audit<'a>(&'a self, _: &'a AuditEntry, _: DateTime<Utc>) -> Answer<'a, i64> {
        Box::pin(async { Ok(1) })
    }

    fn begin_answer<'a>(
        &'a self,
        _: (i64, &'a str),
        _: Sha256Digest,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Answer<'a, Begun> {
        Box::pin(async { Ok(Begun::New) })
    }

    fn end_answer<'a>(&'a self, _: (i64, &'a str), _: Option<&'a KeptAnswer>) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Nor does anybody act there.
impl Acts for County {
    fn step(&self, _: TakenStep) -> Done<'_, FindingState> {
        Box::pin(async { Err(Refusal::Invalid("nobody acts here".to_owned())) })
    }

    fn enter(&self, _: PersonFinding, _: Area) -> Done<'_, FindingId> {
        Box::pin(async { Err(Refusal::Invalid("nobody acts here".to_owned())) })
    }

    fn hand_in<'a>(&'a self, _: Export<'a>, _: bool) -> Done<'a, HandedOver> {
        Box::pin(async { Err(Refusal::Invalid("nobody acts here".to_owned())) })
    }

    fn run(&self, _: &str) -> bool {
        false
    }
}
