use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Months, Utc};

use crate::archive::{Checked, EVIDENCE, KEY, Part, table_of, unpack};
use crate::evidence::Vault;
use crate::store::{Restoring, SchemaVersion, Standing, TableColumns};

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Rows of all tables.
    pub rows: u64,
    /// Segments of evidence.
    pub segments: usize,
}

/// Puts a backup into the database at `url` and its evidence into `vault`; `replace`: what is
/// there goes.
///
/// The schema afterwards is that of the backup; migrate it.
///
/// # Errors
/// The target is not empty or in use, the backup is of a schema that this program does not know, or
/// its parts do not agree. The database is as it was then.
pub async fn restore(
    backup: &Checked,
    url: &str,
    vault: &Vault,
    replace: bool,
) -> anyhow::Result<Restored> {
    let version = backup.head.schema;
    let known = SchemaVersion::of_program(version).with_context(|| {
        let newest = SchemaVersion::newest();
        format!(
            "the backup has schema version {version}, this program knows versions up to {newest}"
        )
    })?;
    ensure!(
        known.digest() == backup.head.schema_digest,
        "the backup's schema version {version} was made by other migrations than this program's"
    );
    let mut target = Restoring::begin(url).await?;
    let standing = target.standing().await?;
    may_replace(&standing, replace)?;
    target.prepare(&standing, version, months(backup)?).await?;
    let rows = fill(backup, &mut target).await?;
    for sequence in &backup.tail.sequences {
        let found = target.set_sequence(&sequence.name, sequence.last).await?;
        ensure!(found, "the backup numbers by a sequence {} that there is not", sequence.name);
    }
    // Evidence is laid last: what it replaces cannot be taken back.
    target.hold_together().await.context("rows that do not agree with each other")?;
    let segments = lay_evidence(backup, &mut target, vault, replace).await?;
    target.finish().await.context("committing what was restored")?;
    Ok(Restored { rows, segments })
}

fn may_replace(standing: &Standing, replace: bool) -> anyhow::Result<()> {
    match standing {
        Standing::Nothing | Standing::Empty => Ok(()),
        Standing::Filled(_) if replace => Ok(()),
        Standing::Filled(tables) => bail!(
            "the database is not empty ({} tables have rows, such as {}); --replace puts the \
             backup in its place",
            tables.len(),
            tables[0]
        ),
        Standing::Foreign(tables) => bail!(
            "the database holds tables that are not xunjian's, such as {}; give it one of its own",
            tables[0]
        ),
        Standing::InUse(sessions) => {
            bail!(
                "the database is in use ({sessions} sessions); stop every daemon and command first"
            )
        }
    }
}

/// From the first month to the one after which the schema itself adds two more.
fn months(backup: &Checked) -> anyhow::Result<Option<(DateTime<Utc>, DateTime<Utc>)>> {
    let Some((first, last)) = &backup.head.months else { return Ok(None) };
    let read = |month: &str| {
        let instant = format!("{month}-01T00:00:00Z").parse::<DateTime<Utc>>();
        instant.with_context(|| format!("{month:?} is no month"))
    };
    let (first, last) = (read(first)?, read(last)?);
    let last = last.checked_sub_months(Months::new(2)).unwrap_or(last).max(first);
    ensure!((last - first).num_days() < 36_600, "the backup spans more than a hundred years");
    Ok(Some((first, last)))
}

/// Every row into its table; returns how many.
async fn fill(backup: &Checked, target: &mut Restoring) -> anyhow::Result<u64> {
    let there: BTreeMap<String, BTreeSet<String>> = target
        .tables()
        .iter()
        .map(|one| (one.name.clone(), one.columns.iter().cloned().collect()))
        .collect();
    let mut tables = BTreeMap::new();
    for shape in &backup.head.tables {
        let columns: BTreeSet<String> = shape.columns.iter().cloned().collect();
        ensure!(
            there.get(&shape.name) == Some(&columns),
            "the backup's table {} is not that of its schema",
            shape.name
        );
        let table = TableColumns { name: shape.name.clone(), columns: shape.columns.clone() };
        tables.insert(shape.name.as_str(), (table, 0));
    }
    for part in &backup.parts {
        let Some(name) = table_of(&part.name) else { continue };
        let (table, rows) =
            tables.get_mut(name).with_context(|| format!("{}: no such table", part.name))?;
        let raw = unpack(&backup.read(part)?).with_context(|| part.name.clone())?;
        *rows += target.take(table, &raw).await.with_context(|| part.name.clone())?;
    }
    for counted in &backup.tail.rows {
        let rows = tables.get(counted.table.as_str()).map_or(0, |(_, rows)| *rows);
        ensure!(
            rows == counted.rows,
            "{}: {rows} rows, {} were written",
            counted.table,
            counted.rows
        );
    }
    Ok(tables.values().map(|(_, rows)| rows).sum())
}

/// Every segment that the rows name to its place; returns how many.
async fn lay_evidence(
    backup: &Checked,
    target: &mut Restoring,
    vault: &Vault,
    replace: bool,
) -> anyhow::Result<usize> {
    let mut parts: BTreeMap<&str, &Part> = BTreeMap::new();
    for part in &backup.parts {
        if let Some(name) = part.name.strip_prefix(EVIDENCE) {
            ensure!(Vault::is_segment(name), "{}: not the name of a segment", part.name);
            parts.insert(name, part);
        } else if part.name != KEY {
            let known = table_of(&part.name).is_some() || part.name.ends_with(".json");
            ensure!(known, "{}: no part of a backup", part.name);
        }
    }
    let kept = target.kept_segments().await?;
    if let Some(name) = parts.keys().find(|name| kept.iter().all(|one| one.name != **name)) {
        bail!("{EVIDENCE}{name}: no row names it");
    }
    let mut laid = 0;
    for segment in kept {
        let Some(part) = parts.remove(segment.name.as_str()) else {
            let missing = backup.tail.missing.iter().any(|one| one.segment == segment.name);
            ensure!(missing, "the backup lacks evidence that its rows name: {}", segment.name);
            continue;
        };
        let bytes = backup.read(part)?;
        match vault.read(&segment.name, None).await? {
            Some(there) if there == bytes => {}
            Some(_) if !replace => {
                bail!(
                    "{}: another segment of this name is here; --replace takes its place",
                    part.name
                )
            }
            _ if segment.stored.is_some() => {
                vault.put_segment(&segment.name, bytes).await?;
            }
            _ => vault.lay(&segment.name, bytes).await?,
        }
        laid += 1;
    }
    Ok(laid)
}
