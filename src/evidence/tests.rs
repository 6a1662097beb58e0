use std::io::Read;
use std::process::Command;

use chrono::{DateTime, Utc};

use super::bundle::{self, Manifest, ManifestDay, ManifestRecord, Place};
use super::*;
use crate::domain::{EvidenceClass, EvidenceForm, RecordKey};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn noon() -> DateTime<Utc> {
    at("2026-11-27T04:00:00Z")
}

fn headers() -> Vec<(String, String)> {
    [("content-type", "text/html"), ("set-cookie", "sid=1"), ("content-length", "3")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn answer<'a>(headers: &'a [(String, String)], body: &'a [u8]) -> Answer<'a> {
    Answer {
        requested: "https://a.cn/list?token=1&page=1",
        answered: "https://a.cn/list?token=2&page=1",
        redirects: 1,
        status: 200,
        headers,
        body,
        sent_at: noon(),
        received_at: noon(),
        date: Some(at("2026-11-27T04:00:02Z")),
        conditional: false,
        cache_buster: true,
    }
}

fn about(account: &str) -> Circumstances<'_> {
    Circumstances {
        software: "xunjian/test",
        account,
        page: "portal/column",
        number: 1,
        adapter: "sha256:77",
        started_at: noon(),
        outcome: "observed",
        as_of: Some(noon()),
    }
}

fn captured(account: &str, body: &[u8], keep: &Keep, class: EvidenceClass) -> Capture {
    capture(&answer(&headers(), body), &about(account), keep, class, 1)
}

fn change(account: &str) -> Capture {
    captured(account, account.as_bytes(), &Keep::Whole, EvidenceClass::Change)
}

fn text(capture: &Capture) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&capture.bytes[..]).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_record_says_what_makes_it_defensible_and_nothing_secret() {
    let capture = captured("a1", "正文".as_bytes(), &Keep::Whole, EvidenceClass::Proof);
    let text = text(&capture);
    for line in [
        "WARC-Type: response",
        "WARC-Target-URI: https://a.cn/list?token=REDACTED&page=1",
        "HTTP/1.1 200 OK",
        "x-archive-orig-content-length: 3",
        "software: xunjian/test",
        "adapter: sha256:77",
        "as-of: 2026-11-27T04:00:00.000000Z",
        "origin-clock-ahead-seconds: 2",
        "request: GET https://a.cn/list?token=REDACTED&page=1",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} in\n{text}");
    }
    assert!(text.contains(&format!("WARC-Payload-Digest: sha256:{}", digest("正文".as_bytes()))));
    assert!(!text.contains("set-cookie") && !text.contains("token=1"), "{text}");
    assert_eq!(capture.form, EvidenceForm::Response);
    assert_eq!(capture.leaf, leaf(&capture.bytes));
    let again = captured("a1", "正文".as_bytes(), &Keep::Whole, EvidenceClass::Proof);
    assert_eq!(again, capture, "the same answer gives the same bytes");
    let other = captured("a2", "正文".as_bytes(), &Keep::Whole, EvidenceClass::Proof);
    assert_ne!(other.record, capture.record);
}

#[test]
fn repeats_and_personal_pages_keep_no_body() {
    let earlier = RecordKey([7; 16]);
    let body = "市民来信：我家门口".as_bytes();
    for (keep, kind, form) in [
        (Keep::SameAs(earlier), "revisit", EvidenceForm::Revisit),
        (Keep::NotModified, "revisit", EvidenceForm::NotModified),
        (Keep::Redacted(b"{\"items\":1}".to_vec()), "conversion", EvidenceForm::Conversion),
    ] {
        let capture = captured("a1", body, &keep, EvidenceClass::Routine);
        let text = text(&capture);
        assert!(
            text.contains(&format!("WARC-Type: {kind}\r\n")) && !text.contains("来信"),
            "{text}"
        );
        assert_eq!(capture.form, form);
        assert!(!text.contains("set-cookie"));
        let known = text.contains(&format!("body-digest: sha256:{}", digest(body)));
        assert_eq!(known, !matches!(keep, Keep::NotModified));
        let read = read_all(&capture.bytes).unwrap();
        assert_eq!(read.len(), 2);
        if matches!(keep, Keep::SameAs(_)) {
            let refers = read[0].record.field("WARC-Refers-To");
            assert_eq!(refers, Some("<urn:uuid:07070707-0707-0707-0707-070707070707>"));
            assert_eq!(read[0].record.body(), Some(&b""[..]));
        }
    }
}

