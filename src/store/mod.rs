//! The only home of SQL.
//!
//! One [`Store`] per process, cheap to clone. One file per group of tables; rows are private and
//! become nouns of `domain` and facts of `observe` here. Statements are checked against the schema
//! at compile time; what the compiler was told lies in `.sqlx` (`deploy/sqlx-prepare.sh`).

mod accounts;
mod analyzing;
mod answers;
mod assessments;
mod audit;
mod board_logins;
mod budgets;
mod bulletins;
mod canary;
mod chain;
mod claim;
mod columns;
mod copy_out;
mod copy_rows;
mod copying;
mod daemons;
mod drifts;
mod entries;
mod error;
mod evidence;
mod evidence_rows;
mod finding_inputs;
mod finding_row;
mod findings;
mod finish;
mod fleet;
mod freezing;
mod gathered;
mod histories;
mod history_pages;
mod history_rows;
mod identities;
mod import_known;
mod imports;
mod known;
mod leaving;
mod ledger;
mod ledger_known;
mod left_pages;
mod letters;
mod listing;
mod lists;
mod marks;
mod messages;
mod missing;
mod new_items;
mod new_posts;
mod notices;
mod outbox;
mod pack;
mod packed_months;
mod packed_rows;
mod packing;
mod period_columns;
mod period_histories;
mod period_posts;
mod period_rows;
mod period_tables;
mod pins;
mod place_looks;
mod platforms;
mod posts;
mod publishing;
mod raising;
mod reach;
mod record;
mod relisting;
mod restoring;
mod samples;
mod schema;
mod score_inputs;
mod score_list;
mod scores;
mod secrets;
mod segments;
mod sending;
mod settings;
mod site_looks;
mod site_probes;
mod sites;
mod snapshot;
mod standing;
mod states;
mod steps;
mod targets;
mod timeline;
mod tokens;
mod unanswered;
mod verdicts;
mod visits;
mod waiting;
mod warnings;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};

pub use answers::{Begun, KeptAnswer};
pub use assessments::{Assessment, FrozenFilter};
pub use audit::{AuditEntry, AuditLine};
pub use board_logins::{BoardLogin, LoginGiven};
pub use budgets::{HostBudget, HostDemand};
pub use bulletins::{BulletinAccount, Naming, OnRecord, PublishedBulletin};
pub use canary::{CanaryAccount, TargetRate};
pub use chain::{ChainDay, NewChainDay, Unsealed};
pub use claim::{ClaimRequest, Claimed, Validators};
pub use daemons::Holding;
pub use drifts::{YieldGroup, YieldPlace};
pub use entries::SchemeEntry;
pub use error::StoreError;
pub use evidence::NewEvidence;
pub use evidence_rows::{EvidenceRow, FullRecord};
pub use finding_inputs::{KnownInquiry, TextDigest, ToLook};
pub use findings::{FindingFilter, FindingRecord, NewFinding, Raised};
pub use finish::{Discovered, FinishReport};
pub use fleet::StandingFilter;
pub use freezing::{Freezing, NewAssessment, NewFrozenAccount};
pub use identities::{IdentityChange, IdentityField, IdentityRun};
pub use imports::{ImportConflict, ImportRecord, Imported, StoredImport};
pub use ledger::{LedgerChanges, LedgerCounts};
pub use letters::{Contact, NewLetter, ToNotify};
pub use messages::{NewMessage, TakenMessage};
pub use missing::{AskedPost, MissingPost};
pub use notices::{IssuedNotice, NoticeOutcome};
pub use outbox::UnsentLetter;
pub use period_posts::{PeriodPost, SHARES};
pub use period_rows::{PostSample, PostSamples, ScoredPost};
pub use pins::{PinHolder, Pinned, UnkeptVisit};
pub use platforms::PlatformLook;
pub use posts::StoredPost;
pub use publishing::NewBulletin;
pub use record::{Found, Lease, NextVisit, VisitDetails, VisitEvidence, VisitRecord, Yields};
pub use restoring::Restoring;
pub use samples::Profile;
pub use score_inputs::{FactsOf, HeardInquiry, ScoreInput, ScoreRows};
pub use score_list::{ListedScore, ScoreFilter};
pub use scores::{NewScoreRun, Score, ScoreQuantile, ScoreRunId};
pub use secrets::Secrets;
pub use segments::{KeptRecord, SegmentRow, StoredSegment};
pub use sending::{Letter, SendOutcome};
pub use settings::Settings;
pub use site_looks::{ColumnLook, FoundColumn, SiteRecord};
pub use site_probes::{DueProbe, SiteProbe};
pub use sites::{SiteColumn, SiteFacts, SiteSpec};
pub use snapshot::{SchemaVersion, Snapshot, TableColumns};
pub use standing::Standing;
pub use states::{AccountState, ToJudge};
pub use steps::{FindingEvent, StepRefused, StepRequest};
pub use targets::{DueCount, Rate, TargetCounts, TargetSpec, Which};
pub use timeline::VisitLine;
pub use tokens::{NewToken, Sponsor, Token};
pub use verdicts::{PastScore, ScoreRollup, ScoreVerdict};
pub use warnings::{ListedWarning, StoredWarning};

