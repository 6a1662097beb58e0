//! An exported bundle: records, the proofs that they stood in their days' trees, and the chain.
//!
//! One tar file of four files: `manifest.json`, `records.warc.gz`, `README.txt`, `SHA256SUMS`.
//! Verifying needs no database and no settings. Digests alone would only show accidents, since
//! whoever alters a bundle can write new ones; the chain shows more: every record is proven to lie
//! under its day's root, every day up to the newest is chained, and the newest chain value is one
//! that was printed elsewhere (bulletins, assessments, `xunjian evidence verify`).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::merkle::{chain_value, digest, leaf, root_by_proof};
use super::reader::read_all;
use super::tar;
use crate::domain::Sha256Digest;

const FORMAT: &str = "xunjian-evidence/1";
const MANIFEST: &str = "manifest.json";
const RECORDS: &str = "records.warc.gz";
const README: &str = "README.txt";
const SUMS: &str = "SHA256SUMS";

const README_TEXT: &str = include_str!("bundle_readme.txt");

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `xunjian-evidence/1`.
    pub format: String,
    /// Program and version that exported it.
    pub software: String,
    /// When, as RFC 3339.
    pub exported_at: String,
    /// What was asked for: a finding, or an account with a stretch of time.
    pub about: String,
    /// The records, in the order in which they stand in the WARC file.
    pub records: Vec<ManifestRecord>,
    /// Visits of the stretch that left no evidence, as (start, page kind, reason).
    pub missing: Vec<(String, String, String)>,
    /// The sealed days from the first that is needed to the newest, without gaps.
    pub days: Vec<ManifestDay>,
}

/// One record of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestRecord {
    /// Its name, `urn:uuid:…`.
    pub record: String,
    /// 账号编号.
    pub account: Option<String>,
    /// The page kind.
    pub page: Option<String>,
    /// Start of the visit, as RFC 3339.
    pub visited_at: Option<String>,
    /// When it was recorded, as RFC 3339.
    pub recorded_at: String,
    /// What it holds.
    pub form: String,
    /// Where its bytes stand in the WARC file (first byte, length); absent where retention has
    /// dropped them.
    pub bytes: Option<(u64, u64)>,
    /// Its leaf.
    pub leaf: String,
    /// Where it stands in the chain; absent until its day is sealed.
    pub place: Option<Place>,
}

/// Where a leaf stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The day under whose root.
    pub day: NaiveDate,
    /// Which leaf of it, from 0.
    pub index: u64,
    /// The nodes beside the way to the root.
    pub proof: Vec<String>,
}

/// One day of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `chain_value`")]
pub struct ManifestDay {
    pub day: NaiveDate,
    pub leaves: u64,
    pub root: String,
    pub previous: String,
    pub chain: String,
}

/// What a good bundle proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was asked for.
    pub about: String,
    /// Records whose bytes are in it.
    pub records: usize,
    /// Records of which retention has left only the leaf.
    pub dropped: usize,
    /// Records under no root yet: whole, but not yet in the chain.
    pub unsealed: usize,
    /// Visits without evidence.
    pub missing: usize,
    /// The newest day with its chain value: to be compared with what was printed.
    pub newest: Option<(NaiveDate, Sha256Digest)>,
    /// Every chain value in it.
    pub chain: Vec<Sha256Digest>,
}

/// Writes a bundle; `records` are the WARC file that the manifest speaks of.
pub fn write(manifest: &Manifest, records: &[u8]) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
    text.push(b'\n');
    let files = [(MANIFEST, text.as_slice()), (RECORDS, records), (README, README_TEXT.as_bytes())];
    let sums = sums(&files);
    tar::write(&[files[0], files[1], files[2], (SUMS, sums.as_bytes())])
}

/// The format's name, for a new manifest.
pub fn format() -> String {
    FORMAT.to_owned()
}

fn sums(files: &[(&str, &[u8])]) -> String {
    files.iter().map(|(name, content)| format!("{}  {name}\n", digest(content))).collect()
}

