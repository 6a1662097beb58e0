use chrono::TimeDelta;
use xunjian::domain::{EvidenceRef, FindingState, LedgerEntry, Lifecycle, Step};
use xunjian::jobs::findings;
use xunjian::store::{LedgerChanges, NewFinding, Raised};

use super::{Office, entry};

#[tokio::test]
async fn a_planted_zombie_raises_exactly_one_finding_and_a_new_post_resolves_it() {
    let office = Office::open().await;
    let ids = office.ledger(&[entry("z"), entry("a"), entry("w")]).await;
    office.checked(ids[0], 119, &[110]).await;
    office.checked(ids[1], 119, &[1, 20]).await;
    office.walled(ids[2]).await;
    for _ in 0..3 {
        office.look().await;
    }
    let found = office.silences().await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let zombie = &found[0];
    assert_eq!(
        (zombie.found.rule.as_str(), zombie.key.as_deref()),
        ("not_updated_zombie", Some("z"))
    );
    assert_eq!(zombie.state, FindingState::Open);
    assert!(zombie.found.needs_approval && !zombie.found.evidence.is_empty());
    assert!(zombie.found.statement.contains("已超过 3 个月无更新"), "{}", zombie.found.statement);

    office.days(1);
    office.checked(ids[0], 2, &[0]).await;
    office.look().await;
    assert_eq!(office.state(zombie.id).await, FindingState::Closed);
    let job = |step: &str| format!("job:findings:{step}");
    let steps = ["raise", "rectify", "recheck", "close"].map(job);
    assert_eq!(office.log(zombie.id).await, steps);
    // What is done with is not raised again by the same fact, and another silence is another fact.
    office.look().await;
    assert_eq!(office.silences().await.len(), 1);
}

#[tokio::test]
async fn a_wave_of_captchas_raises_nothing_and_mends_nothing() {
    let office = Office::open().await;
    let ids = office.ledger(&[entry("z"), entry("a")]).await;
    office.checked(ids[0], 119, &[110]).await;
    office.look().await;
    let zombie = office.silences().await.remove(0);
    for _ in 0..6 {
        office.days(1);
        office.walled(ids[0]).await;
        office.walled(ids[1]).await;
        office.look().await;
        office.recheck().await;
    }
    let found = office.silences().await;
    assert_eq!(found.len(), 1, "nothing is raised on a wall");
    assert_eq!(found[0].state, FindingState::Open, "nothing is mended by one");
    assert!(found[0].doubt.is_some(), "and it says so");
    assert_eq!(office.log(zombie.id).await, ["job:findings:raise"]);
}

#[tokio::test]
async fn a_silence_that_deepens_keeps_its_first_finding_open() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("q")]).await[0];
    office.checked(id, 119, &[11]).await;
    office.look().await;
    office.days(5);
    office.checked(id, 119, &[]).await;
    office.look().await;
    let rules: Vec<(String, FindingState)> =
        office.silences().await.into_iter().map(|one| (one.found.rule, one.state)).collect();
    assert_eq!(
        rules,
        [
            ("not_updated_watch".to_owned(), FindingState::Approved),
            ("not_updated_dormant".to_owned(), FindingState::Open)
        ]
    );
}

#[tokio::test]
async fn what_was_dismissed_is_raised_again_only_by_another_fact() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[110]).await;
    office.look().await;
    let zombie = office.silences().await.remove(0);
    let dismiss =
        findings::act(office.context(), zombie.id, Step::Dismiss, ("wang", "系统迁移期间"), None);
    assert_eq!(dismiss.await.unwrap(), FindingState::Dismissed);
    office.days(1);
    office.checked(id, 119, &[]).await;
    office.look().await;
    assert_eq!(office.silences().await.len(), 1, "the same silence is settled");
    office.days(1);
    office.checked(id, 3, &[0]).await;
    office.look().await;
    office.days(20);
    office.checked(id, 22, &[]).await;
    office.look().await;
    let again = office.silences().await;
    assert_eq!(again.len(), 2, "another silence is another fact");
    assert_eq!(again[1].found.rule, "not_updated_dormant");
}