#[test]
fn no_byte_of_a_record_may_differ() {
    let capture = change("a1");
    let name = capture.record.to_string();
    for at in 0..capture.bytes.len() {
        for bit in 0..8 {
            let mut other = capture.bytes.clone();
            other[at] ^= 1 << bit;
            assert_ne!(leaf(&other), capture.leaf, "byte {at} of {name}");
        }
    }
    let first = read_at(&capture.bytes, 0).unwrap().end;
    for end in 0..first {
        assert!(read_at(&capture.bytes[..end], 0).is_err(), "cut after {end} bytes");
    }
}

/// Vaults over a folder of the test's own.
struct Store {
    folder: tempfile::TempDir,
    settings: Settings,
}

impl Store {
    fn new() -> Self {
        let settings = Settings { free_bytes_min: 0, ..Settings::default() };
        let folder = tempfile::tempdir().unwrap();
        Self { folder, settings }
    }

    fn vault(&self, writer: &str) -> Vault {
        Vault::open(&self.settings, self.folder.path(), writer).unwrap()
    }

    fn spooled(&self) -> Vec<String> {
        let folder = self.folder.path().join("evidence-spool");
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

async fn read(vault: &Vault, placed: &Placed) -> bytes::Bytes {
    let range = placed.offset..placed.offset + placed.length;
    vault.read(&placed.segment, Some(range)).await.unwrap().unwrap()
}

#[tokio::test]
async fn captures_are_read_back_wherever_their_segment_lies() {
    let store = Store::new();
    let vault = store.vault("w1");
    let batch =
        [change("a1"), change("a2"), captured("a3", b"x", &Keep::Whole, EvidenceClass::Proof)];
    let places = vault.append(batch.to_vec(), noon()).await.unwrap();
    let more = vault.append(vec![change("a4")], noon()).await.unwrap();
    assert_eq!(places[0].segment, more[0].segment);
    assert_ne!(places[0].segment, places[2].segment, "each class has its own");
    assert_eq!(places[0].offset + places[0].length, places[1].offset);
    let check = async |vault: &Vault| {
        for (capture, placed) in batch.iter().zip(&places) {
            assert_eq!(read(vault, placed).await, capture.bytes);
        }
    };
    check(&vault).await;
    check(&store.vault("reader")).await;
    let today = places[0].day;
    assert_eq!(vault.close(Some(today)).await.unwrap(), [], "the day has not ended");
    let closed = vault.close(None).await.unwrap();
    assert_eq!(closed.len(), 2);
    check(&vault).await;
    for one in &closed {
        let (bytes, sum) = vault.ship(&one.name).await.unwrap().unwrap();
        vault.forget(&one.name).await.unwrap();
        let whole = vault.read(&one.name, None).await.unwrap().unwrap();
        assert_eq!((whole.len() as u64, digest(&whole)), (bytes, sum));
        assert_eq!((one.day, read_all(&whole).is_ok()), (today, true));
    }
    check(&vault).await;
    assert_eq!(store.spooled(), Vec::<String>::new());
    assert_eq!(vault.ship(&closed[0].name).await.unwrap(), None, "it is not here any more");
    vault.forget(&closed[0].name).await.unwrap();
    vault.delete_segment(&closed[0].name).await.unwrap();
    vault.delete_segment(&closed[0].name).await.unwrap();
    assert_eq!(vault.read(&closed[0].name, None).await.unwrap(), None);
}

#[tokio::test]
async fn a_segment_stays_in_the_spool_until_the_store_has_it() {
    let store = Store::new();
    let vault = store.vault("w1");
    let placed = vault.append(vec![change("a1")], noon()).await.unwrap().remove(0);
    let closed = vault.close(None).await.unwrap().remove(0);
    // Where the month's folder should be stands a file.
    let month = store.folder.path().join("evidence/2026-11");
    std::fs::write(&month, "").unwrap();
    let refusal = vault.ship(&closed.name).await.unwrap_err();
    assert_eq!(refusal.reason(), "folder_failed");
    assert_eq!(read(&vault, &placed).await, change("a1").bytes);
    std::fs::remove_file(&month).unwrap();
    assert!(vault.ship(&closed.name).await.unwrap().is_some());
    assert_eq!(store.spooled(), std::slice::from_ref(&closed.name));
    let names: Vec<_> =
        std::fs::read_dir(&month).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [std::ffi::OsString::from(&closed.name)], "no draft is left");
}

#[tokio::test]
async fn a_segment_of_several_pieces_is_stored_whole() {
    let store = Store::new();
    let vault = store.vault("w1");
    // What does not compress, so that it takes as much in the segment: 11 pieces of a megabyte.
    let mut state = 1_u64;
    let mut noise = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let captures = (0..11).map(|n| Capture {
        bytes: (0..1 << 20).map(|_| noise()).collect(),
        ..change(&format!("a{n}"))
    });
    let placed = vault.append(captures.collect(), noon()).await.unwrap();
    let closed = vault.close(None).await.unwrap().remove(0);
    let spooled = std::fs::read(store.folder.path().join("evidence-spool").join(&closed.name));
    let spooled = spooled.unwrap();
    assert!(spooled.len() > 10 << 20);
    let (bytes, sum) = vault.ship(&closed.name).await.unwrap().unwrap();
    assert_eq!((bytes, sum), (spooled.len() as u64, digest(&spooled)));
    vault.forget(&closed.name).await.unwrap();
    assert!(vault.read(&closed.name, None).await.unwrap().unwrap() == spooled);
    assert_eq!(placed.len(), 11);
}

#[tokio::test]
async fn a_segment_ends_with_its_day_and_when_it_is_full() {
    let mut store = Store::new();
    store.settings.segment_bytes_max = 1;
    let vault = store.vault("w1");
    let first = vault.append(vec![change("a1"), change("a2")], noon()).await.unwrap();
    assert_eq!(first[0].segment, first[1].segment, "a batch is never split");
    let second = vault.append(vec![change("a3")], noon()).await.unwrap();
    assert_ne!(first[0].segment, second[0].segment, "it was full");
    let tomorrow = at("2026-11-27T16:00:00Z");
    let third = vault.append(vec![change("a4")], tomorrow).await.unwrap();
    assert_eq!(
        (second[0].day.to_string(), third[0].day.to_string()),
        ("2026-11-27".into(), "2026-11-28".into())
    );
    assert_eq!(vault.close(Some(third[0].day)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_torn_record_is_cut_off_and_the_living_are_left_alone() {
    let store = Store::new();
    let dead = store.vault("dead");
    let placed = dead.append(vec![change("a1")], noon()).await.unwrap().remove(0);
    let living = store.vault("living");
    living.append(vec![change("a2")], noon()).await.unwrap();
    assert_eq!(living.recover().await.unwrap(), [], "both writers live");
    drop(dead);
    let path = store.folder.path().join("evidence-spool").join(format!("{}.open", placed.segment));
    let torn = change("a3").bytes;
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], &torn[..torn.len() / 3]].concat()).unwrap();
    let recovered = living.recover().await.unwrap();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].torn_bytes, (torn.len() / 3) as u64);
    assert_eq!(living.read(&placed.segment, None).await.unwrap().unwrap(), whole);
    assert_eq!(living.recover().await.unwrap(), [], "once is enough");
    let closed = living.close(None).await.unwrap();
    assert_eq!(closed.len(), 2, "{closed:?}");
}