/// How long a statement waits for a free connection before the database counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);

/// A daemon that stands still in mid-transaction must not keep its rows from the others: the server
/// ends such a session, and the daemon, should it wake up, tries again and finds them gone.
const IDLE_AT_MOST: &str = "10s";

/// Nor may one that stands still in mid-COPY, where its session is not idle: no statement of a
/// commit takes so long, and what waits for another's locks tries again.
const STATEMENT_AT_MOST: (&str, &str) = ("statement_timeout", "60s");

/// A connection that answered so lately is taken to be there still: to ask before each statement
/// costs as much as most statements do.
const FRESH: Duration = Duration::from_secs(1);

/// Claims and commits of visits find every row by its key, a few of each table. The planner, who
/// does not know how long their arrays are, would rather read whole tables while these are small,
/// and would plan each statement anew as often as the arrays change: a claim takes nearly as
/// long to plan as to make.
const BY_KEYS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
];

/// A daemon makes one claim at a time, beside one commit; that of a heartbeat may wait for either.
const CLAIM_AND_COMMIT: u32 = 2;

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// Connections for claims and for commits of visits, which find every row by its key.
    by_keys: PgPool,
    /// Months that are known to have their partitions.
    months: schema::Months,
    secrets: Secrets,
}

impl Store {
    /// Connects to `url` (`postgres://…`) with at most `connections_max` connections, three where
    /// it says less: two are for claims and commits of visits. `secrets` encrypt what the ledger
    /// says of persons.
    ///
    /// Fails at once where the server is not there. The schema is not touched; call
    /// [`Store::migrate`] before anything else.
    pub async fn connect(
        url: &str,
        connections_max: u32,
        secrets: Secrets,
    ) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        // Compiling a plan costs more than any of our statements takes.
        let settings = [("jit", "off"), ("idle_in_transaction_session_timeout", IDLE_AT_MOST)];
        let options = options.application_name("xunjian").options(settings);
        // The pool would try a server that is not there again and again before it says so.
        PgConnection::connect_with(&options).await?.close().await?;
        let keyed = options.clone().options(BY_KEYS).options([STATEMENT_AT_MOST]);
        let by_keys = lazily(CLAIM_AND_COMMIT, keyed);
        let pool = lazily(connections_max.saturating_sub(CLAIM_AND_COMMIT).max(1), options);
        Ok(Self { pool, by_keys, months: schema::Months::default(), secrets })
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query!("select 1 as one").fetch_one(&self.pool).await?;
        Ok(())
    }

    /// Closes every connection and waits until they are closed.
    pub async fn close(&self) {
        self.pool.close().await;
        self.by_keys.close().await;
    }
}

/// Connections that are made when they are wanted.
fn lazily(connections_max: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move { Ok(known.idle_for < FRESH || connection.ping().await.is_ok()) })
        })
        .connect_lazy_with(options)
}
