//! What an import would change, before it changes anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::domain::{LedgerEntry, RegionCode};

use super::{Column, Ledger, Settings};

/// An administrative area that a ledger claims to be complete for, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area(String);

impl Area {
    /// Whether a region lies in the area.
    pub fn contains(&self, region: &RegionCode) -> bool {
        region.as_str().starts_with(&self.0)
    }
}

impl FromStr for Area {
    type Err = String;

    /// Reads `44`, `4415`, `441521`, the full codes `440000` and `441500`, or `all`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(String::new()));
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !matches!(text.len(), 2 | 4 | 6) || text.starts_with("00") {
            return Err(format!("{text:?} is no area: two, four or six digits, or \"all\""));
        }
        let pairs = text.strip_suffix("0000").or_else(|| text.strip_suffix("00")).unwrap_or(text);
        Ok(Self(if text.len() == 6 { pairs } else { text }.to_owned()))
    }
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The column's Chinese name, or the note's.
    pub field: String,
    /// The value before; `None` where there was none.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
    /// About a person: the values are not to be printed, and [`fmt::Display`] does not.
    pub personal: bool,
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| match value {
            None => "(无)".to_owned(),
            Some(_) if self.personal => "(不显示)".to_owned(),
            Some(value) => value.clone(),
        };
        write!(f, "{}: {} → {}", self.field, shown(&self.before), shown(&self.after))
    }
}

/// An account whose row differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The entry as it will be: columns that the file lacks keep their values.
    pub entry: LedgerEntry,
    /// What differs, in the order of the columns; notes last.
    pub fields: Vec<FieldChange>,
}

/// A platform account that the file gives a second key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleConflict {
    /// The key in the file.
    pub incoming: String,
    /// The key under which the account is known.
    pub current: String,
    /// The platform id.
    pub platform: String,
    /// The handle that both claim.
    pub handle: String,
}

impl fmt::Display for HandleConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { incoming, current, platform, handle } = self;
        write!(f, "{incoming}: handle {handle:?} on {platform} is known under the key {current}")
    }
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Accounts that are new.
    pub added: Vec<LedgerEntry>,
    /// Accounts that differ.
    pub changed: Vec<Change>,
    /// How many stand in both and are equal.
    pub unchanged: usize,
    /// Judged accounts of the complete area that the file no longer lists.
    pub withdrawn: Vec<LedgerEntry>,
    /// Judged accounts that the area has now: what the withdrawn are a share of.
    pub judged_in_area: usize,
    /// Platform accounts claimed under two keys.
    pub conflicts: Vec<HandleConflict>,
}

/// Why an import may not go ahead as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// More accounts would be withdrawn than may be without a further yes.
    #[error(
        "{withdrawn} of {judged} accounts of the area are missing from the ledger, more than \
         {percent_max} %; say --yes to withdraw them"
    )]
    TooManyWithdrawn {
        /// Accounts that would be withdrawn.
        withdrawn: usize,
        /// Judged accounts of the area.
        judged: usize,
        /// The share allowed, percent.
        percent_max: u32,
    },
    /// A platform account has a key already; a key is for life.
    #[error(
        "platform accounts claimed under a second key:\n{}",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    )]
    Conflicts(Vec<HandleConflict>),
}

impl Changes {
    /// Whether the import may go ahead; `yes` allows any number of withdrawals.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that says what stands in the way.
    pub fn permit(&self, yes: bool, settings: &Settings) -> Result<(), Refusal> {
        if !self.conflicts.is_empty() {
            return Err(Refusal::Conflicts(self.conflicts.clone()));
        }
        let percent_max = settings.withdrawn_percent_max;
        let (withdrawn, judged) = (self.withdrawn.len(), self.judged_in_area);
        if !yes && withdrawn as u128 * 100 > u128::from(percent_max) * judged as u128 {
            return Err(Refusal::TooManyWithdrawn { withdrawn, judged, percent_max });
        }
        Ok(())
    }
}

/// Compares what is known with what a ledger says.
///
/// Entries are matched by key. Accounts missing from the ledger are withdrawn only inside
/// `complete_for`, and only judged ones: closed and cancelled accounts stay in the books.
pub fn compare(current: &[LedgerEntry], incoming: &Ledger, complete_for: Option<&Area>) -> Changes {
    let known: HashMap<&str, &LedgerEntry> =
        current.iter().map(|entry| (entry.key.as_str(), entry)).collect();
    let mut changes = Changes::default();
    let mut listed = BTreeSet::new();
    for entry in &incoming.entries {
        listed.insert(entry.key.as_str());
        let Some(before) = known.get(entry.key.as_str()) else {
            changes.added.push(entry.clone());
            continue;
        };
        let merged = merge(before, entry, &incoming.columns);
        let fields = differences(before, &merged);
        if fields.is_empty() {
            changes.unchanged += 1;
        } else {
            changes.changed.push(Change { entry: merged, fields });
        }
    }
    if let Some(area) = complete_for {
        for entry in current {
            if entry.lifecycle.is_judged() && area.contains(&entry.region) {
                changes.judged_in_area += 1;
                if !listed.contains(entry.key.as_str()) {
                    changes.withdrawn.push(entry.clone());
                }
            }
        }
    }
    changes.conflicts = conflicts(current, incoming, &listed);
    changes
}

/// The entry after the import: what the file's columns say, and what was known besides.
fn merge(before: &LedgerEntry, incoming: &LedgerEntry, columns: &[Column]) -> LedgerEntry {
    let mut merged = before.clone();
    for column in columns {
        column.copy(incoming, &mut merged);
    }
    merged.notes.extend(incoming.notes.clone());
    merged
}

fn differences(before: &LedgerEntry, after: &LedgerEntry) -> Vec<FieldChange> {
    let mut fields: Vec<FieldChange> = Column::all()
        .map(|column| FieldChange {
            field: column.title().to_owned(),
            before: column.value(before),
            after: column.value(after),
            personal: column.is_personal(),
        })
        .collect();
    let names: BTreeSet<&String> = before.notes.keys().chain(after.notes.keys()).collect();
    fields.extend(names.into_iter().map(|name| FieldChange {
        field: name.clone(),
        before: before.notes.get(name).cloned(),
        after: after.notes.get(name).cloned(),
        personal: false,
    }));
    fields.retain(|field| field.before != field.after);
    fields
}

/// Handles that the import would leave under two keys.
fn conflicts(
    current: &[LedgerEntry],
    incoming: &Ledger,
    listed: &BTreeSet<&str>,
) -> Vec<HandleConflict> {
    // An entry that the file lists has the file's handle, and those are unique among themselves.
    let kept: BTreeMap<(&str, &str), &str> = current
        .iter()
        .filter(|entry| !listed.contains(entry.key.as_str()))
        .map(|entry| ((entry.platform.as_str(), entry.handle.as_str()), entry.key.as_str()))
        .collect();
    let entries = incoming.entries.iter();
    entries
        .filter_map(|entry| {
            let current = kept.get(&(entry.platform.as_str(), entry.handle.as_str()))?;
            Some(HandleConflict {
                incoming: entry.key.clone(),
                current: (*current).to_owned(),
                platform: entry.platform.clone(),
                handle: entry.handle.clone(),
            })
        })
        .collect()
}
