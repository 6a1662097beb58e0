//! The work that composes the stages on the clock.
//!
//! Each job takes no input, is idempotent and periodic; on demand is the same function sooner. The
//! driver knows no job, and no job knows the driver.

pub mod assessment;
pub mod backup;
pub mod budgets;
mod context;
pub mod crawl;
pub mod driver;
pub mod evidence;
pub mod findings;
pub mod heartbeat;
pub mod housekeeping;
pub mod import;
pub mod judge;
pub mod platforms;
pub mod probes;
pub mod publishing;
mod pulse;
pub mod report;
pub mod robots;
pub mod score;
mod settings;
pub mod yields;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use context::Context;
pub use pulse::Pulses;
pub use settings::Settings;

use driver::Job;

/// The names of all periodic jobs, for the metrics.
pub const NAMES: [&str; 16] = [
    "targets",
    "habits",
    "budgets",
    "canaries",
    "backlog",
    "platforms",
    "probes",
    "judge",
    "score",
    "findings",
    "notices",
    "rechecks",
    "robots",
    "housekeeping",
    "evidence",
    "heartbeat",
];

/// Every periodic job with its rhythm; the crawl itself is a task of its own.
pub fn all(context: &Context) -> Vec<Job> {
    let settings = &context.settings;
    let every = Duration::from_secs;
    macro_rules! job {
        ($name:literal, $seconds:expr, $work:expr) => {{
            let context = context.clone();
            Job::new($name, every($seconds), move || {
                let context = context.clone();
                async move { $work(&context).await.map(|_| ()) }
            })
        }};
    }
    vec![
        job!("targets", settings.targets_seconds, crawl::sync_targets),
        job!("habits", settings.habits_seconds, budgets::learn_habits),
        job!("budgets", settings.budgets_seconds, budgets::set_budgets),
        job!("canaries", settings.canaries_seconds, crawl::choose_canaries),
        job!("backlog", settings.backlog_seconds, housekeeping::tell_backlog),
        job!("platforms", settings.platforms_seconds, platforms::tell_platforms),
        job!("probes", settings.probes_seconds, probes::probe_sites),
        job!("judge", settings.judge_seconds, judge::judge),
        job!("score", settings.score_seconds, score::score_current_quarter),
        job!("findings", settings.findings_seconds, findings::look),
        job!("notices", settings.notices_seconds, findings::send_notices),
        job!("rechecks", settings.rechecks_seconds, findings::recheck),
        job!("robots", settings.robots_seconds, robots::send_messages),
        job!("housekeeping", settings.housekeeping_seconds, housekeeping::keep_house),
        job!("evidence", context.evidence_seconds(), evidence::keep_evidence),
        job!("heartbeat", settings.heartbeat_seconds, heartbeat::beat),
    ]
}

/// The first instant of the quarter that holds `now`, in Asia/Shanghai.
pub(crate) fn quarter_start(now: DateTime<Utc>) -> DateTime<Utc> {
    crate::score::Period::quarter_of(now).from()
}
