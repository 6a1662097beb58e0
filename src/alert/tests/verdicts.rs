use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::books::{account, rule};
use crate::alert::{
    AccountFacts, AskedFact, Check, Condition, Deleted, LateAppearance, Limit, Measured, Operator,
    PeriodChoice, PeriodMeasures, PostingBurst, ShownIdentity, SilentTier, Verdict, judge_account,
};
use crate::domain::{Activity, Lifecycle, Moment, Reason};
use crate::observe::{Covered, Judgement, Policy};

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}+08:00").parse().unwrap()
}

fn facts(activity: Activity) -> AccountFacts {
    AccountFacts {
        account: account(1, |_| {}),
        platform_title: "微博".into(),
        cutoff: at("2026-11-27T12:00:00"),
        judgement: Judgement {
            activity,
            cutoff: at("2026-11-27T10:00:00"),
            last_post_at: Some(at("2026-11-01T09:00:00")),
            last_observation_at: Some(at("2026-11-27T10:00:00")),
            silence_deadline_at: None,
            coverage: 1.0,
            covered: Covered::default(),
            confirmations: vec![at("2026-11-26T10:00:00"), at("2026-11-27T10:00:00")],
            no_canary: false,
            explanation: Vec::new(),
            next_crossing_at: None,
        },
        policy: Policy::default(),
        confirmed: Vec::new(),
        measures: BTreeMap::new(),
        inquiries: None,
        identities: Vec::new(),
        late: None,
        deleted: None,
        burst: None,
    }
}

/// The kind of a verdict, with the sentence where there is one.
fn said(check: &Check, facts: &AccountFacts) -> (&'static str, String) {
    match judge_account(&rule(check.clone()), facts) {
        Verdict::Holds(holding) => ("holds", holding.statement),
        Verdict::Covered => ("covered", String::new()),
        Verdict::Refuted { proof, .. } => ("refuted", proof),
        Verdict::Undetermined(doubt) => ("undetermined", doubt.0),
        Verdict::Quiet => ("quiet", String::new()),
    }
}

fn check(kind: &Check, facts: &AccountFacts, verdict: &str, part: &str) {
    let (found, text) = said(kind, facts);
    assert_eq!(found, verdict, "{kind:?}: {text}");
    assert!(text.contains(part), "{kind:?}: {part} is not in {text}");
}

#[test]
fn a_silence_is_held_by_its_own_tier_covered_by_a_graver_one_and_ended_by_a_post() {
    let dormant = Check::Silence(SilentTier::Dormant);
    let sentence = "最近一次发布为 2026-11-01 09:00,已超过 14 天无更新,经 2 次观察确认";
    check(&dormant, &facts(Activity::Dormant), "holds", sentence);
    check(&dormant, &facts(Activity::Zombie), "covered", "");
    check(&dormant, &facts(Activity::Watch), "quiet", "");
    check(&dormant, &facts(Activity::Active), "refuted", "2026-11-01 09:00 有新发布");
    check(&dormant, &facts(Activity::Gone), "covered", "");
    check(&Check::Silence(SilentTier::Empty), &facts(Activity::Empty), "holds", "无更新");
    for reason in Reason::ALL {
        let unknown = facts(Activity::Undetermined(reason));
        for tier in [SilentTier::Watch, SilentTier::Dormant, SilentTier::Zombie, SilentTier::Empty]
        {
            check(&Check::Silence(tier), &unknown, "undetermined", reason.as_str());
        }
        check(&Check::Gone, &unknown, "undetermined", reason.as_str());
    }
}

