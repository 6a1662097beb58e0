//! What the types of the settings cannot say.

use chrono::{DateTime, TimeDelta, Utc};

use super::Settings;

/// The key paths that break a rule, each with the reason.
type Broken = Vec<(String, String)>;

/// Every rule; each has a file `tests/fixtures/settings/invalid-*.toml` that breaks it.
const RULES: &[fn(&Settings) -> Broken] = &[
    log_level,
    database_url,
    database_connections,
    database_os_user,
    stages,
    crawl_numbers,
    registry_numbers,
    verdicts_outlive_the_pause_between_visits,
    histories_reach_back_far_enough,
];

/// No time in the settings may be longer: beyond it lies a slip of the pen, and overflow.
const YEAR_SECONDS: u64 = 366 * 24 * 3600;

pub(super) fn broken(settings: &Settings) -> Broken {
    RULES.iter().flat_map(|rule| rule(settings)).collect()
}

fn one(field: &str, reason: impl Into<String>) -> Broken {
    vec![(field.to_owned(), reason.into())]
}

fn log_level(settings: &Settings) -> Broken {
    match tracing_subscriber::EnvFilter::try_new(&settings.log.level) {
        Ok(_) => Broken::new(),
        Err(error) => one("log.level", error.to_string()),
    }
}

/// The address itself is not repeated in the reason: it may hold a password.
fn database_url(settings: &Settings) -> Broken {
    let url = &settings.database.url;
    let known = url.is_empty()
        || (url::Url::parse(url).is_ok()
            && (url.starts_with("postgres://") || url.starts_with("postgresql://")));
    if known {
        return Broken::new();
    }
    one("database.url", "must be an address postgres://…, or empty")
}

/// The private server takes 40; three of them are kept for the operator's own look inside.
fn database_connections(settings: &Settings) -> Broken {
    let max = if settings.database.url.is_empty() { 37 } else { 1000 };
    let count = u64::from(settings.database.connections_max);
    outside("database", &[("connections_max", count, 1, max)])
}

fn database_os_user(settings: &Settings) -> Broken {
    match settings.database.os_user.as_str() {
        "" => one("database.os_user", "must name a user of this machine"),
        "root" => one("database.os_user", "must not be root, whom Postgres refuses"),
        _ => Broken::new(),
    }
}

/// What the stages themselves find wrong with their sections.
fn stages(settings: &Settings) -> Broken {
    let below = |section: &str, found: Broken| {
        let prefixed =
            found.into_iter().map(|(field, reason)| (format!("{section}.{field}"), reason));
        prefixed.collect::<Broken>()
    };
    let observe = settings.observe.problems().into_iter();
    let observe = observe.map(|(field, reason)| (field.to_owned(), reason)).collect();
    [
        below("fetch", settings.fetch.problems()),
        below("schedule", settings.schedule.problems()),
        below("observe", observe),
        below("evidence", settings.evidence.problems()),
        below("alert", settings.alert.problems()),
        below("notify", settings.notify.problems()),
    ]
    .concat()
}

fn crawl_numbers(settings: &Settings) -> Broken {
    let crawl = &settings.crawl;
    outside(
        "crawl",
        &[
            ("hosts_max", size(crawl.hosts_max), 1, 10_000),
            ("claims_per_host", crawl.claims_per_host.into(), 1, 10_000),
            ("lease_seconds", crawl.lease_seconds, 1, YEAR_SECONDS),
            ("idle_seconds_max", crawl.idle_seconds_max, 1, YEAR_SECONDS),
            ("commit_rows_max", size(crawl.commit_rows_max), 1, 100_000),
            ("commit_delay_ms_max", crawl.commit_delay_ms_max, 0, 60_000),
            ("targets_seconds", crawl.targets_seconds, 1, YEAR_SECONDS),
            ("habits_seconds", crawl.habits_seconds, 1, YEAR_SECONDS),
            ("budgets_seconds", crawl.budgets_seconds, 1, YEAR_SECONDS),
            ("canaries_seconds", crawl.canaries_seconds, 1, YEAR_SECONDS),
            ("backlog_seconds", crawl.backlog_seconds, 1, YEAR_SECONDS),
            ("messages_hours", crawl.messages_hours.into(), 1, 24 * 31),
            ("comments_posts_max", crawl.comments_posts_max.into(), 1, 100),
            ("comments_days", crawl.comments_days.into(), 1, 366),
            ("site_hours", crawl.site_hours.into(), 1, 48),
            ("site_columns_max", crawl.site_columns_max.into(), 1, 100),
            ("column_hours", crawl.column_hours.into(), 1, 24 * 31),
            ("probes_seconds", crawl.probes_seconds, 1, 3600),
            ("probe_minutes", crawl.probe_minutes.into(), 15, 24 * 60),
            ("judge_seconds", crawl.judge_seconds, 1, YEAR_SECONDS),
            ("score_seconds", crawl.score_seconds, 1, YEAR_SECONDS),
            ("findings_seconds", crawl.findings_seconds, 1, YEAR_SECONDS),
            ("notices_seconds", crawl.notices_seconds, 1, YEAR_SECONDS),
            ("rechecks_seconds", crawl.rechecks_seconds, 1, YEAR_SECONDS),
            ("robots_seconds", crawl.robots_seconds, 1, YEAR_SECONDS),
            ("housekeeping_seconds", crawl.housekeeping_seconds, 1, YEAR_SECONDS),
        ],
    )
}