#[tokio::test]
async fn a_second_person_approves_what_a_person_raised() {
    let office = Office::open().await;
    office.ledger(&[entry("a")]).await;
    let entered = |actor: &str| findings::PersonFinding {
        rule: "severe_wording_error".into(),
        key: "a".into(),
        statement: "10月10日头条将领导职务写错。".into(),
        found_at: office.now() - TimeDelta::hours(1),
        evidence: vec![EvidenceRef::Note { text: "截图存档".into() }],
        actor: actor.into(),
    };
    let id = findings::add(office.context(), entered("zhang")).await.unwrap();
    let twice = findings::add(office.context(), entered("li")).await.unwrap_err().to_string();
    assert!(twice.contains("is open for"), "{twice}");
    let act = async |step, actor: &'static str| {
        let taken = findings::act(office.context(), id, step, (actor, "看过"), None).await;
        taken.map_err(|error| error.to_string())
    };
    let own = act(Step::Approve, " Zhang").await.unwrap_err();
    assert!(own.contains("raised by zhang, who may not approve it"), "{own}");
    assert_eq!(act(Step::Approve, "li").await, Ok(FindingState::Approved));
    let early = act(Step::Recheck, "li").await.unwrap_err();
    assert!(early.contains("the finding is approved; only one that is explained or rectified"));
    assert_eq!(office.log(id).await, ["zhang:raise", "li:approve"]);
    for (change, reason) in [
        (("not_updated_zombie", "a", "x"), "proven from data"),
        (("nothing", "a", "x"), "a person may enter"),
        (("operator_fault", "b", "x"), "no account"),
        (("operator_fault", "a", " "), "says nothing"),
    ] {
        let (rule, key, statement) = change;
        let wrong = findings::PersonFinding {
            rule: rule.into(),
            key: key.into(),
            statement: statement.into(),
            ..entered("zhang")
        };
        let error = findings::add(office.context(), wrong).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let bare = findings::PersonFinding {
        evidence: Vec::new(),
        rule: "fabrication".into(),
        ..entered("li")
    };
    assert!(findings::add(office.context(), bare).await.is_err());
}

#[tokio::test]
async fn what_the_books_show_is_raised_and_mended_by_the_books() {
    let office = Office::open().await;
    let of = |key: &str| LedgerEntry { sponsor: "甲单位".into(), ..entry(key) };
    office.ledger(&[of("d1"), of("d2"), LedgerEntry { filed_on: None, ..entry("u") }]).await;
    office.look().await;
    let rules = async || {
        let all = office.all().await.into_iter();
        all.map(|one| (one.found.rule, one.state)).collect::<Vec<_>>()
    };
    let raised = rules().await;
    assert!(raised.contains(&("running_unfiled".into(), FindingState::Approved)), "{raised:?}");
    assert!(raised.contains(&("duplicate_account".into(), FindingState::Approved)), "{raised:?}");
    let pair = office.all().await.into_iter().find(|one| one.found.rule == "duplicate_account");
    assert!(pair.unwrap().found.statement.contains("d1、d2"));
    office.days(1);
    let changed = vec![
        LedgerEntry { lifecycle: Lifecycle::Closed, ..of("d2") },
        LedgerEntry { filed_on: "2026-10-12".parse().ok(), ..entry("u") },
    ];
    let changes = LedgerChanges { changed, ..LedgerChanges::default() };
    office.context().store.apply_ledger(&changes, "li", "更正", office.now()).await.unwrap();
    office.look().await;
    let mended = rules().await;
    assert!(mended.iter().all(|(_, state)| *state == FindingState::Closed), "{mended:?}");
}

