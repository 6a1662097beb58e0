//! Findings from end to end: facts in the store, the jobs on a stepped clock, persons' steps.

mod commands;
mod cutoffs;
mod drifting;
mod laddering;
mod letters;
mod raising;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use xunjian::app::clock::SteppedClock;
use xunjian::app::{App, Jobs};
use xunjian::domain::{
    AccountId, Clock, FindingState, Identity, LedgerEntry, Lifecycle, Moment, Post, Reason,
};
use xunjian::jobs::{self, findings, judge};
use xunjian::observe::{Observation, Outcome, Source, Span, Visit};
use xunjian::settings::Settings;
use xunjian::store::{
    FindingFilter, FindingRecord, LedgerChanges, VisitDetails, VisitEvidence, VisitRecord,
};

use crate::support::{Database, database};

/// The jobs of an office on a database and a clock of their own.
pub(crate) struct Office {
    jobs: Jobs,
    pub(crate) clock: Arc<SteppedClock>,
    settings: Settings,
    pub(crate) folder: TempDir,
    pub(crate) database: Database,
}

fn settings(folder: &TempDir, database: &Database) -> Settings {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: folder.path().join("data"),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        rules_dir: config.join("rules"),
        ..Settings::default()
    };
    settings.database.url = database.url.clone();
    settings.notify.send_from_hour = 0;
    settings.notify.signature = "某市政府办公室".to_owned();
    settings
}

