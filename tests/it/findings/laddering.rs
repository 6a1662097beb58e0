use chrono::TimeDelta;
use xunjian::domain::{FindingState, Step};
use xunjian::jobs::findings;
use xunjian::store::{Naming, NoticeOutcome};

use super::{Office, entry};

/// A dormant account is told to update, and told again where it did not.
#[tokio::test]
async fn two_missed_notices_of_a_quarter_propose_a_naming_and_one_does_not() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[20]).await;
    office.look().await;
    let dormant = office.silences().await.remove(0);
    assert_eq!(dormant.found.rule, "not_updated_dormant");
    let by = ("wang", "属实");
    findings::act(office.context(), dormant.id, Step::Approve, by, None).await.unwrap();
    let ladder = async || {
        let all = office.all().await.into_iter();
        all.filter(|one| one.found.rule == "missed_update_notices").count()
    };
    for missed in 1..=2 {
        findings::send_notices(office.context()).await.unwrap();
        assert_eq!(office.state(dormant.id).await, FindingState::Notified);
        // Nothing was seen of the time since: nothing is missed.
        office.days(10);
        office.recheck().await;
        assert_eq!(office.state(dormant.id).await, FindingState::Notified, "{missed}");
        office.checked(id, 119, &[]).await;
        office.recheck().await;
        assert_eq!(office.state(dormant.id).await, FindingState::Reopened, "{missed}");
        office.look().await;
        assert_eq!(ladder().await, usize::from(missed == 2), "{missed} missed");
    }
    let notices = office.context().store.notices_of(dormant.id).await.unwrap();
    assert!(notices.iter().all(|one| one.outcome == NoticeOutcome::Missed), "{notices:?}");
    let (quarter, now) = ("2026-10-01T00:00:00+08:00".parse().unwrap(), office.now());
    let record = async |from, known_at| {
        let store = &office.context().store;
        let records = store.records_of(&[id], (from, now), known_at).await.unwrap();
        records.get(&id).map(|one| (one.missed, one.pending, one.namings))
    };
    assert_eq!(record(quarter, now).await, Some((2, 0, 0)));
    assert_eq!(record(notices[0].deadline, now).await, Some((1, 0, 0)), "after the first ended");
    assert_eq!(record(quarter, notices[0].issued_at).await, None, "nothing had ended yet");
    assert_eq!(notices.iter().map(|one| one.stage).collect::<Vec<_>>(), [1, 2]);
}

/// The quarter was over when it was told: its bulletin names all the same.
#[tokio::test]
async fn a_notice_told_missed_after_its_quarter_counts_in_its_quarter() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.days(55);
    office.checked(id, 119, &[20]).await;
    office.look().await;
    let dormant = office.silences().await.remove(0);
    let by = ("wang", "属实");
    findings::act(office.context(), dormant.id, Step::Approve, by, None).await.unwrap();
    let mut between = office.now();
    for days in [10, 20] {
        findings::send_notices(office.context()).await.unwrap();
        between = office.now() + TimeDelta::days(days - 1);
        office.days(days);
        office.checked(id, 119, &[]).await;
        office.recheck().await;
        office.look().await;
    }
    let named: Vec<_> = office
        .all()
        .await
        .into_iter()
        .filter(|one| one.found.rule == "missed_update_notices")
        .map(|one| (one.found.occasion, one.found.evidence.len()))
        .collect();
    assert_eq!(named, [("2026Q4".to_owned(), 2)], "asked on {}", office.now());
    // As it was known a day before it was told, nothing is missed a second time.
    let of = async |known_at| {
        let at = findings::At { cutoff: between, known_at, live: false };
        let all = findings::propose(office.context(), at).await.unwrap();
        all.iter().filter(|one| one.rule == "missed_update_notices").count()
    };
    assert_eq!((of(between).await, of(office.now()).await), (0, 1));
    // It is told once: neither a deadline nor a further look begins it anew.
    let naming =
        office.all().await.into_iter().find(|one| one.found.rule == "missed_update_notices");
    let naming = naming.unwrap().id;
    findings::act(office.context(), naming, Step::Approve, by, None).await.unwrap();
    findings::send_notices(office.context()).await.unwrap();
    for (step, stands) in
        [(None, FindingState::Notified), (Some(Step::Rectify), FindingState::Rectified)]
    {
        if let Some(step) = step {
            findings::act(office.context(), naming, step, by, None).await.unwrap();
        }
        office.days(30);
        office.look().await;
        assert_eq!(office.state(naming).await, stands);
    }
}

