use serde::{Deserialize, Serialize};

/// What [`Head::format`] says.
pub const FORMAT: &str = "xunjian-backup/1";

/// `backup.json`: what the file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Always [`FORMAT`].
    pub format: String,
    /// Program and version that wrote it.
    pub software: String,
    /// When, as RFC 3339.
    pub made_at: String,
    /// The version of the schema.
    pub schema: i64,
    /// Digest of that schema's migrations.
    pub schema_digest: String,
    /// The server's version, for people.
    pub postgres: String,
    /// Fingerprint of `installation.key`, without which persons' fields cannot be read.
    pub key: String,
    /// Whether the key itself is in the file.
    pub key_inside: bool,
    /// The configuration it was made under, by digest: it is not part of the backup.
    pub config: Vec<ConfigFile>,
    /// First and last month (`2026-11`) of the facts that lie in monthly partitions.
    pub months: Option<(String, String)>,
    /// The tables in the order in which they follow.
    pub tables: Vec<TableShape>,
}

/// A file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Kind and name, such as `platforms/weibo.toml`.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: String,
}

/// A table, and the order of its columns in the pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Its columns, but for those that the database computes.
    pub columns: Vec<String>,
}

/// `tail.json`: what was only known at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tail {
    /// How many rows were written.
    pub rows: Vec<Rows>,
    /// Where numbering goes on.
    pub sequences: Vec<Sequence>,
    /// Segments that the database knows and the file lacks; only where that was asked for.
    pub missing: Vec<Missing>,
}

/// The rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The table.
    pub table: String,
    /// How many.
    pub rows: u64,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The last number it gave.
    pub last: i64,
}

/// A segment that is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Its name.
    pub segment: String,
    /// Why.
    pub reason: String,
}
