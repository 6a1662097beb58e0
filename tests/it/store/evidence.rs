use chrono::{DateTime, NaiveDate, Utc};
use xunjian::domain::{
    AccountId, EvidenceClass, EvidenceForm, EvidenceId, RecordKey, Sha256Digest,
};
use xunjian::observe::Outcome;
use xunjian::store::{
    NewChainDay, NewEvidence, PinHolder, Store, StoredSegment, VisitEvidence, VisitRecord,
};

use super::{at, instant, observed, one_target};
use crate::support::database;

const SEGMENT: &str = "2026-11-22_change_test_000001.warc.gz";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The `number`th record, of ten bytes, recorded at this minute.
fn record(number: u8, minute: i64) -> NewEvidence {
    NewEvidence {
        record: RecordKey([number; 16]),
        recorded_at: at(minute),
        form: EvidenceForm::Response,
        class: EvidenceClass::Change,
        leaf: Sha256Digest([number; 32]),
        payload: Some(Sha256Digest([7; 32])),
        refers_to: None,
        segment: SEGMENT.into(),
        segment_day: day("2026-11-22"),
        offset: 100 + 10 * u64::from(number),
        length: 10,
    }
}

fn visit(account: AccountId, minute: i64, evidence: VisitEvidence) -> VisitRecord {
    VisitRecord { evidence, ..observed(account, minute, minute - 1000, Vec::new()) }
}

fn stored(name: &str) -> StoredSegment {
    StoredSegment {
        name: name.into(),
        class: EvidenceClass::Change,
        day: day("2026-11-22"),
        bytes: 130,
        digest: Sha256Digest([9; 32]),
    }
}

async fn rows_of(store: &Store, account: AccountId) -> Vec<EvidenceId> {
    store.evidence_of_account(account, at(-10_000), at(10_000)).await.unwrap()
}

#[tokio::test]
async fn a_visit_and_its_evidence_are_written_together_and_once() {
    let (store, database) = database().await;
    let account = one_target(&store).await;
    let kept = vec![record(1, 0), record(2, 0)];
    let batch = [
        visit(account, 0, VisitEvidence::Kept(kept)),
        visit(account, 1, VisitEvidence::Missing("disk_full".into())),
    ];
    for _ in 0..2 {
        store.finish(&batch).await.unwrap();
    }
    let ids = rows_of(&store, account).await;
    let rows = store.evidence_rows(&ids).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].record, rows[1].offset), (RecordKey([1; 16]), 120));
    assert_eq!(rows[0].account.as_deref(), Some("a0"));
    assert_eq!((rows[0].dropped, rows[0].leaf_of), (false, None));
    let visits: Vec<(Option<i64>, Option<String>)> =
        sqlx::query_as("select evidence, evidence_missing from visits order by started_at")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    assert_eq!(visits, [(Some(ids[0].0), None), (None, Some("disk_full".into()))]);
    assert_eq!(store.evidence_named(RecordKey([2; 16])).await.unwrap(), Some(ids[1]));
    assert_eq!(store.evidence_named(RecordKey([3; 16])).await.unwrap(), None);
    let full = store.full_record(account, Sha256Digest([7; 32]), at(-1)).await.unwrap().unwrap();
    assert_eq!((full.id, full.record), (ids[1], RecordKey([2; 16])));
    assert_eq!(store.full_record(account, Sha256Digest([7; 32]), at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_pin_says_what_it_holds_and_what_is_missing() {
    let (store, _database) = database().await;
    let account = one_target(&store).await;
    let full = visit(account, 0, VisitEvidence::Kept(vec![record(1, 0)]));
    store.finish(&[full]).await.unwrap();
    let refers_to = Some(rows_of(&store, account).await[0]);
    let repeat = NewEvidence { form: EvidenceForm::Revisit, refers_to, ..record(2, 10) };
    let failed = Outcome::Failed(xunjian::domain::Reason::Blocked);
    let mut wall = visit(account, 40, VisitEvidence::Nothing);
    wall.visit.outcome = failed;
    let batch = [
        visit(account, 10, VisitEvidence::Kept(vec![repeat])),
        visit(account, 20, VisitEvidence::Missing("no_room".into())),
        visit(account, 30, VisitEvidence::Nothing),
        wall,
    ];
    store.finish(&batch).await.unwrap();
    let finding = PinHolder::Finding(17);
    let pin = async |from, to| store.pin_evidence(finding, account, at(from), at(to), at(50)).await;
    let pinned = pin(5, 50).await.unwrap();
    assert_eq!((pinned.records, pinned.dropped, pinned.unkept), (2, 0, 2));
    let reasons: Vec<_> = pinned.unkept_visits.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["no_room", "not_recorded"], "a wall owes none");
    assert_eq!(pin(5, 50).await.unwrap(), pinned, "again changes nothing");
    assert_eq!(store.pinned_evidence(finding).await.unwrap().len(), 2);
    assert_eq!(store.pinned_evidence(PinHolder::Assessment(17)).await.unwrap(), []);
    assert_eq!(store.unpin_evidence(finding).await.unwrap(), 2);
    assert_eq!(store.pinned_evidence(finding).await.unwrap(), []);
}

#[tokio::test]
async fn a_segment_is_dropped_only_with_what_nobody_needs() {
    let (store, _database) = database().await;
    let account = one_target(&store).await;
    let kept = vec![record(1, 0), record(2, 0), record(3, 0)];
    store.finish(&[visit(account, 0, VisitEvidence::Kept(kept))]).await.unwrap();
    let ids = rows_of(&store, account).await;
    assert!(
        store.segments_before(EvidenceClass::Change, day("2026-12-01")).await.unwrap().is_empty()
    );
    store.segment_stored(&stored(SEGMENT), at(5)).await.unwrap();
    let segments = store.segments_before(EvidenceClass::Change, day("2026-11-23")).await.unwrap();
    assert_eq!(segments.len(), 1);
    assert!(
        store.segments_before(EvidenceClass::Change, day("2026-11-22")).await.unwrap().is_empty()
    );
    let id = segments[0].id;
    store.pin_records(PinHolder::Assessment(1), &ids[1..2], at(6)).await.unwrap();
    let needed: Vec<bool> =
        store.segment_records(id).await.unwrap().iter().map(|one| one.needed).collect();
    assert_eq!(needed, [false, true, false]);
    assert!(!store.drop_segment(id, None, at(7)).await.unwrap(), "what is pinned would go");
    let new = stored("2026-11-22_change_again_000001.warc.gz");
    assert!(store.drop_segment(id, Some((&new, &[(ids[1], 60)])), at(7)).await.unwrap());
    assert!(!store.drop_segment(id, None, at(8)).await.unwrap(), "it is gone already");
    let rows = store.evidence_rows(&ids).await.unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (row.dropped, row.offset)).collect();
    assert_eq!(seen, [(true, 110), (false, 60), (true, 130)]);
    assert_eq!(rows[1].segment, new.name);
    let pinned = store.pin_records(PinHolder::Finding(2), &ids, at(9)).await.unwrap();
    assert_eq!((pinned.records, pinned.dropped), (3, 2));
}

