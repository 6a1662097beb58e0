//! What keeps evidence: closed segments are stored, ended days sealed, retention applied; export
//! and verification.

mod export;
mod verify;

use anyhow::Context as _;
use chrono::{Days, TimeDelta};

pub use export::{Selection, export};
pub use verify::{StoreReport, verify_store};

use super::Context;
use crate::domain::{
    EvidenceClass, EvidenceForm, EvidenceId, RecordKey, shanghai_date, shanghai_midnight,
};
use crate::evidence::{CHAIN_START, Capture, Placed, Tree, Vault, chain_value, resource};
use crate::store::{KeptRecord, NewChainDay, NewEvidence, SegmentRow, StoredSegment};

/// Stores closed segments, seals ended days, drops what is past its time, and tells the metrics.
///
/// Each part goes on where another fails; the first failure is the job's.
pub async fn keep_evidence(context: &Context) -> anyhow::Result<()> {
    let sealed = seal_days(context).await.context("sealing ended days");
    let Ok(vault) = &context.evidence else { return sealed };
    let shipped = ship(context, vault).await.context("storing closed segments");
    if shipped.is_err() {
        context.metrics.evidence_failed();
    }
    let retained = retain(context, vault).await.context("retention");
    sealed.and(shipped).and(retained)
}

/// Seals every day that has ended, oldest first; a record that comes later goes under the next.
async fn seal_days(context: &Context) -> anyhow::Result<()> {
    let store = &context.store;
    let wait = match &context.evidence {
        Ok(vault) => vault.settings().seal_after_minutes,
        Err(_) => 0,
    };
    let today = shanghai_date(context.clock.now() - TimeDelta::minutes(wait.into()));
    let mut newest = store.newest_chain_day().await?.map(|day| (day.day, day.chain));
    loop {
        let next = match newest {
            Some((day, _)) => day.checked_add_days(Days::new(1)),
            None => store.oldest_unsealed_at().await?.map(shanghai_date),
        };
        let Some(day) = next.filter(|day| *day < today) else { break };
        let end = shanghai_midnight(day.checked_add_days(Days::new(1)).unwrap_or(today));
        let leaves = store.unsealed_before(end).await?;
        let tree = Tree::new(leaves.iter().map(|one| one.leaf).collect());
        let previous = newest.map_or(CHAIN_START, |(_, chain)| chain);
        let root = tree.root();
        let chain = chain_value(&previous, day, tree.leaves(), &root);
        let ids: Vec<EvidenceId> = leaves.iter().map(|one| one.id).collect();
        let new = NewChainDay { day, root, previous, chain };
        if !store.seal_day(&new, &ids, context.clock.now()).await? {
            // Another daemon was first; its day is read at the next run.
            break;
        }
        tracing::info!(%day, leaves = ids.len(), %chain, "evidence of the day sealed");
        newest = Some((day, chain));
    }
    if let Some((day, _)) = newest {
        let end = day.checked_add_days(Days::new(1)).map(shanghai_midnight);
        context.metrics.set_evidence_chain_head(end.unwrap_or_default());
    }
    Ok(())
}

/// Brings every segment that nobody writes any more into the store.
async fn ship(context: &Context, vault: &Vault) -> anyhow::Result<()> {
    for one in vault.recover().await? {
        if one.torn_bytes > 0 {
            let (segment, bytes) = (&one.segment, one.torn_bytes);
            tracing::warn!(segment, bytes, "a torn record was cut off; no visit refers to it");
        }
    }
    let today = shanghai_date(context.clock.now());
    for closed in vault.close(Some(today)).await? {
        let Some((bytes, digest)) = vault.ship(&closed.name).await? else { continue };
        let name = closed.name;
        let segment = StoredSegment { name, class: closed.class, day: closed.day, bytes, digest };
        context.store.segment_stored(&segment, context.clock.now()).await?;
        vault.forget(&segment.name).await?;
    }
    Ok(())
}

/// Closes every segment of this process and brings it into the store, for a clean end.
pub async fn ship_everything(context: &Context) -> anyhow::Result<()> {
    let Ok(vault) = &context.evidence else { return Ok(()) };
    vault.close(None).await?;
    ship(context, vault).await
}

/// Drops the segments that are past their time, but for records that are pinned or referred to:
/// these are copied byte for byte into a segment of their own first.
async fn retain(context: &Context, vault: &Vault) -> anyhow::Result<()> {
    let today = shanghai_date(context.clock.now());
    for class in EvidenceClass::ALL {
        let Some(days) = vault.settings().days(*class) else { continue };
        let Some(first_kept) = today.checked_sub_days(Days::new(days.into())) else { continue };
        for segment in context.store.segments_before(*class, first_kept).await? {
            let records = context.store.segment_records(segment.id).await?;
            let needed: Vec<&KeptRecord> = records.iter().filter(|one| one.needed).collect();
            if needed.is_empty() {
                drop_segment(context, vault, &segment, None).await?;
            } else if needed.len() < records.len() {
                let copied = copy(context, vault, &segment, &needed).await?;
                drop_segment(context, vault, &segment, Some(copied)).await?;
            }
        }
    }
    Ok(())
}

