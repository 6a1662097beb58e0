use std::path::Path;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt;

use crate::archive::{
    ConfigFile, EVIDENCE, FORMAT, Head, KEY, Missing, Pieces, Rows, Sequence, TableShape, Tail,
    Writer,
};
use crate::domain::Sha256Digest;
use crate::evidence::{Vault, digest, leaf};
use crate::store::{KeptRecord, SegmentRow, Snapshot, Store};

/// What a backup says of the installation it is made of.
#[derive(Debug, Clone)]
pub struct About {
    /// Program and version.
    pub software: String,
    /// When it is made.
    pub at: DateTime<Utc>,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The key itself, where it is to go into the file.
    pub key: Option<Vec<u8>>,
    /// The configuration, by digest.
    pub config: Vec<ConfigFile>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The digest of the whole.
    pub digest: Sha256Digest,
    /// The schema's version.
    pub schema: i64,
    /// Tables.
    pub tables: usize,
    /// Rows of all of them.
    pub rows: u64,
    /// Segments of evidence.
    pub segments: usize,
    /// Segments that are not in it.
    pub missing: Vec<Missing>,
}

/// Writes a backup to `path`, which must be free; `incomplete`: evidence that cannot be read is
/// left out and listed instead of ending it.
///
/// # Errors
/// The database, the evidence or the file cannot be read or written; nothing is left at `path`.
pub async fn back_up(
    store: &Store,
    vault: &Vault,
    about: &About,
    path: &Path,
    incomplete: bool,
) -> anyhow::Result<Made> {
    let mut snapshot = store.snapshot().await?;
    let made = write(&mut snapshot, vault, about, path, incomplete).await;
    snapshot.close().await;
    made
}

async fn write(
    snapshot: &mut Snapshot,
    vault: &Vault,
    about: &About,
    path: &Path,
    incomplete: bool,
) -> anyhow::Result<Made> {
    let head = head(snapshot, about).await?;
    let mut writer = Writer::create(path, &head)?;
    let mut tail = Tail::default();
    for table in snapshot.tables().await? {
        let mut pieces = Pieces::of(&table.name);
        let mut rows = snapshot.rows(&table).await?;
        while let Some(row) = rows.next().await {
            if let Some((name, packed)) = pieces.push(&row?)? {
                writer.put(&name, &packed)?;
            }
        }
        if let Some((name, packed)) = pieces.rest()? {
            writer.put(&name, &packed)?;
        }
        tail.rows.push(Rows { table: table.name, rows: pieces.rows });
    }
    let sequences = snapshot.sequences().await?.into_iter();
    tail.sequences = sequences.map(|(name, last)| Sequence { name, last }).collect();
    let mut segments = Vec::new();
    for segment in snapshot.kept_segments().await? {
        let records = match segment.stored {
            Some(_) => Vec::new(),
            None => snapshot.segment_records(segment.id).await?,
        };
        segments.push((segment, records));
    }
    snapshot.end_reading().await?;
    let all = segments.len();
    for (segment, records) in segments {
        match read(vault, &segment, &records).await? {
            Ok(bytes) => writer.put(&format!("{EVIDENCE}{}", segment.name), &bytes)?,
            Err(reason) => tail.missing.push(Missing { segment: segment.name, reason }),
        }
    }
    let lost = tail.missing.iter().map(|one| format!("\n{}: {}", one.segment, one.reason));
    ensure!(
        incomplete || tail.missing.is_empty(),
        "evidence cannot be read; --incomplete leaves it out:{}",
        lost.collect::<String>()
    );
    if let Some(key) = &about.key {
        writer.put(KEY, key)?;
    }
    let digest = writer.finish(&tail)?;
    Ok(Made {
        digest,
        schema: head.schema,
        tables: head.tables.len(),
        rows: tail.rows.iter().map(|one| one.rows).sum(),
        segments: all - tail.missing.len(),
        missing: tail.missing,
    })
}

async fn head(snapshot: &mut Snapshot, about: &About) -> anyhow::Result<Head> {
    let schema = snapshot.schema().await.context("the database has no schema of ours");
    let (schema, postgres) = schema?;
    let tables = snapshot.tables().await?.into_iter();
    Ok(Head {
        format: FORMAT.to_owned(),
        software: about.software.clone(),
        made_at: about.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        schema: schema.version,
        schema_digest: schema.digest(),
        postgres,
        key: about.fingerprint.clone(),
        key_inside: about.key.is_some(),
        config: about.config.clone(),
        months: snapshot.months().await?,
        tables: tables.map(|one| TableShape { name: one.name, columns: one.columns }).collect(),
    })
}

/// The bytes of a segment as the snapshot knows it, or why they are not to be had.
async fn read(
    vault: &Vault,
    segment: &SegmentRow,
    records: &[KeptRecord],
) -> anyhow::Result<Result<Bytes, String>> {
    let Some(bytes) = vault.read(&segment.name, None).await? else {
        return Ok(Err(match segment.stored {
            Some(_) => "it is gone".to_owned(),
            None => "another daemon is writing it, on a machine of its own".to_owned(),
        }));
    };
    if let Some((_, sum)) = segment.stored {
        let same = digest(&bytes) == sum;
        return Ok(same.then_some(bytes).ok_or("its bytes are not those that were stored".into()));
    }
    // It may have grown since; what came later is not in the snapshot.
    let mut end = 0;
    for record in records {
        let to = usize::try_from(record.offset + record.length)?;
        let part = bytes.get(usize::try_from(record.offset)?..to);
        if part.map(leaf) != Some(record.leaf) {
            return Ok(Err(format!("{}: its bytes are not those of its leaf", record.record)));
        }
        end = end.max(to);
    }
    Ok(Ok(bytes.slice(..end)))
}