/// Verifies a bundle with nothing but itself.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(bundle: &[u8]) -> Result<Verified, String> {
    let files = tar::read(bundle)?;
    let [(MANIFEST, manifest), (RECORDS, warc), (README, readme), (SUMS, listed)] = files[..]
    else {
        return Err("not a bundle: its files are others".to_owned());
    };
    let whole = [(MANIFEST, manifest), (RECORDS, warc), (README, readme)];
    if listed != sums(&whole).as_bytes() {
        return Err(format!("{SUMS} does not list the digests of the files"));
    }
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|error| format!("{MANIFEST}: {error}"))?;
    if manifest.format != FORMAT {
        return Err(format!("{MANIFEST}: format {:?} is not known", manifest.format));
    }
    let days = days(&manifest.days)?;
    let unsealed = records(&manifest.records, warc, &days)?;
    let in_it = manifest.records.iter().filter(|record| record.bytes.is_some()).count();
    let chain = manifest.days.iter().map(|day| day.chain.parse()).collect::<Result<Vec<_>, _>>()?;
    Ok(Verified {
        about: manifest.about,
        records: in_it,
        dropped: manifest.records.len() - in_it,
        unsealed,
        missing: manifest.missing.len(),
        newest: manifest.days.last().map(|day| day.day).zip(chain.last().copied()),
        chain,
    })
}

/// Roots and sizes of the days, whose chain holds.
fn days(listed: &[ManifestDay]) -> Result<BTreeMap<NaiveDate, (Sha256Digest, u64)>, String> {
    let mut known = BTreeMap::new();
    let mut before: Option<(NaiveDate, Sha256Digest)> = None;
    for one in listed {
        let day = one.day;
        let (root, previous) = (one.root.parse()?, one.previous.parse()?);
        if before.is_some_and(|(day, chain)| day.succ_opt() != Some(one.day) || chain != previous) {
            return Err(format!("{day} does not follow the day before"));
        }
        let chain = chain_value(&previous, day, one.leaves, &root);
        if one.chain != chain.to_string() {
            return Err(format!("the chain value of {day} is not that of its root"));
        }
        known.insert(day, (root, one.leaves));
        before = Some((day, chain));
    }
    Ok(known)
}

/// Checks that the records make up the WARC file and stand where they say; how many stand under no
/// root yet.
fn records(
    listed: &[ManifestRecord],
    warc: &[u8],
    days: &BTreeMap<NaiveDate, (Sha256Digest, u64)>,
) -> Result<usize, String> {
    let read = read_all(warc).map_err(|(at, reason)| format!("{RECORDS}, byte {at}: {reason}"))?;
    let mut at = read.first().map_or(0, |opening| opening.end as u64);
    let mut unsealed = 0;
    for one in listed {
        let name = &one.record;
        let stated: Sha256Digest = one.leaf.parse()?;
        if let Some((offset, length)) = one.bytes {
            let end = offset.checked_add(length).filter(|_| offset == at && length > 0);
            let end = end.ok_or_else(|| format!("{name} does not follow the record before"))?;
            let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
            let bytes = range.and_then(|(from, to)| warc.get(from..to));
            let bytes = bytes.ok_or_else(|| format!("{name} is cut off"))?;
            if leaf(bytes) != stated {
                return Err(format!("{name}: its bytes are not those of its leaf"));
            }
            let first = read.iter().find(|placed| placed.offset as u64 == offset);
            let inside = first.and_then(|placed| placed.record.field("WARC-Record-ID"));
            if inside != Some(&format!("<{name}>")) {
                return Err(format!("{name}: another record stands in its place"));
            }
            at = end;
        }
        match &one.place {
            None => unsealed += 1,
            Some(place) => proven(one, stated, place, days)?,
        }
    }
    if at != warc.len() as u64 {
        return Err(format!("{RECORDS} holds bytes that no record accounts for"));
    }
    Ok(unsealed)
}

fn proven(
    record: &ManifestRecord,
    leaf: Sha256Digest,
    place: &Place,
    days: &BTreeMap<NaiveDate, (Sha256Digest, u64)>,
) -> Result<(), String> {
    let name = &record.record;
    let day = days.get(&place.day);
    let (root, leaves) = day.ok_or_else(|| format!("{name}: {} is not in it", place.day))?;
    let proof = place.proof.iter().map(|node| node.parse()).collect::<Result<Vec<_>, _>>()?;
    if root_by_proof(leaf, place.index, *leaves, &proof) != Some(*root) {
        return Err(format!("{name}: its proof does not lead to the root of {}", place.day));
    }
    Ok(())
}
