/// The type of a family in the text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by upper bound.
    Histogram,
    /// Quantiles computed here; without `_sum` and `_count`.
    Quantiles,
}

impl Kind {
    /// The word after `# TYPE name`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Quantiles => "summary",
        }
    }
}

/// One family of series: the contract with dashboards and rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The whole name, base unit last.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The labels, in the order in which they are written.
    pub labels: &'static [&'static str],
    /// One sentence for people.
    pub help: &'static str,
}

impl Family {
    /// The names of its series in PromQL: three for a histogram, else its own.
    pub fn series_names(&self) -> Vec<String> {
        match self.kind {
            Kind::Histogram => {
                ["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", self.name)).to_vec()
            }
            _ => vec![self.name.to_owned()],
        }
    }
}

/// Declares each family as a constant and lists all of them, so that none can be left out.
macro_rules! families {
    ($($family:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(crate) const $family: Family = Family {
            name: concat!("xunjian_", $name),
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        };)*

        /// Every family this program writes; `process_*` comes from the Prometheus crate.
        pub const FAMILIES: &[Family] = &[$($family),*];
    };
}

families! {
    // The process, on /metrics.
    BUILD_INFO = Gauge "build_info" ["version", "revision"]
        "What is running; always 1.";
    FETCHES = Counter "fetches_total" ["platform", "outcome"]
        "Attempts to read a page, by how they ended; a failed one says nothing of the account.";
    FETCH_DURATION = Histogram "fetch_duration_seconds" ["platform"]
        "Time from sending a request to the end of its answer.";
    FETCH_BYTES = Counter "fetch_bytes_total" ["platform"]
        "Bytes of bodies received, before decompression.";
    EXTRACT_ITEMS = Counter "extract_items_total" ["platform"]
        "Items read out of pages, known ones included.";
    EXTRACT_WARNINGS = Counter "extract_warnings_total" ["platform", "kind"]
        "Values of pages that could not be read, by kind.";
    POSTS_DISCOVERED = Counter "posts_discovered_total" ["platform"]
        "Posts seen for the first time.";
    POST_DETECTION_DELAY = Histogram "post_detection_delay_seconds" ["platform"]
        "Time from a post's publication to its first sight, for accounts already under watch.";
    CRAWL_IN_FLIGHT = Gauge "crawl_in_flight" ["platform"]
        "Visits under way.";
    CRAWL_DUE = Gauge "crawl_due_accounts" ["platform"]
        "Accounts whose next visit is due.";
    SCHEDULE_LAG = Gauge "schedule_lag_seconds" ["platform"]
        "How long the longest due visit has been waiting.";
    DELAY_BOUND_RATIO = Gauge "schedule_delay_bound_ratio" ["platform"]
        "Mean detection delay since the start against the least possible for constant rates.";
    HOST_PENALTY = Gauge "host_penalty_seconds" ["host"]
        "Pause imposed on a host after refusals or errors; only hosts under one are listed.";
    PLATFORM_UP = Gauge "platform_up" ["platform"]
        "Whether the platform's pages can be read: 1 or 0, absent until known.";
    VERDICTS_FROZEN = Gauge "verdicts_frozen" ["platform"]
        "Whether a failed canary, or pages that no longer yield, froze silent verdicts: 1 or 0.";
    CANARY_LAST_POST = Gauge "canary_last_post_timestamp_seconds" ["platform"]
        "Publication of the newest post seen on any canary of the platform.";
    JOB_RUNS = Counter "job_runs_total" ["job", "outcome"]
        "Runs of the periodic jobs; Prometheus stores the label job as exported_job.";
    JOB_LAST_SUCCESS = Gauge "job_last_success_timestamp_seconds" ["job"]
        "End of the job's newest good run; absent until there is one.";
    NOTICES_SENT = Counter "notices_sent_total" ["channel", "outcome"]
        "Letters to sponsors by channel, and whether they were sent, failed for now or given up.";
    HEARTBEAT = Gauge "heartbeat_timestamp_seconds" []
        "When the synthetic account last came through every stage.";
    DATABASE_UP = Gauge "database_up" []
        "Whether the database answered the newest question: 1 or 0.";
    STORE_DURATION = Histogram "store_duration_seconds" ["query"]
        "Time of database statements, by their name.";
    STORE_ERRORS = Counter "store_errors_total" []
        "Database statements that failed.";
    EVIDENCE_WRITE_ERRORS = Counter "evidence_write_errors_total" []
        "Batches of evidence that could not be written; their visits say that it is missing.";
    EVIDENCE_BYTES = Counter "evidence_bytes_total" []
        "Bytes of evidence written, packed.";
    EVIDENCE_CHAIN_HEAD = Gauge "evidence_chain_head_timestamp_seconds" []
        "End of the newest day whose evidence is sealed; absent until one is.";
    DATA_DIR_FREE = Gauge "data_dir_free_bytes" []
        "Free space where data_dir is.";
    CONFIG_LAST_RELOAD = Gauge "config_last_reload_successful" []
        "Whether the newest reading of the configuration was taken over whole: 1 or 0.";

    // The fleet, on /metrics; read from the database, at most 15 seconds old.
    ACCOUNTS = Gauge "accounts" ["platform", "area_code", "activity"]
        "Accounts by observed activity; cached for at most 15 seconds.";
    COVERAGE_RATIO = Gauge "coverage_ratio" ["platform", "area_code"]
        "Mean covered share of the dormant window, 0 to 1; cached for at most 15 seconds.";
    SCORE_POINTS = Quantiles "score_points" ["platform", "dimension", "quantile"]
        "Quantiles over accounts of the newest score; cached for at most 15 seconds.";

    FINDINGS_OPEN = Gauge "findings_open" ["rule", "severity", "area_code"]
        "Findings that are not done with; cached for at most 15 seconds.";
    FINDINGS_DROPPED = Gauge "findings_dropped" []
        "Open findings of accounts without a series, cut by metrics.findings_max.";
    FINDING_ACTIVE = Gauge "finding_active"
        ["key", "platform", "area_code", "sponsor_key", "rule", "severity"]
        "A finding of an account that is not done with; always 1.";

    // Each account, on /metrics/accounts.
    ACCOUNTS_DROPPED = Gauge "metrics_accounts_dropped" []
        "Accounts left out of this page by metrics.accounts_max, the best ones first.";
    ACCOUNT_INFO = Gauge "account_info"
        ["key", "platform", "name", "sponsor", "area_code", "category"]
        "The account as the ledger names it; always 1.";
    ACCOUNT_ACTIVITY = Gauge "account_activity" ["key", "platform", "activity"]
        "The activity proven now; 1, and only the current state is written.";
    ACCOUNT_LAST_POST = Gauge "account_last_post_timestamp_seconds" ["key", "platform"]
        "Newest proven post; its age is not silence, which account_activity alone tells.";
    ACCOUNT_LAST_OBSERVATION = Gauge "account_last_observation_timestamp_seconds"
        ["key", "platform"]
        "As-of time of the newest successful observation.";
    ACCOUNT_SILENCE_DEADLINE = Gauge "account_silence_deadline_timestamp_seconds"
        ["key", "platform"]
        "When the account becomes dormant if it does not post.";
    ACCOUNT_SCORE_POINTS = Gauge "account_score_points" ["key", "platform", "dimension"]
        "Newest score of each dimension; absent where it was not scored.";
    ACCOUNT_FOLLOWERS = Gauge "account_followers" ["key", "platform"]
        "Followers as the page shows them; of a capped number the lower bound.";
}
