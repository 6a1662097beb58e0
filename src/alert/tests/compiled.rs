use std::path::Path;

use crate::alert::{Catalog, Check, SilentTier};
use crate::domain::SourceText;

const MEASURES: [&str; 3] = ["coverage", "posts", "followers"];

fn sources(folder: &str) -> Vec<SourceText> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut sources: Vec<SourceText> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            SourceText { file: path.display().to_string(), text }
        })
        .collect();
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    sources
}

fn shipped() -> Catalog {
    Catalog::compile(&sources("config/rules"), &crate::alert::tests::MEASURE_IDS).unwrap_or_else(
        |problems| panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()),
    )
}

/// Each fixture lists at its end, as `#! line: field: part of the reason`, all that is wrong.
#[test]
fn every_invalid_file_is_refused_with_every_place_and_reason() {
    let mut seen = 0;
    for source in sources("tests/fixtures/rules") {
        let expected: Vec<&str> =
            source.text.lines().filter_map(|line| line.strip_prefix("#! ")).collect();
        assert!(!expected.is_empty(), "{} expects nothing", source.file);
        let problems = Catalog::compile(std::slice::from_ref(&source), &MEASURES).unwrap_err();
        assert_eq!(problems.len(), expected.len(), "{}: {problems:#?}", source.file);
        for (problem, expected) in problems.iter().zip(expected) {
            let (place, reason) = expected.split_once(" | ").unwrap();
            let shown = problem.to_string();
            assert!(shown.starts_with(&format!("{}:{place}: ", source.file)), "{shown} at {place}");
            assert!(problem.reason.contains(reason), "{shown} because {reason}");
        }
        seen += 1;
    }
    assert!(seen >= 18, "only {seen} invalid files");
}

#[test]
fn two_files_may_not_say_the_same_thing() {
    let mut twice = sources("config/rules");
    twice.push(SourceText { file: "again.toml".to_owned(), text: twice[0].text.clone() });
    let problems = Catalog::compile(&twice, &crate::alert::tests::MEASURE_IDS).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("another file has the rules \"default\" already"), "{shown:#?}");
    assert!(shown.iter().any(|one| one.contains("has the rule \"not_updated_zombie\" already")));
}

#[test]
fn every_kind_of_check_is_shipped_once_and_every_rule_can_be_told_to_a_sponsor() {
    let catalog = shipped();
    let rules: Vec<_> = catalog.sets().iter().flat_map(|set| &set.rules).collect();
    for tier in [SilentTier::Watch, SilentTier::Dormant, SilentTier::Zombie, SilentTier::Empty] {
        assert!(rules.iter().any(|rule| rule.check == Check::Silence(tier)), "{tier:?}");
    }
    let has = |kind: fn(&Check) -> bool| rules.iter().filter(|rule| kind(&rule.check)).count();
    for (kind, least) in [
        (has(|c| matches!(c, Check::Gone)), 1),
        (has(|c| matches!(c, Check::ClosingSilent)), 1),
        (has(|c| matches!(c, Check::Measures { .. })), 4),
        (has(|c| matches!(c, Check::InquiryOverdue { .. })), 1),
        (has(|c| matches!(c, Check::DuplicateAccount | Check::MainAccount)), 2),
        (has(|c| matches!(c, Check::Unfiled | Check::ExemptionExpired)), 2),
        (has(|c| matches!(c, Check::IdentityDrift { .. })), 1),
        (has(|c| matches!(c, Check::Backdated { .. } | Check::Deleted { .. })), 2),
        (has(|c| matches!(c, Check::Burst { .. } | Check::NearDuplicate(_))), 2),
        (has(|c| matches!(c, Check::MissedNotices | Check::Closure)), 2),
        (has(|c| matches!(c, Check::Assessment)), 1),
        (has(|c| matches!(c, Check::Person)), 6),
    ] {
        assert!(kind >= least, "{kind} of {least}");
    }
    for rule in rules {
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for text in [&rule.title, &rule.clause, &rule.source, &rule.advice] {
            assert!(is_chinese(text), "{}: {text}", rule.id);
        }
        if rule.check == Check::Person {
            assert!(rule.needs_approval, "{}: a second person looks at it", rule.id);
        }
    }
}

#[test]
fn the_nearest_set_speaks_for_an_area() {
    let catalog = shipped();
    let at = |region: &str| region.parse().unwrap();
    assert!(catalog.exit_for(&at("330105")).is_some());
    assert!(catalog.exit_for(&at("330106")).is_none());
    assert!(catalog.triage_for(&at("330106")).is_some());
    assert!(catalog.triage_for(&at("441500")).is_none());
    assert!(catalog.ladder_for(&at("441500")).is_some());
    assert!(catalog.rules_for(&at("441500")).any(|rule| rule.id == "not_updated_dormant"));
}