/// A limit of nothing would refuse every ledger.
fn registry_numbers(settings: &Settings) -> Broken {
    let registry = &settings.registry;
    outside(
        "registry",
        &[
            ("rows_max", size(registry.rows_max), 1, u64::MAX),
            ("columns_max", size(registry.columns_max), 1, u64::MAX),
            ("file_bytes_max", size(registry.file_bytes_max), 1, u64::MAX),
            ("decompressed_bytes_max", registry.decompressed_bytes_max, 1, u64::MAX),
            ("cell_characters_max", size(registry.cell_characters_max), 1, u64::MAX),
            ("errors_shown_max", size(registry.errors_shown_max), 1, u64::MAX),
            ("withdrawn_percent_max", registry.withdrawn_percent_max.into(), 0, 100),
        ],
    )
}

/// The longest pause between visits must not exceed the age at which a silent verdict lapses,
/// or silence would be `undetermined` again and again for want of a look.
fn verdicts_outlive_the_pause_between_visits(settings: &Settings) -> Broken {
    let (pause, age) = (settings.schedule.revisit_max_hours, settings.observe.max_age_hours);
    if pause <= age {
        return Broken::new();
    }
    // The operator looks for the mistake where something was written.
    let untouched = pause == Settings::default().schedule.revisit_max_hours;
    let field = if untouched { "observe.max_age_hours" } else { "schedule.revisit_max_hours" };
    one(
        field,
        format!(
            "schedule.revisit_max_hours ({pause}) is above observe.max_age_hours ({age}): \
             verdicts would lapse between two visits"
        ),
    )
}

/// A zombie is proven from the whole of its window and the confirmations after it.
fn histories_reach_back_far_enough(settings: &Settings) -> Broken {
    let confirmations = TimeDelta::hours(settings.observe.confirm_within_hours.max(72).into());
    let least = longest_zombie_window(settings) + confirmations;
    let days = settings.crawl.history_days;
    if TimeDelta::days(days.into()) >= least {
        return Broken::new();
    }
    let untouched = days == Settings::default().crawl.history_days;
    let field = if untouched { "observe.zombie" } else { "crawl.history_days" };
    let zombie = settings.observe.zombie;
    let whole_days = (least + TimeDelta::seconds(86_399)).num_days();
    one(
        field,
        format!(
            "crawl.history_days ({days}) is below the {whole_days} days that observe.zombie \
             ({zombie}) and its confirmations need"
        ),
    )
}

/// Months differ in length: the longest window that ends on any day of a leap year.
fn longest_zombie_window(settings: &Settings) -> TimeDelta {
    // 1972 is a leap year, and the two years before it are not: every length occurs.
    let start = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(2 * 365);
    let ends = (0..366).map(|day| start + TimeDelta::days(day));
    ends.map(|end| end - settings.observe.zombie.edge(end)).max().unwrap_or_default()
}

/// The numbers of a section that lie outside their bounds: (key, value, least, most).
fn outside(section: &str, numbers: &[(&str, u64, u64, u64)]) -> Broken {
    let wrong = numbers.iter().filter(|(_, value, least, most)| !(least..=most).contains(&value));
    wrong
        .map(|(key, value, least, most)| {
            let reason = match *most {
                u64::MAX => format!("must be at least {least}, not {value}"),
                _ => format!("must be from {least} to {most}, not {value}"),
            };
            (format!("{section}.{key}"), reason)
        })
        .collect()
}

/// A `usize` has 64 bits at most.
fn size(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