#[tokio::test]
async fn where_little_room_is_left_nothing_is_written() {
    let mut store = Store::new();
    store.settings.free_bytes_min = u64::MAX;
    let refusal = store.vault("w1").append(vec![change("a1")], noon()).await.unwrap_err();
    assert_eq!(refusal.reason(), "no_room");
    assert_eq!(store.spooled(), Vec::<String>::new());
}

/// A file system of a few pages, as root; `None` where the tests run as somebody else.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// A body that does not pack.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = Vec::new();
    while noise.len() < bytes {
        noise.extend(digest(&noise.len().to_be_bytes()).0);
    }
    noise
}

#[tokio::test]
async fn a_full_disk_leaves_what_was_written_whole() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not root: no small disk can be mounted, skipped");
        return;
    };
    let settings = Settings { free_bytes_min: 0, ..Settings::default() };
    let vault = Vault::open(&settings, disk.0.path(), "w1").unwrap();
    let placed = vault.append(vec![change("a1")], noon()).await.unwrap().remove(0);
    let large = captured("big", &noise(200_000), &Keep::Whole, EvidenceClass::Change);
    let other = captured("a2", b"2", &Keep::Whole, EvidenceClass::Proof);
    let refusal = vault.append(vec![other, large], noon()).await.unwrap_err();
    assert_eq!(refusal.reason(), "disk_full", "{refusal}");
    assert_eq!(read(&vault, &placed).await, change("a1").bytes);
    let next = vault.append(vec![change("a3")], noon()).await.unwrap().remove(0);
    assert_eq!(next.offset, placed.offset + placed.length, "nothing of the failed batch is left");
    let whole = vault.read(&placed.segment, None).await.unwrap().unwrap();
    assert_eq!(read_all(&whole).unwrap().len(), 1 + 2 * 2);
}

