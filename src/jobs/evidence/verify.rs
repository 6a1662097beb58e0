use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::domain::{Sha256Digest, shanghai_date};
use crate::evidence::{CHAIN_START, Tree, Vault, chain_value, digest, leaf, read_all};
use crate::store::{KeptRecord, SegmentRow, Store};

/// What was found when the local store was held against the chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreReport {
    /// Sealed days whose root and chain value were computed anew.
    pub days: usize,
    /// Leaves under them.
    pub leaves: u64,
    /// Segments that were read.
    pub segments: usize,
    /// Records whose bytes were held against their leaf.
    pub records: usize,
    /// Records in segments that no visit refers to: written just before a crash.
    pub unreferenced: usize,
    /// Segments that another daemon is still writing, on a machine of its own.
    pub elsewhere: Vec<String>,
    /// Everything that does not hold.
    pub defects: Vec<String>,
    /// The newest day with its chain value.
    pub newest: Option<(NaiveDate, Sha256Digest)>,
}

/// Holds every root against its leaves, the chain against its roots, and every kept byte against
/// its leaf.
///
/// # Errors
/// The database or the store cannot be read; what was read and does not hold is a defect.
pub async fn verify_store(
    store: &Store,
    vault: &Vault,
    now: DateTime<Utc>,
) -> anyhow::Result<StoreReport> {
    // Every segment is stored within a day of its own; one that is not is lost.
    let lost_before = shanghai_date(now).checked_sub_days(Days::new(1)).unwrap_or_default();
    let mut report = StoreReport::default();
    verify_chain(store, &mut report).await?;
    for segment in store.kept_segments().await? {
        let records = store.segment_records(segment.id).await?;
        match vault.read(&segment.name, None).await? {
            Some(bytes) => verify_segment(&segment, &records, &bytes, &mut report),
            None if segment.stored.is_none() && segment.day >= lost_before => {
                report.elsewhere.push(segment.name);
            }
            None => report.defects.push(format!("{}: the segment is gone", segment.name)),
        }
    }
    Ok(report)
}

async fn verify_chain(store: &Store, report: &mut StoreReport) -> anyhow::Result<()> {
    let mut before: Option<(NaiveDate, Sha256Digest)> = None;
    for day in store.chain_days(DateTime::UNIX_EPOCH.date_naive()).await? {
        let tree = Tree::new(store.day_leaves(day.day).await?);
        let mut defect = |what: &str| report.defects.push(format!("{}: {what}", day.day));
        if tree.leaves() != day.leaves {
            defect("leaves are missing or too many");
        }
        if tree.root() != day.root {
            defect("the root is not that of the leaves");
        }
        let follows = match before {
            None => day.previous == CHAIN_START,
            Some((date, chain)) => date.succ_opt() == Some(day.day) && chain == day.previous,
        };
        if !follows {
            defect("it does not follow the day before");
        }
        if chain_value(&day.previous, day.day, day.leaves, &day.root) != day.chain {
            defect("the chain value is not that of the root");
        }
        before = Some((day.day, day.chain));
        report.days += 1;
        report.leaves += day.leaves;
    }
    report.newest = before;
    Ok(())
}

fn verify_segment(
    segment: &SegmentRow,
    records: &[KeptRecord],
    bytes: &[u8],
    report: &mut StoreReport,
) {
    let name = &segment.name;
    report.segments += 1;
    if segment.stored.is_some_and(|(_, sum)| sum != digest(bytes)) {
        report.defects.push(format!("{name}: its bytes are not those that were stored"));
    }
    for record in records {
        let end = record.offset.saturating_add(record.length);
        let range = usize::try_from(record.offset).ok().zip(usize::try_from(end).ok());
        let part = range.and_then(|(from, to)| bytes.get(from..to));
        report.records += 1;
        if part.map(leaf) != Some(record.leaf) {
            let what = "its bytes are not those of its leaf";
            report.defects.push(format!("{} in {name}: {what}", record.record));
        }
    }
    match read_all(bytes) {
        Ok(read) => {
            let known: BTreeSet<String> =
                records.iter().map(|record| format!("<{}>", record.record)).collect();
            let named =
                |kind: &str| matches!(kind, "response" | "revisit" | "conversion" | "resource");
            let first = read.iter().filter(|placed| {
                placed.record.field("WARC-Type").is_some_and(named)
                    && placed.record.field("WARC-Record-ID").is_none_or(|id| !known.contains(id))
            });
            report.unreferenced += first.count();
        }
        // The tail of a segment that is being written may be torn; its records are not.
        Err((at, reason)) if segment.stored.is_some() => {
            report.defects.push(format!("{name}, byte {at}: {reason}"));
        }
        Err(_) => {}
    }
}