/// A new segment with the records it took over, each with its first byte.
type Copied = (StoredSegment, Vec<(EvidenceId, u64)>);

async fn copy(
    context: &Context,
    vault: &Vault,
    segment: &SegmentRow,
    needed: &[&KeptRecord],
) -> anyhow::Result<Copied> {
    let old = vault.read(&segment.name, None).await?;
    let old = old.with_context(|| format!("{} is not in the store", segment.name))?;
    let name = vault.kept_name(&segment.name);
    let mut bytes = vault.opening(&name, context.clock.now());
    let mut moved = Vec::with_capacity(needed.len());
    for record in needed {
        let (from, to) = (usize::try_from(record.offset)?, record.offset + record.length);
        let part = old.get(from..usize::try_from(to)?);
        let part = part.filter(|part| crate::evidence::leaf(part) == record.leaf);
        let part =
            part.with_context(|| format!("{} in {}: damaged", record.record, segment.name))?;
        moved.push((record.id, bytes.len() as u64));
        bytes.extend(part);
    }
    let (length, digest) = vault.put_segment(&name, bytes).await?;
    // The day stays: so does the time after which it is looked at again.
    let (class, day) = (segment.class, segment.day);
    Ok((StoredSegment { name, class, day, bytes: length, digest }, moved))
}

async fn drop_segment(
    context: &Context,
    vault: &Vault,
    segment: &SegmentRow,
    copied: Option<Copied>,
) -> anyhow::Result<()> {
    let moved = copied.as_ref().map(|(to, records)| (to, records.as_slice()));
    if context.store.drop_segment(segment.id, moved, context.clock.now()).await? {
        vault.delete_segment(&segment.name).await?;
        tracing::info!(segment = segment.name, "evidence past its time dropped");
    } else if let Some((to, _)) = copied {
        // Something came to be needed meanwhile; the next run sees it.
        vault.delete_segment(&to.name).await?;
    }
    Ok(())
}

/// Writes captures to the vault; what is to be stored of each, in their order.
pub(super) async fn keep(
    context: &Context,
    vault: &Vault,
    captures: Vec<(Capture, Option<EvidenceId>)>,
) -> Result<Vec<NewEvidence>, crate::evidence::EvidenceError> {
    let now = context.clock.now();
    struct About {
        record: RecordKey,
        form: EvidenceForm,
        class: EvidenceClass,
        leaf: crate::domain::Sha256Digest,
        payload: Option<crate::domain::Sha256Digest>,
        refers_to: Option<EvidenceId>,
    }
    let (captures, about): (Vec<Capture>, Vec<About>) = captures
        .into_iter()
        .map(|(capture, refers_to)| {
            let Capture { record, form, class, leaf, payload, .. } = capture;
            (capture, About { record, form, class, leaf, payload, refers_to })
        })
        .unzip();
    let bytes = captures.iter().map(|capture| capture.bytes.len() as u64).sum();
    let places = vault.append(captures, now).await?;
    context.metrics.evidence_written(bytes);
    let new = |(about, placed): (About, Placed)| NewEvidence {
        record: about.record,
        recorded_at: now,
        form: about.form,
        class: about.class,
        leaf: about.leaf,
        payload: about.payload,
        refers_to: about.refers_to,
        segment: placed.segment,
        segment_day: placed.day,
        offset: placed.offset,
        length: placed.length,
    };
    Ok(about.into_iter().zip(places).map(new).collect())
}

/// Keeps a document of the program's own, such as the inputs of a frozen assessment, for ever.
///
/// Returns once it lies on the disk and its leaf in the database; pin it to its assessment with
/// [`crate::store::Store::pin_records`]. `address` names it, as in
/// `xunjian:assessment/2026Q4/inputs`; nothing in `body` may be about persons.
///
/// # Errors
/// Evidence is off, cannot be written, or the database does not take it.
pub async fn keep_resource(
    context: &Context,
    address: &str,
    content_type: &str,
    body: &[u8],
) -> anyhow::Result<EvidenceId> {
    let vault =
        context.evidence.as_ref().map_err(|reason| anyhow::anyhow!("evidence: {reason}"))?;
    let (now, level) = (context.clock.now(), vault.settings().gzip_level);
    let capture = resource(address, content_type, body, vault.software(), now, level);
    let kept = keep(context, vault, vec![(capture, None)]).await;
    let kept = kept.inspect_err(|_| context.metrics.evidence_failed())?;
    let kept = kept.first().context("nothing was kept")?;
    Ok(context.store.keep_resource(kept).await?)
}
