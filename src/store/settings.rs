use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[database]`: which Postgres holds the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A server of your own, `postgres://…`; empty: the daemon keeps a private one in `data_dir`.
    pub url: String,
    /// Most connections held at once, two of them for claims and commits of visits;
    /// less than 3 counts as 3.
    pub connections_max: u32,
    /// Where the Postgres binaries are; empty: `PATH`, then `/usr/lib/postgresql/*/bin`, newest
    /// first.
    pub bin_dir: PathBuf,
    /// Whom the private server runs as when the daemon is root, whom Postgres refuses.
    pub os_user: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: String::new(),
            connections_max: 8,
            bin_dir: PathBuf::new(),
            os_user: "postgres".to_owned(),
        }
    }
}
