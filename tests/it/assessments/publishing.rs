//! Publishing a bulletin: who is named, on whose word, and that nothing published changes.

use std::fs;

use chrono::{DateTime, Utc};
use xunjian::domain::{FindingId, FindingState, Step};
use xunjian::jobs::assessment::{Freeze, freeze};
use xunjian::jobs::findings;
use xunjian::jobs::publishing::{Candidate, Publish, Published, Standing, candidates, publish};
use xunjian::report::Wording;
use xunjian::store::{Assessment, PublishedBulletin};

use super::*;

fn wording() -> Wording {
    Wording {
        issuer: "某市人民政府办公室".to_owned(),
        date: "2026-10-12".parse().unwrap(),
        due: "2026-11-11".parse().unwrap(),
        decimals: 2,
    }
}

impl Office {
    /// The newest assessment of a period.
    async fn assessment(&self, period: &str) -> Assessment {
        let all = self.context().store.assessments(Some(period)).await.unwrap();
        all.into_iter().find(|one| one.superseded_by.is_none()).unwrap()
    }

    async fn try_to_publish(
        &self,
        period: &str,
        correction: Option<&str>,
    ) -> anyhow::Result<Published> {
        let one = self.assessment(period).await;
        let wording = wording();
        let wanted = Publish { assessment: &one, wording: &wording, actor: "zhang", correction };
        publish(self.context(), &wanted).await
    }

    /// Freezes a period at its end, where it is not frozen yet, and publishes it.
    pub(crate) async fn published(
        &self,
        period: &str,
        correction: Option<&str>,
    ) -> PublishedBulletin {
        let context = self.context();
        if correction.is_none() {
            let period: xunjian::score::Period = period.parse().unwrap();
            let wanted = Freeze {
                period,
                scheme: context.schemes.get(SCHEME),
                cutoff: period.to().min(self.begun() - TimeDelta::hours(2)),
                sample: None,
                actor: "zhang",
                reason: "",
            };
            freeze(context, &wanted).await.unwrap();
        }
        match self.try_to_publish(period, correction).await.unwrap() {
            Published::Issued(issue) => issue,
            Published::Waiting(all) => panic!("{all:?}"),
        }
    }

    async fn standings(&self) -> Vec<(String, Standing)> {
        let one = self.assessment("2026Q4").await;
        let all = candidates(self.context(), &one).await.unwrap();
        all.into_iter().map(|one| (one.key, one.standing)).collect()
    }

    async fn acted(&self, id: FindingId, step: Step, actor: &str) -> anyhow::Result<FindingState> {
        findings::act(self.context(), id, step, (actor, "核实"), None).await
    }

    /// The text of the published issue.
    fn told(&self, number: u32) -> String {
        let out = self.folder.path().join(format!("out{number}"));
        let out = out.to_str().unwrap();
        let said = self.xunjian(&["report", "bulletin", "--period", "2026Q4", "--out", out]);
        assert_eq!(said.code, Some(0), "{}", said.reason);
        fs::read_to_string(format!("{out}/bulletin-2026Q4-no{number}.md")).unwrap()
    }
}

fn waiting(published: Published) -> Vec<Candidate> {
    match published {
        Published::Waiting(all) => all,
        Published::Issued(issue) => panic!("{issue:?}"),
    }
}