/// A bundle of two records of one day, a day without any, and a record that is not sealed yet.
fn bundle_of(captures: &[Capture; 3]) -> (Manifest, Vec<u8>) {
    let tree = Tree::new(vec![captures[0].leaf, digest(b"another"), captures[1].leaf]);
    let empty = Tree::new(Vec::new());
    let day = "2026-11-26".parse().unwrap();
    let chain = chain_value(&CHAIN_START, day, 3, &tree.root());
    let next = "2026-11-27".parse().unwrap();
    let newest = chain_value(&chain, next, 0, &empty.root());
    let listed = |day,
                  leaves,
                  root: crate::domain::Sha256Digest,
                  previous: crate::domain::Sha256Digest,
                  chain: crate::domain::Sha256Digest| ManifestDay {
        day,
        leaves,
        root: root.to_string(),
        previous: previous.to_string(),
        chain: chain.to_string(),
    };
    let mut warc = segment::opening("records.warc.gz", "xunjian/test", noon(), 1);
    let mut records = Vec::new();
    for (number, capture) in captures.iter().enumerate() {
        let index = [Some(0), Some(2), None][number];
        let place = index.map(|index| Place {
            day,
            index,
            proof: tree.proof(index).unwrap().iter().map(ToString::to_string).collect(),
        });
        records.push(ManifestRecord {
            record: capture.record.to_string(),
            account: Some("a".into()),
            page: Some("column".into()),
            visited_at: None,
            recorded_at: "2026-11-26T04:00:00Z".into(),
            form: "response".into(),
            bytes: Some((warc.len() as u64, capture.bytes.len() as u64)),
            leaf: capture.leaf.to_string(),
            place,
        });
        warc.extend(&capture.bytes);
    }
    let manifest = Manifest {
        format: bundle::format(),
        software: "xunjian/test".into(),
        exported_at: "2026-11-27T04:00:00Z".into(),
        about: "finding 1".into(),
        records,
        missing: vec![("2026-11-26T05:00:00Z".into(), "column".into(), "disk_full".into())],
        days: vec![
            listed(day, 3, tree.root(), CHAIN_START, chain),
            listed(next, 0, empty.root(), chain, newest),
        ],
    };
    (manifest, warc)
}