#[tokio::test]
async fn a_new_post_in_time_answers_the_notice_and_closes_the_finding() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[20]).await;
    office.look().await;
    let dormant = office.silences().await.remove(0);
    let by = ("wang", "属实");
    findings::act(office.context(), dormant.id, Step::Approve, by, None).await.unwrap();
    findings::send_notices(office.context()).await.unwrap();
    office.days(3);
    office.checked(id, 4, &[1]).await;
    office.look().await;
    office.recheck().await;
    assert_eq!(office.state(dormant.id).await, FindingState::Closed);
    let notices = office.context().store.notices_of(dormant.id).await.unwrap();
    assert!(matches!(notices[0].outcome, NoticeOutcome::Answered { .. }), "{notices:?}");
    let log = office.log(dormant.id).await;
    assert_eq!(log.last().map(String::as_str), Some("job:findings:close"));
    assert_eq!(log[1..3], ["wang:approve", "job:notices:notify"]);
}

#[tokio::test]
async fn a_claimed_repair_that_the_data_refute_is_reopened() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[20]).await;
    office.look().await;
    let dormant = office.silences().await.remove(0);
    let act = async |step| {
        findings::act(office.context(), dormant.id, step, ("wang", "称已更新"), None).await.unwrap()
    };
    act(Step::Approve).await;
    findings::send_notices(office.context()).await.unwrap();
    assert_eq!(act(Step::Rectify).await, FindingState::Rectified);
    office.recheck().await;
    assert_eq!(office.state(dormant.id).await, FindingState::Rectified, "nothing was seen since");
    office.days(1);
    office.checked(id, 119, &[]).await;
    office.recheck().await;
    assert_eq!(office.state(dormant.id).await, FindingState::Reopened);
}

/// Requirement 50, with bulletins as they are published.
#[tokio::test]
async fn the_third_published_naming_proposes_closure_and_a_corrected_one_counts_no_more() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 150, &[130]).await;
    office.look().await;
    let zombie = office.silences().await.remove(0);
    let by = ("wang", "属实");
    findings::act(office.context(), zombie.id, Step::Approve, by, None).await.unwrap();
    let proposed =
        async || office.all().await.iter().any(|one| one.found.rule == "closure_proposed");
    for (period, proposal) in [("2026-07", false), ("2026-08", false), ("2026-09", true)] {
        office.published(period, None).await;
        office.look().await;
        assert_eq!(proposed().await, proposal, "{period}");
    }
    let named = async || office.context().store.namings().await.unwrap().remove(&id).unwrap();
    let before = office.now();
    let times = |named: &[Naming]| named.iter().map(|one| one.named_at).collect::<Vec<_>>();
    let first = times(&named().await);
    assert_eq!(first.len(), 3);
    // A correction that names the account again adds nothing and keeps the day of the naming.
    office.days(2);
    office.published("2026-09", Some("更正主管单位")).await;
    let standing = |named: &[Naming], at| named.iter().filter(|one| one.is_known_at(at)).count();
    let corrected = named().await;
    assert_eq!((corrected.len(), standing(&corrected, office.now())), (4, 3));
    assert!(times(&corrected).iter().all(|at| first.contains(at)), "{corrected:?}");
    // What was known on an earlier day stays known for that day.
    findings::act(office.context(), zombie.id, Step::Dismiss, ("wang", "申诉成立"), None)
        .await
        .unwrap();
    office.days(1);
    office.published("2026-09", Some("申诉成立")).await;
    let all = named().await;
    assert_eq!((standing(&all, before), standing(&all, office.now())), (3, 2));
    let namings = async |known_at| {
        let times = (office.begun(), office.now());
        let records = office.context().store.records_of(&[id], times, known_at).await.unwrap();
        records.get(&id).map_or(0, |one| one.namings)
    };
    assert_eq!((namings(before).await, namings(office.now()).await), (3, 2));
}
