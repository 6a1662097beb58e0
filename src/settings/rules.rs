//! What the types of the settings cannot say.

use super::Settings;

/// A rule: nothing, or the key path that breaks it and why.
type Rule = fn(&Settings) -> Option<(&'static str, String)>;

/// Every rule; each has a file `tests/fixtures/settings/invalid-*.toml` that breaks it.
const RULES: &[Rule] = &[log_level, database_url, database_connections, database_os_user];

pub(super) fn broken(settings: &Settings) -> Vec<(&'static str, String)> {
    RULES.iter().filter_map(|rule| rule(settings)).collect()
}

fn log_level(settings: &Settings) -> Option<(&'static str, String)> {
    let error = tracing_subscriber::EnvFilter::try_new(&settings.log.level).err()?;
    Some(("log.level", error.to_string()))
}

/// The address itself is not repeated in the reason: it may hold a password.
fn database_url(settings: &Settings) -> Option<(&'static str, String)> {
    let url = &settings.database.url;
    let known = url.is_empty()
        || (url::Url::parse(url).is_ok()
            && (url.starts_with("postgres://") || url.starts_with("postgresql://")));
    (!known).then(|| ("database.url", "must be an address postgres://…, or empty".to_owned()))
}

/// The private server takes 40; three of them are kept for the operator's own look inside.
fn database_connections(settings: &Settings) -> Option<(&'static str, String)> {
    let max = if settings.database.url.is_empty() { 37 } else { 1000 };
    let count = settings.database.connections_max;
    (!(1..=max).contains(&count))
        .then(|| ("database.connections_max", format!("must be from 1 to {max}, not {count}")))
}

fn database_os_user(settings: &Settings) -> Option<(&'static str, String)> {
    let user = settings.database.os_user.as_str();
    let reason = match user {
        "" => "must name a user of this machine",
        "root" => "must not be root, whom Postgres refuses",
        _ => return None,
    };
    Some(("database.os_user", reason.to_owned()))
}
