use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use crate::domain::Sha256Digest;
use crate::evidence::bundle::{Manifest, ManifestDay, ManifestRecord, Place, format, write};
use crate::evidence::{Tree, Vault, leaf};
use crate::store::{EvidenceRow, PinHolder, Store};

/// A bundle holds no more bytes of records than this, since it is written and verified in memory.
const BUNDLE_BYTES_MAX: u64 = 1 << 30;

/// What a bundle is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everything pinned by a finding.
    Finding(i64),
    /// An account (账号编号) with the visits that began in `[from, to)`.
    Account {
        /// 账号编号.
        key: String,
        /// First instant.
        from: DateTime<Utc>,
        /// The instant after the last.
        to: DateTime<Utc>,
    },
}

/// Puts the selected records with their proofs and the chain into a bundle.
///
/// # Errors
/// There is nothing to export, it is too much for one bundle, or a record cannot be read or is not
/// what it was.
pub async fn export(
    store: &Store,
    vault: &Vault,
    selection: &Selection,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<u8>> {
    let (about, ids, missing) = select(store, selection).await?;
    let rows = store.evidence_rows(&ids).await?;
    if rows.is_empty() {
        bail!("no evidence is kept for {about}");
    }
    let size: u64 = rows.iter().filter(|row| !row.dropped).map(|row| row.length).sum();
    if size > BUNDLE_BYTES_MAX {
        bail!("{size} bytes of evidence, one bundle holds {BUNDLE_BYTES_MAX}: take less time");
    }
    let trees = trees(store, &rows).await?;
    let mut warc = vault.opening("records.warc.gz", now);
    let mut records = Vec::with_capacity(rows.len());
    for row in &rows {
        let bytes = match row.dropped {
            true => None,
            false => {
                let part = read(vault, row).await?;
                let place = (warc.len() as u64, part.len() as u64);
                warc.extend(&part);
                Some(place)
            }
        };
        records.push(listed(row, bytes, &trees)?);
    }
    let days = match rows.iter().filter_map(|row| row.leaf_of).map(|(day, _)| day).min() {
        Some(first) => store.chain_days(first).await?,
        None => Vec::new(),
    };
    let manifest = Manifest {
        format: format(),
        software: vault.software().to_owned(),
        exported_at: text(now),
        about,
        records,
        missing,
        days: days
            .into_iter()
            .map(|day| ManifestDay {
                day: day.day,
                leaves: day.leaves,
                root: day.root.to_string(),
                previous: day.previous.to_string(),
                chain: day.chain.to_string(),
            })
            .collect(),
    };
    Ok(write(&manifest, &warc))
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

type Missing = Vec<(String, String, String)>;

async fn select(
    store: &Store,
    selection: &Selection,
) -> anyhow::Result<(String, Vec<crate::domain::EvidenceId>, Missing)> {
    match selection {
        Selection::Finding(number) => {
            let ids = store.pinned_evidence(PinHolder::Finding(*number)).await?;
            Ok((format!("finding {number}"), ids, Vec::new()))
        }
        Selection::Account { key, from, to } => {
            let account = store.account(key).await?;
            let account = account.with_context(|| format!("no account {key:?} in the ledger"))?.id;
            let ids = store.evidence_of_account(account, *from, *to).await?;
            let (_, unkept) = store.unkept_visits(account, *from, *to).await?;
            let missing = unkept
                .into_iter()
                .map(|visit| (text(visit.started_at), visit.page, visit.reason))
                .collect();
            let about = format!("account {key} from {} to {}", text(*from), text(*to));
            Ok((about, ids, missing))
        }
    }
}

/// The trees of the days that the records stand in.
async fn trees(store: &Store, rows: &[EvidenceRow]) -> anyhow::Result<BTreeMap<NaiveDate, Tree>> {
    let mut trees = BTreeMap::new();
    for (day, _) in rows.iter().filter_map(|row| row.leaf_of) {
        if let Entry::Vacant(free) = trees.entry(day) {
            free.insert(Tree::new(store.day_leaves(day).await?));
        }
    }
    Ok(trees)
}

/// The bytes of a record, which are still those of its leaf.
async fn read(vault: &Vault, row: &EvidenceRow) -> anyhow::Result<bytes::Bytes> {
    let range = row.offset..row.offset + row.length;
    let found = vault.read(&row.segment, Some(range)).await?;
    let place = || format!("{} in {}", row.record, row.segment);
    let bytes = found.with_context(|| format!("{}: not on this machine", place()))?;
    if leaf(&bytes) != row.leaf {
        bail!("{}: its bytes are not those of its leaf", place());
    }
    Ok(bytes)
}

fn listed(
    row: &EvidenceRow,
    bytes: Option<(u64, u64)>,
    trees: &BTreeMap<NaiveDate, Tree>,
) -> anyhow::Result<ManifestRecord> {
    let place = match row.leaf_of {
        None => None,
        Some((day, index)) => {
            let proof = trees.get(&day).and_then(|tree| tree.proof(index));
            let proof =
                proof.with_context(|| format!("{}: leaves of {day} are lost", row.record))?;
            let proof = proof.iter().map(Sha256Digest::to_string).collect();
            Some(Place { day, index, proof })
        }
    };
    Ok(ManifestRecord {
        record: row.record.to_string(),
        account: row.account.clone(),
        page: row.page.clone(),
        visited_at: row.visited_at.map(text),
        recorded_at: text(row.recorded_at),
        form: row.form.as_str().to_owned(),
        bytes,
        leaf: row.leaf.to_string(),
        place,
    })
}