#[tokio::test]
async fn one_finding_is_open_for_a_rule_and_subject_and_the_log_cannot_be_edited() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[110]).await;
    office.look().await;
    let found = office.silences().await.remove(0);
    let store = &office.context().store;
    let again = [found.found.clone(), found.found.clone()];
    let raised = store.raise_findings(&again, office.now()).await.unwrap();
    // A number read back from the database may differ in its last bit, once.
    let [Raised::Updated(first) | Raised::Unchanged(first), second] = raised[..] else {
        panic!("{raised:?}")
    };
    assert_eq!((first, second), (found.id, Raised::Unchanged(found.id)));
    for statement in [
        "update finding_events set actor = 'nobody'",
        "delete from finding_events",
        "insert into findings select (f).* from (select f from findings f) f",
    ] {
        let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&office.database.pool)
            .await;
        assert!(changed.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn an_explanation_suppresses_naming_until_its_day_and_the_finding_stays() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[110]).await;
    office.look().await;
    let zombie = office.silences().await.remove(0);
    let act = async |step, until: Option<&str>| {
        let until = until.map(|day| day.parse().unwrap());
        findings::act(office.context(), zombie.id, step, ("wang", "机构合并"), until).await.unwrap()
    };
    act(Step::Approve, None).await;
    findings::send_notices(office.context()).await.unwrap();
    assert_eq!(act(Step::Explain, Some("2026-10-20")).await, FindingState::Explained);
    let bar = async || {
        let record = office.context().store.finding(zombie.id).await.unwrap().unwrap();
        let today = xunjian::domain::shanghai_date(office.now());
        findings::bar_of(&record, today).map(|bar| bar.to_string())
    };
    assert_eq!(bar().await.as_deref(), Some("已说明,有效至 2026-10-20"));
    let issue = office.published("2026Q3", None).await;
    assert_eq!((issue.named, issue.withheld), (0, 1));
    let withheld = office.context().store.bulletin_accounts(issue.id).await.unwrap().remove(0);
    assert_eq!(withheld.withheld.as_deref(), Some("已说明,有效至 2026-10-20"));
    office.days(9);
    office.checked(id, 119, &[]).await;
    office.recheck().await;
    assert_eq!(office.state(zombie.id).await, FindingState::Reopened);
    assert_eq!(bar().await, None);
    let issue = office.published("2026Q3", Some("说明有效期已过")).await;
    assert_eq!((issue.named, issue.withheld), (1, 0));
}

#[tokio::test]
async fn an_explanation_without_a_day_has_its_time_and_names_nobody_less() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[110]).await;
    office.look().await;
    let zombie = office.silences().await.remove(0);
    let by = ("wang", "机构合并");
    findings::act(office.context(), zombie.id, Step::Approve, by, None).await.unwrap();
    findings::send_notices(office.context()).await.unwrap();
    findings::act(office.context(), zombie.id, Step::Explain, by, None).await.unwrap();
    let record = office.context().store.finding(zombie.id).await.unwrap().unwrap();
    assert_eq!(findings::bar_of(&record, xunjian::domain::shanghai_date(office.now())), None);
    for (days, state) in [(30, FindingState::Explained), (1, FindingState::Reopened)] {
        office.days(days);
        office.checked(id, 119, &[]).await;
        office.recheck().await;
        assert_eq!(office.state(zombie.id).await, state, "{days} more days");
    }
}

#[tokio::test]
async fn an_approval_is_of_what_was_seen_and_no_more() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[110]).await;
    office.look().await;
    let store = &office.context().store;
    let post = |name: &str| EvidenceRef::Post { key: "z".to_owned(), reference: name.to_owned() };
    let silence = office.silences().await.remove(0).found;
    let late = |names: &[&str]| NewFinding {
        rule: "backdated_post".to_owned(),
        occasion: names.join(" "),
        evidence: names.iter().map(|name| post(name)).collect(),
        needs_approval: true,
        raised_by: "job:findings".to_owned(),
        by_job: true,
        ..silence.clone()
    };
    let raise = async |names: &[&str]| {
        let raised = store.raise_findings(&[late(names)], office.now()).await.unwrap();
        let (Raised::New(id) | Raised::Updated(id)) = raised[0] else { panic!("{raised:?}") };
        store.finding(id).await.unwrap().unwrap()
    };
    let found = raise(&["p1", "p2"]).await;
    let by = ("wang", "属实");
    findings::act(office.context(), found.id, Step::Approve, by, None).await.unwrap();
    // One of the posts has grown old: what is left was approved.
    let fewer = raise(&["p2"]).await;
    assert_eq!((fewer.state, fewer.approved_by.as_deref()), (FindingState::Approved, Some("wang")));
    let another = raise(&["p2", "p3"]).await;
    assert_eq!((another.state, another.approved_by), (FindingState::Open, None));
    let events = store.finding_events(found.id).await.unwrap();
    let last = events.last().unwrap();
    assert_eq!((last.from, last.to), (Some(FindingState::Approved), FindingState::Open));
    assert!(last.reason.starts_with("事由有变"), "{}", last.reason);
    findings::act(office.context(), found.id, Step::Approve, by, None).await.unwrap();
    assert_eq!(office.state(found.id).await, FindingState::Approved);
}