#[test]
fn a_verdict_without_a_canary_waits_for_a_person() {
    let mut unwatched = facts(Activity::Dormant);
    unwatched.judgement.no_canary = true;
    match judge_account(&rule(Check::Silence(SilentTier::Dormant)), &unwatched) {
        Verdict::Holds(holding) => assert!(holding.needs_approval),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_ledger_says_of_closing_and_closed_accounts_counts() {
    let mut closing = facts(Activity::Zombie);
    closing.account.entry.lifecycle = Lifecycle::Closing;
    check(&Check::Silence(SilentTier::Zombie), &closing, "quiet", "");
    check(&Check::ClosingSilent, &closing, "holds", "拟关停期间");
    check(&Check::ClosingSilent, &facts(Activity::Zombie), "quiet", "");
    let mut closed = facts(Activity::Gone);
    closed.account.entry.lifecycle = Lifecycle::Closed;
    check(&Check::Gone, &closed, "refuted", "台账状态为已关停");
    check(&Check::Gone, &facts(Activity::Gone), "holds", "台账状态仍为运行");
    check(&Check::Gone, &facts(Activity::Active), "refuted", "可以正常访问");
    // Active by its last post; since it was seen gone nothing could be read.
    let mut unread = facts(Activity::Active);
    unread.judgement.last_observation_at = Some(at("2026-11-24T11:59:59"));
    check(&Check::Gone, &unread, "undetermined", "observation_too_old");
    unread.judgement.last_observation_at = Some(at("2026-11-24T12:00:00"));
    check(&Check::Gone, &unread, "refuted", "可以正常访问");
    // What was done stays done when the account is closed.
    for deed in [Check::Person, Check::Assessment, Check::Deleted { within_days: 30, at_least: 1 }]
    {
        check(&deed, &closed, "quiet", "");
    }
    match judge_account(&rule(Check::Gone), &facts(Activity::Gone)) {
        Verdict::Holds(holding) => {
            let window = (at("2026-11-26T10:00:00"), at("2026-11-27T10:00:00"));
            assert_eq!(holding.window, Some(window), "its proof is kept");
        }
        other => panic!("{other:?}"),
    }
    let mut unfiled = facts(Activity::Active);
    check(&Check::Unfiled, &unfiled, "refuted", "2020-01-01");
    unfiled.account.entry.filed_on = None;
    check(&Check::Unfiled, &unfiled, "holds", "未填备案日期");
    let mut exempt = facts(Activity::Active);
    exempt.account.entry.exempt_until = "2026-11-27".parse().ok();
    check(&Check::ExemptionExpired, &exempt, "refuted", "2026-11-27");
    exempt.account.entry.exempt_until = "2026-11-26".parse().ok();
    check(&Check::ExemptionExpired, &exempt, "holds", "2026-11-26");
}

fn measured(posts: Measured, coverage: f64) -> AccountFacts {
    let known = |value| Measured::Known { value, low: value, high: Some(value) };
    let readings =
        BTreeMap::from([("posts".to_owned(), posts), ("coverage".to_owned(), known(coverage))]);
    let month = PeriodMeasures {
        period: "2026-10".into(),
        from: at("2026-10-01T00:00:00"),
        to: at("2026-11-01T00:00:00"),
        readings,
    };
    let measures = BTreeMap::from([(PeriodChoice::Month, month)]);
    AccountFacts { measures, ..facts(Activity::Active) }
}

#[test]
fn a_measure_holds_only_where_its_whole_interval_does() {
    let below = |value| Condition {
        measure: "posts".into(),
        operator: Operator::Below,
        value,
        gate: false,
    };
    let few =
        |conditions| Check::Measures { period: PeriodChoice::Month, coverage_min: 0.9, conditions };
    let enough = Condition { operator: Operator::AtLeast, gate: true, ..below(2.0) };
    let judged = few(vec![below(4.0), enough]);
    let few = few(vec![below(4.0)]);
    let posts = |low, high| Measured::Known { value: low, low, high };
    check(&few, &measured(posts(3.0, Some(3.0)), 1.0), "holds", "posts 为 3(< 4)");
    check(&few, &measured(posts(4.0, Some(4.0)), 1.0), "refuted", "不满足 < 4");
    check(&few, &measured(posts(3.0, Some(5.0)), 1.0), "undetermined", "上下限跨越界限");
    check(&few, &measured(posts(3.0, None), 1.0), "undetermined", "上下限跨越界限");
    check(&few, &measured(posts(4.0, None), 1.0), "refuted", "");
    check(&few, &measured(posts(0.0, Some(0.0)), 0.5), "undetermined", "覆盖率 0.5000");
    // Too little to judge by neither accuses nor mends.
    let exactly = |value| measured(posts(value, Some(value)), 1.0);
    check(&judged, &exactly(1.0), "quiet", "");
    check(&judged, &exactly(2.0), "holds", "posts 为 2");
    check(&judged, &exactly(4.0), "refuted", "不满足 < 4");
    let unknown = Measured::Unknown { unknown: "平台不显示".into() };
    check(&few, &measured(unknown, 1.0), "undetermined", "平台不显示");
    check(&few, &facts(Activity::Active), "undetermined", "没有本期的数据");
}

#[test]
fn a_message_is_overdue_as_far_as_its_page_was_read() {
    let overdue = Check::InquiryOverdue { limit: Limit::Days(15), within_days: 180 };
    let asked = |day: &str, replied: Option<&str>, last_seen: &str| AskedFact {
        reference: day.to_owned(),
        asked: Some(Moment::day(day.parse().unwrap())),
        replied: replied.map(|day| Moment::day(day.parse().unwrap())),
        last_seen: at(last_seen),
    };
    let with = |inquiries| AccountFacts { inquiries: Some(inquiries), ..facts(Activity::Active) };
    let late = asked("2026-11-01", None, "2026-11-27T09:00:00");
    check(&overdue, &with(vec![late]), "holds", "有 1 条留言超过 15 天 未答复");
    let answered = asked("2026-11-01", Some("2026-11-26"), "2026-11-27T09:00:00");
    check(&overdue, &with(vec![answered]), "refuted", "没有超期");
    let unread = asked("2026-11-01", None, "2026-11-10T09:00:00");
    check(&overdue, &with(vec![unread]), "undetermined", "1 条留言可能超期");
    let young = asked("2026-11-20", None, "2026-11-27T09:00:00");
    check(&overdue, &with(vec![young]), "refuted", "");
    check(&overdue, &facts(Activity::Active), "undetermined", "没有读取过");
}

#[test]
fn what_cannot_be_told_of_posts_and_pages_raises_nothing() {
    let active = facts(Activity::Active);
    for kind in [
        Check::IdentityDrift { within_days: 90 },
        Check::Backdated { within_days: 90 },
        Check::Deleted { within_days: 30, at_least: 1 },
        Check::Burst { days: 5, posts_min: 1, share_min: 0.5, chance_max: 1.0 },
    ] {
        assert_eq!(said(&kind, &active).0, "undetermined", "{kind:?}");
    }
}

#[test]
fn late_deleted_and_bunched_posts_are_told_with_their_times() {
    let mut seen = facts(Activity::Active);
    seen.late = Some(vec![LateAppearance {
        reference: "p1".into(),
        claimed_at: at("2026-11-05T09:00:00"),
        first_seen: at("2026-11-20T09:00:00"),
    }]);
    seen.deleted = Some(vec![Deleted {
        reference: "p2".into(),
        claimed_at: None,
        gone_by: at("2026-11-20T09:00:00"),
    }]);
    let burst = |posts_last, chance| {
        Some(PostingBurst { period: "2026Q3".into(), posts: 10, posts_last, chance })
    };
    seen.burst = burst(6, 1e-6);
    check(&Check::Backdated { within_days: 90 }, &seen, "holds", "标注 2026-11-05 09:00");
    check(&Check::Backdated { within_days: 3 }, &seen, "quiet", "");
    check(&Check::Deleted { within_days: 30, at_least: 1 }, &seen, "holds", "有 1 条");
    check(&Check::Deleted { within_days: 30, at_least: 2 }, &seen, "quiet", "");
    let bunched = Check::Burst { days: 5, posts_min: 5, share_min: 0.5, chance_max: 0.001 };
    check(&bunched, &seen, "holds", "2026Q3 共发布 10 条,其中 6 条");
    seen.burst = burst(6, 0.5);
    check(&bunched, &seen, "quiet", "");
}

#[test]
fn a_page_that_shows_another_name_has_drifted_until_the_ledger_follows() {
    let drift = Check::IdentityDrift { within_days: 90 };
    let shown = |since: &str, name: &str, verified: &str| ShownIdentity {
        page: "timeline".into(),
        since: at(since),
        handle: Some("1".into()),
        name: Some(name.into()),
        verified_as: Some(verified.into()),
    };
    let first = shown("2026-01-01T09:00:00", "平安1", "某县公安局");
    let mut seen = facts(Activity::Active);
    seen.identities = vec![first.clone()];
    check(&drift, &seen, "quiet", "");
    let renamed = shown("2026-11-20T09:00:00", "某县公安", "某县公安局");
    seen.identities = vec![first.clone(), renamed];
    check(&drift, &seen, "holds", "名称由“平安1”变为“某县公安”");
    seen.account.entry.name = "某县公安".into();
    check(&drift, &seen, "refuted", "台账名称已随");
    let taken = shown("2026-11-20T09:00:00", "好物推荐", "某公司");
    seen.identities = vec![first.clone(), taken];
    check(&drift, &seen, "holds", "疑似账号易主");
    // A rename that the ledger knows settles no change of certification before it.
    let certified = shown("2026-11-10T09:00:00", "平安1", "某公司");
    let renamed = shown("2026-11-20T09:00:00", "某县公安", "某公司");
    seen.identities = vec![first.clone(), certified, renamed];
    check(&drift, &seen, "holds", "认证由“某县公安局”变为“某公司”");
    seen.account.entry.name = "别的名称".into();
    check(&drift, &seen, "holds", "名称由“平安1”变为“某县公安”");
    let of_ten_days = Check::IdentityDrift { within_days: 10 };
    check(&of_ten_days, &seen, "holds", "名称由“平安1”");
    seen.account.entry.name = "某县公安".into();
    check(&of_ten_days, &seen, "quiet", "");
    // What a page does not carry is no change.
    let page = || "timeline".to_owned();
    let since = at("2026-11-20T09:00:00");
    seen.identities =
        vec![first.clone(), ShownIdentity { page: page(), since, ..ShownIdentity::default() }];
    check(&drift, &seen, "quiet", "");
    // Another kind of page may write the same name otherwise.
    let profile = shown("2026-11-20T09:00:00", "平安一号", "某县公安局官方账号");
    seen.identities = vec![first, ShownIdentity { page: "profile".into(), ..profile }];
    check(&drift, &seen, "quiet", "");
}
