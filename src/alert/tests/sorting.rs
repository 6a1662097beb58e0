use crate::alert::{
    ExitFacts, ExitRule, Measured, TriageFacts, TriageOutcome, TriageRule, Verdict, judge_exit,
    triage,
};
use crate::domain::{Activity, Count, Lifecycle, Reason};

/// 拱墅区 2022: followers > 20 % of the population and within the first five.
fn gongshu() -> ExitRule {
    ExitRule {
        clause: "退出".into(),
        followers_share_over: 0.2,
        rank_at_most: 5,
        dimension: "influence".into(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Goes {
    Stays,
    Leaves,
    NotTold,
}

fn check(followers: Option<Count>, rank: Option<(u32, u32)>, vetoed: bool, goes: Goes) {
    let facts = ExitFacts { followers, population: Some(50_000), rank, vetoed };
    let found = match judge_exit(&gongshu(), &facts) {
        Verdict::Holds(holding) => {
            assert!(holding.statement.contains("由人工决定"));
            assert!(holding.inputs["population"] == 50_000);
            Goes::Leaves
        }
        Verdict::Refuted { .. } => Goes::Stays,
        Verdict::Undetermined(_) => Goes::NotTold,
        other => panic!("{other:?}"),
    };
    assert_eq!(found, goes, "{facts:?}");
}

#[test]
fn a_street_keeps_its_account_with_both_followers_and_rank() {
    let exactly = |count| Some(Count::Exact(count));
    check(exactly(10_001), Some((5, 5)), false, Goes::Stays);
    check(exactly(10_000), Some((1, 1)), false, Goes::Leaves);
    check(exactly(10_001), Some((6, 6)), false, Goes::Leaves);
    check(exactly(10_001), Some((5, 6)), false, Goes::NotTold);
    check(exactly(99_999), Some((1, 1)), true, Goes::Leaves);
    let about = |low, high| Some(Count::Bounded { value: low, low, high });
    check(about(10_001, None), Some((1, 1)), false, Goes::Stays);
    check(about(9_500, Some(10_499)), Some((1, 1)), false, Goes::NotTold);
    check(Some(Count::Hidden("login".into())), Some((1, 1)), false, Goes::NotTold);
    check(None, Some((9, 12)), false, Goes::Leaves);
    check(exactly(10_001), None, false, Goes::NotTold);
}

fn sorted(change: impl FnOnce(&mut TriageFacts)) -> (TriageOutcome, &'static str) {
    let mut facts = TriageFacts {
        lifecycle: Lifecycle::Running,
        activity: Activity::Active,
        is_main: false,
        followers: Some(Count::Exact(500)),
        posts_per_week: Measured::Known { value: 0.5, low: 0.5, high: Some(0.5) },
    };
    change(&mut facts);
    let rule = TriageRule {
        clause: "归集整合".into(),
        weak_followers_below: 1000,
        weak_posts_per_week_below: 1.0,
    };
    let found = triage(&rule, &facts);
    assert!(found.inputs["activity"].is_string() && !found.reason.is_empty());
    (found.outcome, found.fired)
}

#[test]
fn triage_names_the_rule_that_fired() {
    use TriageOutcome::{Cancel, Keep, Merge, Review};
    assert_eq!(sorted(|_| {}), (Merge, "weak"));
    assert_eq!(sorted(|f| f.lifecycle = Lifecycle::Closing), (Cancel, "closure_asked_for"));
    assert_eq!(sorted(|f| f.activity = Activity::Zombie), (Cancel, "zombie"));
    assert_eq!(sorted(|f| f.activity = Activity::Dormant), (Cancel, "dormant"));
    assert_eq!(sorted(|f| f.activity = Activity::Empty), (Cancel, "empty_shell"));
    assert_eq!(sorted(|f| f.activity = Activity::Gone), (Review, "gone"));
    let unknown = Activity::Undetermined(Reason::Blocked);
    assert_eq!(sorted(|f| f.activity = unknown), (Review, "undetermined"));
    let main_zombie = |f: &mut TriageFacts| (f.activity, f.is_main) = (Activity::Zombie, true);
    assert_eq!(sorted(main_zombie), (Review, "main_account_silent"));
    assert_eq!(sorted(|f| f.is_main = true), (Keep, "main_account"));
    assert_eq!(sorted(|f| f.followers = Some(Count::Exact(1000))), (Keep, "followed"));
    let busy = Measured::Known { value: 1.0, low: 1.0, high: None };
    assert_eq!(sorted(|f| f.posts_per_week = busy), (Keep, "updated"));
    assert_eq!(sorted(|f| f.followers = None), (Review, "not_known"));
}