impl Office {
    /// At noon in Shanghai of a day in the middle of a quarter.
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let (_, database) = database().await;
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&folder, &database);
        change(&mut settings);
        let noon = "2026-10-12T04:00:00Z".parse().unwrap();
        let clock = Arc::new(SteppedClock::starting_at(noon));
        let jobs = Jobs::open(&settings, clock.clone()).await.unwrap();
        Self { jobs, clock, settings, folder, database }
    }

    /// The same office after its daemon was started again.
    pub(crate) async fn restarted(self) -> Self {
        let Self { jobs, clock, settings, folder, database } = self;
        jobs.close().await.unwrap();
        let jobs = Jobs::open(&settings, clock.clone()).await.unwrap();
        Self { jobs, clock, settings, folder, database }
    }

    /// The daemon's HTTP in front of this office; its work is not started.
    pub(crate) async fn answering(&self, change: impl FnOnce(&mut Settings)) -> App {
        let mut settings = self.settings.clone();
        settings.imports_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/imports");
        settings.http.listen = "127.0.0.1:0".parse().unwrap();
        change(&mut settings);
        let mut app = App::build(&settings, self.clock.clone()).await.unwrap();
        app.serve();
        app
    }

    pub(crate) fn context(&self) -> &jobs::Context {
        self.jobs.context()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// When it was opened: noon in Shanghai of 2026-10-12.
    pub(crate) fn begun(&self) -> DateTime<Utc> {
        "2026-10-12T04:00:00Z".parse().unwrap()
    }

    pub(crate) fn days(&self, days: i64) {
        self.clock.step(TimeDelta::days(days));
    }

    pub(crate) async fn ledger(&self, entries: &[LedgerEntry]) -> Vec<AccountId> {
        let changes = LedgerChanges { added: entries.to_vec(), ..LedgerChanges::default() };
        self.context().store.apply_ledger(&changes, "li", "test", self.now()).await.unwrap();
        let mut ids = Vec::new();
        for entry in entries {
            ids.push(self.context().store.account(&entry.key).await.unwrap().unwrap().id);
        }
        ids
    }

    /// A person's check: the list of an account is complete from so many days ago until an hour
    /// ago, with posts of so many days ago.
    pub(crate) async fn checked(&self, account: AccountId, complete_days: i64, posts: &[i64]) {
        let now = self.now();
        let (low, high) = (now - TimeDelta::days(complete_days), now - TimeDelta::hours(1));
        let posts = posts.iter().map(|days| {
            let published = now - TimeDelta::days(*days) - TimeDelta::hours(2);
            Post {
                reference: Some(format!("p{}", published.timestamp())),
                published: Some(Moment::second(published)),
                ..Post::default()
            }
        });
        let outcome = complete(Span { low, high });
        self.visited(account, Source::Person, outcome, posts.collect()).await;
    }

    /// A visit of our own that a wall answered.
    pub(crate) async fn walled(&self, account: AccountId) {
        self.visited(account, Source::Crawl, Outcome::Failed(Reason::Blocked), Vec::new()).await;
    }

    async fn visited(
        &self,
        account: AccountId,
        source: Source,
        outcome: Outcome,
        posts: Vec<Post>,
    ) {
        self.shown_as(account, source, outcome, posts, None).await;
    }

    /// The same, with what the page said of the account itself.
    async fn shown_as(
        &self,
        account: AccountId,
        source: Source,
        outcome: Outcome,
        posts: Vec<Post>,
        identity: Option<Identity>,
    ) {
        let now = self.now();
        let seen_at = match &outcome {
            Outcome::Observed(seen) => seen.as_of,
            _ => now,
        };
        let record = VisitRecord {
            account,
            host: None,
            lease: None,
            visit: Visit {
                items: 0,
                page: "timeline".into(),
                part: "all".into(),
                started_at: now,
                recorded_at: now,
                adapter: "adapter-1".into(),
                source,
                outcome,
            },
            status: None,
            bytes: None,
            duration_ms: None,
            body_digest: None,
            evidence: VisitEvidence::Nothing,
            seen_at,
            identity,
            posts,
            inquiries: Vec::new(),
            details: VisitDetails::default(),
            look: None,
            next: None,
        };
        self.context().store.finish(&[record]).await.unwrap();
    }

    /// Judges what is new and holds it against the rules.
    pub(crate) async fn look(&self) {
        judge::judge(self.context()).await.unwrap();
        findings::look(self.context()).await.unwrap();
    }

    pub(crate) async fn recheck(&self) {
        judge::judge(self.context()).await.unwrap();
        findings::recheck(self.context()).await.unwrap();
    }

    /// Findings of rules about silence, by number.
    pub(crate) async fn silences(&self) -> Vec<FindingRecord> {
        let mut all = self.all().await;
        all.retain(|one| {
            one.found.rule.starts_with("not_updated") || one.found.rule == "empty_shell"
        });
        all
    }

    pub(crate) async fn all(&self) -> Vec<FindingRecord> {
        let wanted = FindingFilter { limit: 1000, ..FindingFilter::default() };
        self.context().store.findings(&wanted).await.unwrap()
    }

    async fn state(&self, id: xunjian::domain::FindingId) -> FindingState {
        self.context().store.finding(id).await.unwrap().unwrap().state
    }

    /// The steps of a finding in order, as `actor:step`.
    async fn log(&self, id: xunjian::domain::FindingId) -> Vec<String> {
        let events = self.context().store.finding_events(id).await.unwrap();
        events.into_iter().map(|event| format!("{}:{}", event.actor, event.step)).collect()
    }
}

/// A list that was read whole over a span.
fn complete(span: Span) -> Outcome {
    Outcome::Observed(Observation {
        as_of: span.high,
        span: Some(span),
        bracket: None,
        claims_shift_seconds: 0,
        exhausted: false,
        empty: false,
        confirming: true,
        posts_total: None,
        new_items: 0,
        upstream_success: None,
        registered_at: None,
    })
}

pub(crate) fn entry(key: &str) -> LedgerEntry {
    LedgerEntry {
        key: key.into(),
        platform: "weibo".into(),
        handle: format!("handle-{key}"),
        name: format!("平安{key}"),
        url: None,
        sponsor: format!("单位{key}"),
        sponsor_code: None,
        supervisor: Some("某市人民政府办公室".into()),
        region: "441500".parse().unwrap(),
        level: None,
        category: Some("发布".into()),
        role: None,
        lifecycle: Lifecycle::Running,
        filed_on: "2020-01-01".parse().ok(),
        opened_on: "2020-01-01".parse().ok(),
        closed_on: None,
        population: None,
        exemption: None,
        exempt_until: None,
        officer: None,
        notify: None,
        operator: None,
        contract_until: None,
        site_id: None,
        notes: std::collections::BTreeMap::new(),
    }
}