#[tokio::test]
async fn what_was_approved_by_itself_asks_for_no_approval_that_nobody_could_give() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[110]).await;
    office.look().await;
    let store = &office.context().store;
    let silence = office.silences().await.remove(0).found;
    let found = |occasion: &str, needs_approval| NewFinding {
        rule: "fewer_posts".to_owned(),
        occasion: occasion.to_owned(),
        needs_approval,
        raised_by: "job:findings".to_owned(),
        by_job: true,
        ..silence.clone()
    };
    let raise = async |found: NewFinding| {
        let raised = store.raise_findings(&[found], office.now()).await.unwrap();
        let (Raised::New(id) | Raised::Updated(id) | Raised::Unchanged(id)) = raised[0] else {
            panic!("{raised:?}")
        };
        store.finding(id).await.unwrap().unwrap()
    };
    let first = raise(found("q3", false)).await;
    let approved = "update findings set state = 'approved' where id = $1";
    sqlx::query(approved).bind(first.id.0).execute(&office.database.pool).await.unwrap();
    let marked = raise(found("q3", true)).await;
    assert_eq!((marked.state, marked.found.needs_approval), (FindingState::Approved, false));
    let other = raise(NewFinding { rule: "lost_posts".to_owned(), ..found("q3", false) }).await;
    let marked = raise(NewFinding { rule: "lost_posts".to_owned(), ..found("q3", true) }).await;
    assert_eq!((marked.id, marked.found.needs_approval), (other.id, true), "while it is open");
}

#[tokio::test]
async fn a_message_is_mended_by_its_answer_and_not_by_its_age() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("z")]).await[0];
    office.checked(id, 119, &[1]).await;
    let pool = &office.database.pool;
    for (name, days) in [("m1", 60), ("m2", 100)] {
        sqlx::query(
            "insert into inquiries (account_id, ref, asked_at, precision, official, first_seen,
                 last_seen, recorded_at)
             values ($1, $2, $3, 'second', false, $3, $4, $3)",
        )
        .bind(id.0)
        .bind(name)
        .bind(office.now() - TimeDelta::days(days))
        .bind(office.now())
        .execute(pool)
        .await
        .unwrap();
    }
    let answer = async |name: &str| {
        let answered = "update inquiries set official = true, replied_at = $1, reply_seen_at = $1
             where ref = $2";
        sqlx::query(answered).bind(office.now()).bind(name).execute(pool).await.unwrap();
    };
    let overdue = async || {
        office.look().await;
        let all = office.all().await.into_iter();
        let mut of_rule = all.filter(|one| one.found.rule == "inquiry_overdue");
        of_rule.next().map(|one| one.state)
    };
    let raised = overdue().await;
    assert!(raised.is_some_and(|state| state != FindingState::Closed), "{raised:?}");
    office.days(90);
    office.checked(id, 119, &[1]).await;
    assert_eq!(overdue().await, raised, "one of the two is older than the rule looks back");
    answer("m1").await;
    office.days(110);
    office.checked(id, 119, &[1]).await;
    assert_eq!(overdue().await, raised, "the older one was never answered");
    answer("m2").await;
    office.days(1);
    assert_eq!(overdue().await, Some(FindingState::Closed));
}
