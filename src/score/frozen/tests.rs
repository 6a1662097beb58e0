//! Bundles frozen, computed again, altered, and laid over by a draft.

use std::collections::BTreeMap;

use crate::domain::{Count, Lifecycle, SourceText};
use crate::scheme::Scheme;
use crate::score::tests::{at, calendar, every};
use crate::score::{Comparison, Measured, Period, PeriodFacts, VerdictWord, score};

use super::*;

pub(crate) const SCHEME: &str = include_str!("../../../config/schemes/default.toml");

/// A bundle's lines without the tail, and the tail.
pub(crate) fn bundle(scheme: &str) -> (Vec<String>, FrozenTail) {
    let calendar = calendar();
    let head = FrozenHead {
        format: FORMAT.to_owned(),
        software: "xunjian test".to_owned(),
        period: "2026-06".parse::<Period>().unwrap(),
        scheme: Some("default".to_owned()),
        version: 1,
        supersedes: None,
        actor: "zhang".to_owned(),
        reason: String::new(),
        frozen_at: at("2026-07-03"),
        cutoff: at("2026-07-01"),
        known_at: at("2026-07-03"),
        running: 7,
        sample: None,
        chain: None,
        schemes: vec![FrozenText::of("config/schemes/default.toml", scheme)],
        indices: Vec::new(),
        calendar: calendar.files().iter().map(FrozenText::from).collect(),
        calendar_digest: calendar.digest().to_owned(),
    };
    let rules = FrozenRules::read(&head.line()).unwrap();
    let scheme = rules.scheme("default").unwrap();
    let facts = |one: u8| PeriodFacts {
        followers: Some(Count::Exact(100 * u64::from(one))),
        ..every(1 + usize::from(one))
    };
    let all: Vec<PeriodFacts> = (0..7).map(facts).collect();
    let mut comparison = Comparison::new(scheme, rules.tables());
    for facts in &all {
        let measured = Measured::of(scheme, facts, rules.tables());
        comparison.enter(&measured, &facts.subject).unwrap();
    }
    let told = comparison.told(|_| Vec::new());
    let beside: Vec<_> = (0..all.len()).map(|at| told.of(at)).collect();
    let mut lines = vec![head.line()];
    for (at, (facts, beside)) in all.into_iter().zip(beside).enumerate() {
        let card = score(scheme, &facts, &beside, rules.tables()).unwrap();
        let account = FrozenAccount {
            key: format!("A-{at}"),
            name: format!("账号{at}"),
            platform: "weibo".to_owned(),
            platform_title: "微博".to_owned(),
            sponsor: "某局".to_owned(),
            supervisor: None,
            region: "339901".to_owned(),
            lifecycle: Lifecycle::Running,
            exemption: None,
            last_post_at: None,
            scheme: "default".to_owned(),
            earlier: BTreeMap::new(),
            evidence: None,
            facts,
            card,
        };
        lines.push(account.line());
    }
    let mut summing = Summing::default();
    for line in &lines[1..] {
        let one = FrozenAccount::read(line).unwrap();
        let answering = (one.sponsor.as_str(), one.supervisor.as_deref());
        summing.take(scheme, &one.key, answering, &one.facts.subject, &one.card);
    }
    let summaries: Vec<String> = summing.finish().iter().map(Summary::line).collect();
    let count = summaries.len() as u64;
    lines.extend(summaries);
    let tail = FrozenTail { accounts: 7, summaries: count, digest: digest_of(&lines) };
    (lines, tail)
}

fn digest_of(lines: &[String]) -> String {
    let mut digest = BundleDigest::default();
    lines.iter().for_each(|line| digest.line(line));
    digest.finish()
}

fn verify(lines: &[String], tail: &FrozenTail) -> Result<Verified, String> {
    let rules = FrozenRules::read(&lines[0])?;
    let mut verification = Verification::new(&rules, &lines[0]);
    for line in &lines[1..] {
        verification.first(line)?;
    }
    verification.compare();
    let accounts = usize::try_from(tail.accounts).unwrap();
    for line in lines[1..].iter().take(accounts) {
        verification.second(line)?;
    }
    verification.finish(tail)
}

#[test]
fn a_bundle_gives_its_own_cards_bit_for_bit() {
    let (lines, tail) = bundle(SCHEME);
    let verified = verify(&lines, &tail).unwrap();
    assert_eq!((verified.accounts, &verified.digest), (7, &tail.digest));
    assert!(verified.summaries >= 1 && verified.summaries == tail.summaries, "{verified:?}");
    assert_eq!(bundle(SCHEME).1, tail, "the same facts freeze to the same digest");
    let account = FrozenAccount::read(&lines[3]).unwrap();
    assert!(account.card.score("influence").unwrap().outcome.points().is_some(), "peers compared");
}