#[test]
fn a_bundle_verifies_and_every_byte_of_it_matters() {
    let (manifest, warc) = bundle_of(&[change("a1"), change("a2"), change("a3")]);
    let bundle = bundle::write(&manifest, &warc);
    let verified = bundle::verify(&bundle).unwrap();
    assert_eq!((verified.records, verified.dropped, verified.unsealed), (3, 0, 1));
    assert_eq!((verified.missing, verified.chain.len()), (1, 2));
    assert_eq!(verified.newest.unwrap().1.to_string(), manifest.days[1].chain);
    for at in 0..bundle.len() {
        let mut other = bundle.clone();
        other[at] ^= 0x01;
        assert!(bundle::verify(&other).is_err(), "byte {at} was altered and nobody noticed");
        other[at] ^= 0x81;
        assert!(bundle::verify(&other).is_err(), "byte {at} was altered and nobody noticed");
    }
    for end in 0..bundle.len() {
        assert!(bundle::verify(&bundle[..end]).is_err(), "cut after {end} bytes");
    }
}

/// Whoever alters a bundle can write new digests into it; the chain still shows it.
#[test]
fn a_rewritten_bundle_is_found_out() {
    let captures = [change("a1"), change("a2"), change("a3")];
    let check = |why: &str, alter: &dyn Fn(&mut Manifest, &mut Vec<u8>)| {
        let (mut manifest, mut warc) = bundle_of(&captures);
        alter(&mut manifest, &mut warc);
        let refusal = bundle::verify(&bundle::write(&manifest, &warc)).unwrap_err();
        assert!(refusal.contains(why), "{refusal} instead of {why}");
    };
    check("no record accounts for", &|manifest, _| {
        manifest.records.pop();
    });
    check("does not follow the record before", &|manifest, _| {
        manifest.records.remove(0);
    });
    check("not those of its leaf", &|manifest, _| {
        manifest.records[0].leaf = digest(b"").to_string();
    });
    check("does not lead to the root", &|manifest, warc| {
        // Another answer put in place of the first, with a leaf of its own.
        let (forged, (offset, length)) = (change("zz"), manifest.records[0].bytes.unwrap());
        let (offset, length) = (offset as usize, length as usize);
        warc.splice(offset..offset + length, forged.bytes.iter().copied());
        let grown = forged.bytes.len() as u64;
        manifest.records[0].leaf = forged.leaf.to_string();
        manifest.records[0].record = forged.record.to_string();
        manifest.records[0].bytes = Some((offset as u64, grown));
        for record in &mut manifest.records[1..] {
            let (at, own) = record.bytes.unwrap();
            record.bytes = Some((at + grown - length as u64, own));
        }
    });
    check("does not lead to the root", &|manifest, _| {
        manifest.records[0].place.as_mut().unwrap().index = 2;
    });
    check("is not that of its root", &|manifest, _| manifest.days[0].leaves = 4);
    check("does not follow the day before", &|manifest, _| {
        manifest.days.remove(0);
        manifest.days.push(manifest.days[0].clone());
    });
    check("is not in it", &|manifest, _| {
        manifest.days.remove(0);
    });
    check("another record stands", &|manifest, _| {
        manifest.records[0].record = RecordKey([1; 16]).to_string();
    });
    check("is not known", &|manifest, _| manifest.format = "else".into());
}

#[test]
fn what_is_left_of_a_segment_has_a_name_of_its_own_each_time() {
    let name = "2026-11-27_change_w1_000001.warc.gz";
    let kept = segment::kept_name(name, "w2");
    assert_eq!(kept, "2026-11-27_change_w1_000001-kept1-w2.warc.gz");
    let again = segment::kept_name(&kept, "w3");
    assert_eq!(again, "2026-11-27_change_w1_000001-kept2-w3.warc.gz");
    let day = "2026-11-27".parse().unwrap();
    for name in [name, &kept, &again] {
        assert_eq!(segment::parse_name(name), Some((day, EvidenceClass::Change)));
    }
    for name in ["x.warc.gz", "2026-11-27_change_w1_1.warc.gz.open", "2026-11-27_else_w1_1.warc.gz"]
    {
        assert_eq!(segment::parse_name(name), None, "{name}");
    }
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    assert_eq!(Settings::default().problems(), []);
    assert_eq!(Settings::default().refer_back_days(), 15);
    let wrong = Settings { gzip_level: 0, trouble_days: 1, ..Settings::default() };
    let fields: Vec<_> = wrong.problems().into_iter().map(|problem| problem.0).collect();
    assert_eq!(fields, ["gzip_level", "trouble_days"]);
}