#[tokio::test]
async fn days_are_sealed_in_order_and_once() {
    let (store, _database) = database().await;
    let account = one_target(&store).await;
    let kept = vec![record(1, 0), record(2, 0)];
    store.finish(&[visit(account, 0, VisitEvidence::Kept(kept))]).await.unwrap();
    assert_eq!(store.oldest_unsealed_at().await.unwrap(), Some(at(0)));
    let end: DateTime<Utc> = instant("2026-11-22T16:00:00Z");
    assert!(store.unsealed_before(at(0)).await.unwrap().is_empty());
    let leaves = store.unsealed_before(end).await.unwrap();
    let ids: Vec<_> = leaves.iter().map(|one| one.id).collect();
    let zero = Sha256Digest([0; 32]);
    let new = |on: &str, previous: u8, chain: u8| NewChainDay {
        day: day(on),
        root: Sha256Digest([5; 32]),
        previous: Sha256Digest([previous; 32]),
        chain: Sha256Digest([chain; 32]),
    };
    assert!(store.seal_day(&new("2026-11-22", 0, 1), &ids, end).await.unwrap());
    assert!(!store.seal_day(&new("2026-11-22", 0, 2), &[], end).await.unwrap(), "sealed already");
    assert!(!store.seal_day(&new("2026-11-24", 1, 2), &[], end).await.unwrap(), "a gap");
    assert!(!store.seal_day(&new("2026-11-23", 3, 2), &[], end).await.unwrap(), "another chain");
    assert!(!store.seal_day(&new("2026-11-23", 1, 2), &ids, end).await.unwrap(), "sealed leaves");
    assert!(store.seal_day(&new("2026-11-23", 1, 2), &[], end).await.unwrap());
    let days = store.chain_days(day("2026-11-01")).await.unwrap();
    let seen: Vec<_> = days.iter().map(|one| (one.leaves, one.chain.0[0])).collect();
    assert_eq!(seen, [(2, 1), (0, 2)]);
    assert_eq!((days[0].previous, days[0].sealed_at), (zero, end));
    assert_eq!(store.newest_chain_day().await.unwrap(), Some(days[1]));
    assert_eq!(
        store.day_leaves(day("2026-11-22")).await.unwrap(),
        [leaves[0].leaf, leaves[1].leaf]
    );
    assert_eq!(store.oldest_unsealed_at().await.unwrap(), None);
    let rows = store.evidence_rows(&ids).await.unwrap();
    assert_eq!(rows[1].leaf_of, Some((day("2026-11-22"), 1)));
}