#[test]
fn facts_are_written_in_one_order_however_they_were_loaded() {
    let (lines, _) = bundle(SCHEME);
    let mut account = FrozenAccount::read(&lines[1]).unwrap();
    assert!(account.facts.posts.len() > 1);
    account.facts.posts.reverse();
    account.facts.covered.reverse();
    assert_eq!(account.line(), lines[1]);
}

#[test]
fn whatever_is_altered_shows() {
    let check = |alter: &dyn Fn(&mut Vec<String>, &mut FrozenTail), told: &str| {
        let (mut lines, mut tail) = bundle(SCHEME);
        alter(&mut lines, &mut tail);
        let said = verify(&lines, &tail).expect_err(told);
        assert!(said.contains(told), "wanted {told}; told {said}");
    };
    check(&|_, tail| tail.accounts = 8, "7 accounts were read, the tail tells 8");
    check(&|_, tail| tail.digest = "sha256:0".to_owned(), "the tail tells sha256:0");
    check(
        &|lines, tail| {
            lines.pop();
            tail.accounts = 6;
        },
        "the lines give",
    );
    check(&|lines, _| drop(lines.pop()), "summaries were read, the tail tells");
    check(
        &|lines, tail| {
            let last = lines.len() - 1;
            lines[last] = lines[last].replacen("\"place\":1,", "\"place\":2,", 1);
            tail.digest = digest_of(lines);
        },
        "summary",
    );
    check(&|lines, _| lines.swap(7, 8), "an account stands after the roll-ups and rankings");
    // Whoever alters a bundle can write a new digest; the cards still do not follow from the facts.
    let points = |lines: &mut Vec<String>, tail: &mut FrozenTail| {
        let mut account = FrozenAccount::read(&lines[2]).unwrap();
        account.facts.posts.pop();
        lines[2] = account.line();
        tail.digest = digest_of(lines);
    };
    let (mut lines, mut tail) = bundle(SCHEME);
    points(&mut lines, &mut tail);
    let said = verify(&lines, &tail).expect_err("a post was taken away");
    assert!(said.starts_with("A-1: byte "), "{said}");
    check(
        &|lines, tail| {
            lines[0] = lines[0].replacen("勤勉度", "勤勉", 1);
            tail.digest = digest_of(lines);
        },
        "its text is not that of its digest",
    );
    check(&|lines, _| lines[0] = lines[0].replacen("xunjian-assessment/2", "x/9", 1), "\"x/9\"");
    check(&|lines, _| lines[4].truncate(60), "an account's line");
}

fn laid_over(draft: &str) -> DraftComparison {
    let (lines, _) = bundle(SCHEME);
    let rules = FrozenRules::read(&lines[0]).unwrap();
    let source = SourceText { file: "draft.toml".to_owned(), text: draft.to_owned() };
    let drafts = rules.draft(&source).unwrap();
    let (frozen, draft): (&Scheme, &Scheme) =
        (rules.scheme("default").unwrap(), drafts.get("default").unwrap());
    let mut recomputation = Recomputation::new(&rules, Some(("default", draft)));
    let accounts = || lines[1..8].iter().map(|line| FrozenAccount::read(line));
    for account in accounts() {
        recomputation.enter(&account.unwrap()).unwrap();
    }
    recomputation.compare();
    lay_over(&recomputation, (frozen, draft), accounts()).unwrap()
}

#[test]
fn a_draft_that_changes_nothing_is_the_same_and_one_that_does_says_what() {
    let same = laid_over(SCHEME);
    assert_eq!(same.frozen_digest, same.draft_digest);
    assert!(same.accounts.len() == 7 && same.accounts.iter().all(AccountChange::is_same));
    let influence = |one: &AccountChange| {
        one.scores.iter().find(|score| score.id == "influence").unwrap().place.0.unwrap().value
    };
    let places: Vec<f64> = same.accounts.iter().map(influence).collect();
    assert_eq!((places[6], places[0]), (1.0, 7.0), "{places:?}");

    let raised = SCHEME.replacen("coverage_min = 0.9 ", "coverage_min = 1.0 ", 1);
    let commented = laid_over(&format!("{raised}\n# a draft\n"));
    assert_ne!(commented.frozen_digest, commented.draft_digest);

    let shorter =
        SCHEME.replacen("value = 336, unit = \"hours\"", "value = 300, unit = \"hours\"", 1);
    let pass = "\n[pass]\nof = \"diligence\"\noperator = \">=\"\nvalue = 101\n";
    let failed = laid_over(&format!("{shorter}{pass}"));
    let verdicts: Vec<_> = failed.accounts.iter().map(|one| one.verdict).collect();
    assert!(verdicts.contains(&(None, Some(VerdictWord::Fail))), "{verdicts:?}");
    assert!(failed.accounts.iter().all(|one| !one.is_same()));
}
