use serde::{Deserialize, Serialize};

/// `[crawl]`: how the daemon goes through its targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether the daemon visits anything at all; off for a daemon that only answers.
    pub enabled: bool,
    /// Most hosts worked on at once, and most targets claimed at once.
    pub hosts_max: usize,
    /// Most targets of one host claimed at once.
    pub claims_per_host: u32,
    /// How long a claim holds; a dead daemon's targets can be claimed by others after it.
    pub lease_seconds: u64,
    /// Longest sleep when nothing is due, and the longest time between two looks at all hosts.
    pub idle_seconds_max: u64,
    /// Most rows (visits, posts) of one commit.
    pub commit_rows_max: usize,
    /// Longest wait of a finished visit for its commit.
    pub commit_delay_ms_max: u64,
    /// How often the targets are brought in step with the ledger and the platform files.
    pub targets_seconds: u64,
    /// How often it is learned what is usual on each platform.
    pub habits_seconds: u64,
    /// How often the hosts' budgets and the price of a visit are set.
    pub budgets_seconds: u64,
    /// How often the canaries of each host are chosen.
    pub canaries_seconds: u64,
    /// How often the backlog is counted for the metrics.
    pub backlog_seconds: u64,
    /// How often the metrics are told whether the platforms can be read.
    pub platforms_seconds: u64,
    /// How long after a look at citizens' messages the next is due.
    pub messages_hours: u32,
    /// Under how many of an account's newest posts the comments are read at one visit.
    pub comments_posts_max: u32,
    /// Posts older than this are not asked for comments any more.
    pub comments_days: u32,
    /// How long after a look at a site's home page the next is due.
    pub site_hours: u32,
    /// How many of a site's columns are read at one visit.
    pub site_columns_max: u32,
    /// How long after a look at a column the next is due.
    pub column_hours: u32,
    /// How often the sites to be probed are looked for.
    pub probes_seconds: u64,
    /// The time between two probes of a site's availability: 60 minutes are 24 visits a day.
    pub probe_minutes: u32,
    /// How often activities are judged anew where something happened.
    pub judge_seconds: u64,
    /// How often the scores of the current quarter are computed.
    pub score_seconds: u64,
    /// How often what is new is held against the rules.
    pub findings_seconds: u64,
    /// How often letters to sponsors are written and sent.
    pub notices_seconds: u64,
    /// How often what was mended is checked, and what came of notices.
    pub rechecks_seconds: u64,
    /// How often partitions are made and the disk is looked at.
    pub housekeeping_seconds: u64,
    /// How often the daemon watches a feed of its own through every stage.
    pub heartbeat_seconds: u64,
    /// How often messages to chat groups that wait are sent.
    pub robots_seconds: u64,
    /// How many days back visits and posts are read for a judgement; at least the zombie window
    /// and the time of its confirmations.
    pub history_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            hosts_max: 64,
            claims_per_host: 20,
            lease_seconds: 900,
            idle_seconds_max: 5,
            commit_rows_max: 2000,
            commit_delay_ms_max: 2000,
            targets_seconds: 300,
            habits_seconds: 3600,
            budgets_seconds: 300,
            canaries_seconds: 600,
            backlog_seconds: 15,
            platforms_seconds: 30,
            messages_hours: 12,
            comments_posts_max: 5,
            comments_days: 14,
            site_hours: 6,
            site_columns_max: 12,
            column_hours: 24,
            probes_seconds: 60,
            probe_minutes: 60,
            judge_seconds: 5,
            score_seconds: 900,
            findings_seconds: 300,
            notices_seconds: 300,
            rechecks_seconds: 600,
            housekeeping_seconds: 3600,
            heartbeat_seconds: 300,
            robots_seconds: 5,
            history_days: 120,
        }
    }
}
