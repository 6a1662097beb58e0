use chrono::{TimeDelta, Timelike};
use xunjian::domain::LedgerEntry;
use xunjian::jobs::findings::{At, Proposal, propose};
use xunjian::store::LedgerChanges;

use super::{Office, entry};

async fn list(office: &Office, at: At) -> String {
    let proposals = propose(office.context(), at).await.unwrap();
    let lines = proposals.iter().filter_map(Proposal::json);
    lines.map(|line| format!("{line}\n")).collect()
}

/// The same database, and the same database with more in it, give the same bytes.
#[tokio::test]
async fn a_cutoff_that_is_run_again_gives_the_same_findings_byte_for_byte() {
    let office = Office::open().await;
    let of = |key: &str| LedgerEntry { sponsor: "甲单位".into(), ..entry(key) };
    let unfiled = LedgerEntry { filed_on: None, ..entry("u") };
    let ids = office.ledger(&[entry("z"), entry("w"), of("d1"), of("d2"), unfiled]).await;
    let cutoff = (office.now() - TimeDelta::hours(40)).with_nanosecond(0).unwrap();
    office.checked(ids[0], 119, &[110]).await;
    office.walled(ids[1]).await;
    office.checked(ids[2], 119, &[3, 30]).await;
    office.clock.step(TimeDelta::minutes(1));
    let at = At { cutoff, known_at: office.now(), live: false };
    let first = list(&office, at).await;
    for part in [
        r#""rule":"not_updated_zombie""#,
        r#""undetermined":"blocked""#,
        r#""rule":"running_unfiled""#,
        "d1、d2",
    ] {
        assert!(first.contains(part), "{part} is not in\n{first}");
    }
    assert_eq!(list(&office, at).await, first);

    office.days(2);
    office.checked(ids[0], 60, &[0, 3, 50]).await;
    office.checked(ids[1], 119, &[100]).await;
    office.walled(ids[2]).await;
    let renamed = LedgerEntry { filed_on: "2026-10-13".parse().ok(), ..entry("u") };
    let gone = LedgerEntry { sponsor: "乙单位".into(), ..entry("d2") };
    let changes = LedgerChanges { changed: vec![renamed, gone], ..LedgerChanges::default() };
    office.context().store.apply_ledger(&changes, "li", "更正", office.now()).await.unwrap();
    office.look().await;
    assert_eq!(list(&office, at).await, first, "what was written down later is not seen");
    let later = At { known_at: office.now(), ..at };
    assert_ne!(list(&office, later).await, first, "and is, where it is asked for");
}