#[tokio::test]
async fn a_bulletin_names_once_a_second_person_has_approved_and_never_who_is_undetermined() {
    let office = office().await;
    office.look().await;
    frozen(&office, "").await.unwrap();
    // The daemon raised what the account fails for: its finding is the one that is approved.
    let dormant = office.all().await.into_iter().find(|one| one.key.as_deref() == Some("C-默"));
    let dormant = dormant.unwrap();
    assert_eq!(dormant.found.rule, "not_updated_dormant");
    let stands = waiting(office.try_to_publish("2026Q4", None).await.unwrap());
    assert_eq!(stands.len(), 1, "{stands:?}");
    assert_eq!(stands[0].standing, Standing::Waiting(vec![dormant.id]));
    let store = &office.context().store;
    assert!(
        store.bulletins(None).await.unwrap().is_empty()
            && store.namings().await.unwrap().is_empty()
    );
    let said = office.xunjian(&["report", "publish", "--period", "2026Q4", "--dry-run"]);
    assert!(said.out.contains("C-默\t平安C-默\t微博\t内容不更新\t待第二人复核"), "{}", said.out);

    office.acted(dormant.id, Step::Approve, "wang").await.unwrap();
    let said = office.xunjian(&["report", "publish", "--period", "2026Q4", "--actor", "zhang"]);
    assert_eq!(said.code, Some(0), "{}", said.reason);
    assert!(said.out.contains("2026Q4 第 1 号已印发:点名 1 个,不点名 0 个"), "{}", said.out);
    let issue = store.bulletins(Some("2026Q4")).await.unwrap().remove(0);
    assert_eq!((issue.issue, issue.actor.as_str(), issue.named), (1, "zhang", 1));
    let told = office.told(1);
    for part in [
        "关于2026年第四季度政务新媒体检查情况的通报\n",
        "内容不更新：政务新媒体1 个，为“平安C-默”（微博）。",
        "| 平安C-默 | 微博 | 单位C-默 | 某市人民政府办公室 | 内容不更新 |",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let open = told.split("政务新媒体未能判定**").nth(1).unwrap();
    let line = open.lines().find(|line| line.contains("平安D-墙")).expect("listed apart");
    let reason = "| 内容不更新：更新情况:未能判定(平台拦截访问) |";
    assert!(line.ends_with(reason), "in the words of an office: {line}");
    let named: Vec<_> = store.bulletin_accounts(issue.id).await.unwrap();
    assert_eq!((named.len(), named[0].key.as_str()), (1, "C-默"));
    let ladder = store.namings().await.unwrap();
    assert_eq!(ladder.values().map(Vec::len).collect::<Vec<_>>(), [1]);
    let listed = office.xunjian(&["report", "issues", "--json"]);
    assert!(listed.out.contains(&issue.digest), "{}", listed.out);

    // Its sponsor is told through the outbox, once.
    for _ in 0..2 {
        let said = office.xunjian(&["report", "notices", "--period", "2026Q4"]);
        assert_eq!(said.code, Some(0), "{}", said.reason);
        let line = format!("单位C-默\tC-默\t问题 {}\t在发件箱\t", dormant.id);
        assert!(said.out.starts_with(&line) && said.out.lines().count() == 1, "{}", said.out);
    }
    let letters = store.unsent_letters().await.unwrap();
    assert_eq!(letters.iter().filter(|one| one.sponsor == "单位C-默").count(), 1, "{letters:?}");

    let again = office.try_to_publish("2026Q4", None).await.unwrap_err().to_string();
    assert!(again.contains("published already (issue 1"), "{again}");
}

#[tokio::test]
async fn who_raised_a_naming_may_not_approve_it_and_dismissing_withholds_the_name() {
    let office = office().await;
    frozen(&office, "").await.unwrap();
    // Nobody looked day by day: the publisher raises the naming, and another one approves it.
    assert_eq!(office.standings().await, [("C-默".to_owned(), Standing::Unraised)]);
    let stands = waiting(office.try_to_publish("2026Q4", None).await.unwrap());
    let Standing::Waiting(ids) = &stands[0].standing else { panic!("{stands:?}") };
    let record = office.context().store.finding(ids[0]).await.unwrap().unwrap();
    assert_eq!(
        (record.found.rule.as_str(), record.found.raised_by.as_str()),
        ("failed_assessment", "zhang")
    );
    assert!(record.found.statement.contains("2026年第四季度检查"), "{}", record.found.statement);
    let own = office.acted(ids[0], Step::Approve, "Zhang ").await.unwrap_err().to_string();
    assert!(own.contains("who may not approve it; a second person has to"), "{own}");
    waiting(office.try_to_publish("2026Q4", None).await.unwrap());
    office.acted(ids[0], Step::Approve, "wang").await.unwrap();
    assert_eq!(office.standings().await[0].1, Standing::Ready(ids.clone()));

    office.acted(ids[0], Step::Dismiss, "wang").await.unwrap();
    let Published::Issued(issue) = office.try_to_publish("2026Q4", None).await.unwrap() else {
        panic!("it is withheld, not waiting");
    };
    assert_eq!((issue.named, issue.withheld), (0, 1));
    let told = office.told(1);
    assert!(
        told.contains("不合格政务新媒体共 1 个，其中 1 个因豁免、已作说明或经复核不予点名"),
        "{told}"
    );
    assert!(!told.contains("平安C-默"), "{told}");
    assert!(office.context().store.namings().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_correction_is_the_next_issue_and_what_was_published_cannot_change() {
    let office = office().await;
    office.look().await;
    frozen(&office, "").await.unwrap();
    let early = office.try_to_publish("2026Q4", Some("误报")).await.unwrap_err().to_string();
    assert!(early.contains("not published: there is nothing to correct"), "{early}");
    let dormant = office.all().await.into_iter().find(|one| one.key.as_deref() == Some("C-默"));
    let id = dormant.unwrap().id;
    office.acted(id, Step::Approve, "wang").await.unwrap();
    let Published::Issued(first) = office.try_to_publish("2026Q4", None).await.unwrap() else {
        panic!("nothing waits");
    };
    let store = &office.context().store;
    let kept = store.bulletin_document(first.id).await.unwrap().unwrap();

    office.acted(id, Step::Dismiss, "wang").await.unwrap();
    let said = office.xunjian(&["report", "correct", "--period", "2026Q4", "--actor", "li"]);
    assert_eq!(said.code, Some(2), "a correction says why: {}", said.out);
    let reason = ["--reason", "平安C-默申诉成立"];
    let said = office.xunjian(
        &[&["report", "correct", "--period", "2026Q4", "--actor", "li"], &reason[..]].concat(),
    );
    assert_eq!(said.code, Some(0), "{}", said.reason);
    let all = store.bulletins(Some("2026Q4")).await.unwrap();
    assert_eq!(all.iter().map(|one| (one.issue, one.named)).collect::<Vec<_>>(), [(2, 0), (1, 1)]);
    assert_eq!(all[1].superseded_by, Some(all[0].id));
    let told = office.told(2);
    assert!(
        told.contains("（第2号，更正）") && told.contains("更正事由：平安C-默申诉成立"),
        "{told}"
    );
    assert_eq!(store.bulletin_document(first.id).await.unwrap().unwrap(), kept);
    let now: DateTime<Utc> = all[0].published_at;
    let ladder = store.namings().await.unwrap();
    assert!(ladder.values().flatten().all(|naming| !naming.is_known_at(now)), "{ladder:?}");

    let (pool, one) = (&office.database.pool, first.id);
    for statement in [
        format!("update bulletins set digest = 'x' where id = {one}"),
        format!("delete from bulletins where id = {one}"),
        "truncate bulletins cascade".to_owned(),
        format!("update bulletin_accounts set withheld = 'x' where bulletin_id = {one}"),
        format!("delete from bulletin_accounts where bulletin_id = {one}"),
        "update namings set actor = 'x'".to_owned(),
        format!(
            "insert into bulletin_accounts (bulletin_id, place, key, findings, withheld)
             values ({one}, 9, 'new', '{{}}', 'x')"
        ),
        // An undetermined account in a list, written as the program would.
        format!(
            "with listed as (insert into bulletin_accounts
                 (bulletin_id, place, key, account_id, findings)
                 select 99, 1, key, id, '{{1}}' from accounts where key = 'D-墙' returning 1)
             insert into bulletins (id, assessment_id, period, issue, reason, published_at, actor,
                 due, document, digest)
             select 99, assessment_id, '2026Q3', 1, '', now(), 'x', now(), '{{}}', 'y'
             from bulletins, listed where id = {one}"
        ),
    ] {
        let refused = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(pool).await;
        let refused = refused.expect_err(&statement).to_string();
        let known = ["append-only", "is published", "no bulletin lists it"];
        assert!(known.iter().any(|part| refused.contains(part)), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn a_finding_that_its_rule_let_pass_names_nobody_without_a_persons_word() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rules/default.toml");
    let text = fs::read_to_string(shipped).unwrap();
    let (before, rule) = text.split_once("id = \"not_updated_dormant\"").unwrap();
    let rule = rule.replacen("needs_approval = true\n", "", 1);
    fs::write(
        folder.path().join("rules.toml"),
        format!("{before}id = \"not_updated_dormant\"{rule}"),
    )
    .unwrap();
    let rules = folder.path().to_owned();
    let office = Office::with(|settings| settings.rules_dir = rules).await;
    let id = office.ledger(&[entry("C-默")]).await[0];
    office.checked(id, 150, &[20, 60]).await;
    office.look().await;
    let passed = office.all().await.remove(0);
    assert_eq!((passed.found.rule.as_str(), passed.approved_by), ("not_updated_dormant", None));
    assert_ne!(passed.state, FindingState::Open, "the job let it pass");
    frozen(&office, "").await.unwrap();
    assert_eq!(office.standings().await, [("C-默".to_owned(), Standing::Unraised)]);
    let stands = waiting(office.try_to_publish("2026Q4", None).await.unwrap());
    let Standing::Waiting(ids) = &stands[0].standing else { panic!("{stands:?}") };
    assert_ne!(ids[..], [passed.id], "a naming of its own, which a second person approves");
    office.acted(ids[0], Step::Approve, "wang").await.unwrap();
    assert_eq!(office.standings().await[0].1, Standing::Ready(ids.clone()));
}

#[tokio::test]
async fn a_scheme_may_let_failed_accounts_be_named_on_one_persons_word() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/schemes");
    for file in fs::read_dir(shipped).unwrap() {
        let file = file.unwrap();
        let mut text = fs::read_to_string(file.path()).unwrap();
        if file.file_name().to_str() == Some("national_2019_accounts.toml") {
            text = format!("naming_without_approval = true\n{text}");
        }
        fs::write(folder.path().join(file.file_name()), text).unwrap();
    }
    let schemes = folder.path().to_owned();
    let office = Office::with(|settings| settings.schemes_dir = schemes).await;
    let id = office.ledger(&[entry("C-默")]).await[0];
    office.checked(id, 150, &[20, 60]).await;
    let issue = office.published("2026Q4", None).await;
    assert_eq!((issue.named, issue.withheld), (1, 0));
    let naming = office.all().await.remove(0);
    assert_eq!((naming.approved_by, naming.state), (None, FindingState::Approved));
}

/// 汕尾: two notices that were not followed are named, also where the account posts again and passes.
#[tokio::test]
async fn who_passes_is_named_where_the_scheme_names_for_notices_not_followed() {
    let office = Office::open().await;
    let ids = office.ledger(&[entry("A-勤"), entry("C-默")]).await;
    office.checked(ids[0], 150, &[1, 4]).await;
    office.checked(ids[1], 150, &[20]).await;
    office.look().await;
    let dormant = office.silences().await.remove(0);
    office.acted(dormant.id, Step::Approve, "wang").await.unwrap();
    for _ in 0..2 {
        findings::send_notices(office.context()).await.unwrap();
        office.days(10);
        office.checked(ids[1], 150, &[]).await;
        office.recheck().await;
    }
    office.days(2);
    office.checked(ids[0], 150, &[3]).await;
    office.checked(ids[1], 150, &[1]).await;
    office.look().await;
    let context = office.context();
    let wanted = Freeze {
        period: "2026Q4".parse().unwrap(),
        scheme: context.schemes.get("shanwei_2020"),
        cutoff: office.now() - TimeDelta::hours(2),
        sample: None,
        actor: "zhang",
        reason: "",
    };
    let frozen = freeze(context, &wanted).await.unwrap();
    assert_eq!(frozen.verdicts.get("pass"), Some(&2), "{:?}", frozen.verdicts);

    let missed =
        office.all().await.into_iter().find(|one| one.found.rule == "missed_update_notices");
    let missed = missed.unwrap().id;
    let stands = waiting(office.try_to_publish("2026Q4", None).await.unwrap());
    let stands: Vec<_> = stands.into_iter().map(|one| (one.key, one.standing)).collect();
    assert_eq!(stands, [("C-默".to_owned(), Standing::Waiting(vec![missed]))]);
    office.acted(missed, Step::Approve, "wang").await.unwrap();
    let Published::Issued(issue) = office.try_to_publish("2026Q4", None).await.unwrap() else {
        panic!("it waits for nobody")
    };
    assert_eq!((issue.named, issue.withheld), (1, 0));
    let told = office.told(1);
    assert!(told.contains("不合格 0 个") && told.contains("合格率 100.00%"), "{told}");
    assert!(told.contains("按规定点名通报的其他账号") && told.contains("季度通报"), "{told}");
    assert!(told.contains("平安C-默") && !told.contains("平安A-勤"), "{told}");
    let named = context.store.namings().await.unwrap();
    assert_eq!(named.get(&ids[1]).map(Vec::len), Some(1), "a naming counts on the ladder");
    assert!(!named.contains_key(&ids[0]));
}
