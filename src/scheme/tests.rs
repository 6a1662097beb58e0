use super::*;
use crate::domain::SourceText;

const MEASURES: [&str; 2] = ["posts", "inquiries"];

const GOOD: &str = r#"
id = "city"
title = "某市方案"
authority = "某市政府办"
version = "2026"
effective_from = 2026-01-01
reply_deadline_hours = 72
certainty = "confirmed"

[activity]
watch = { operator = ">", value = 10, unit = "days" }
dormant = { operator = ">", value = 336, unit = "hours" }
zombie = { operator = ">=", value = 3, unit = "months" }

[[dimensions]]
id = "diligence"
title = "勤勉度"
coverage_min = 0.9
ranking = { measure = "inquiries", at_least = 10 }

[[dimensions.lines]]
id = "volume"
title = "发布量"
clause = "第三条"
points = "ramp(posts, 0.0, 12.0) * 100.0"
max = 100
"#;

fn compile(text: &str) -> Result<Catalog, Vec<String>> {
    let source = SourceText { file: "city.toml".to_owned(), text: text.to_owned() };
    Catalog::compile(&[source], &MEASURES)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_scheme_is_compiled_with_its_digest() {
    let catalog = compile(GOOD).unwrap();
    let scheme = catalog.get("city").unwrap();
    assert_eq!(scheme.activity.dormant.to_string(), "> 336 h");
    assert_eq!(scheme.activity.zombie.to_string(), ">= 3 months");
    let Gives::Points(points) = &scheme.dimensions[0].lines[0].gives else { panic!() };
    assert_eq!(points.measures(), ["posts"]);
    assert!(scheme.digest.starts_with("sha256:"));
    let other = compile(&GOOD.replace("12.0", "13.0")).unwrap();
    assert_ne!(other.get("city").map(|scheme| &scheme.digest), Some(&scheme.digest));
}

#[test]
fn each_rule_broken_gives_its_file_line_field_and_reason() {
    for (from, to, want) in [
        ("id = \"city\"", "id = \"某市\"", "city.toml:2: id: \"某市\" is no id"),
        ("version = \"2026\"", "version = 2026", "city.toml:5: version: a text is wanted"),
        ("version = \"2026\"\n", "", "city.toml:1: version: is missing; a text is wanted"),
        ("from = 2026-01-01", "from = \"2026-01-01\"", "city.toml:6: effective_from: a day"),
        (
            "from = 2026-01-01",
            "from = 2026-01-01\neffective_until = 2025-01-01",
            "city.toml:7: effective_until: lies before",
        ),
        ("hours = 72", "hours = 0", "city.toml:7: reply_deadline_hours: a whole number"),
        (
            "hours = 72",
            "hours = 72\ncolour = 1",
            "city.toml:8: colour: is no key here; known are activity",
        ),
        (
            "operator = \">\", value = 10",
            "operator = \"<\", value = 10",
            "city.toml:11: activity.watch.operator: \"<\" is no operator",
        ),
        (
            "operator = \">\", value = 10",
            "value = 10",
            "city.toml:11: activity.watch.operator: is missing",
        ),
        (
            "unit = \"months\"",
            "unit = \"weeks\"",
            "city.toml:13: activity.zombie.unit: \"weeks\" is no unit",
        ),
        ("min = 0.9", "min = 90", "city.toml:18: dimensions[0].coverage_min: is a share"),
        ("min = 0.9", "min = -0.1", "city.toml:18: dimensions[0].coverage_min: a number"),
        (
            "\"inquiries\"",
            "\"letters\"",
            "city.toml:19: dimensions[0].ranking.measure: \"letters\" is no measure",
        ),
        ("clause = \"第三条\"\n", "", "city.toml:21: dimensions[0].lines[0].clause: is missing"),
        (
            "ramp(posts",
            "ramp(poste",
            "city.toml:25: dimensions[0].lines[0].points: \"poste\" is no measure; known are posts, inquiries",
        ),
        ("max = 100", "max = \"100\"", "city.toml:26: dimensions[0].lines[0].max: a number"),
        (
            "max = 100",
            "max = 100\nnot_applicable = \"never\"",
            "lines[0].not_applicable: \"never\" is none of zero",
        ),
        (
            "min = 0.9",
            "min = 0.9\nrescale_from = 101",
            "dimensions[0].rescale_from: 101 is more than",
        ),
        ("[activity]", "[activity", "city.toml:10: -: "),
        ("[[dimensions.lines]]", "[dimensions.lines]", "dimensions"),
    ] {
        assert_ne!(GOOD.replace(from, to), GOOD, "{from}");
        let problems = compile(&GOOD.replace(from, to)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(want)), "{to}: {problems:#?}");
    }
}

#[test]
fn every_problem_of_every_file_is_told_at_once() {
    let broken = GOOD
        .replace("title = \"勤勉度\"\n", "")
        .replace("max = 100", "max = true")
        .replace("posts, 0.0", "reads + likes, 0.0")
        .replace("version = \"2026\"", "verzion = \"2026\"");
    let problems = compile(&broken).unwrap_err();
    assert_eq!(problems.len(), 6, "{problems:#?}");
    let source = |file: &str| SourceText { file: file.to_owned(), text: GOOD.to_owned() };
    let twice = Catalog::compile(&[source("a.toml"), source("b.toml")], &MEASURES).unwrap_err();
    assert_eq!(twice[0].to_string(), "b.toml:2: id: another file has the scheme \"city\" already");
}

#[test]
fn cutoffs_are_those_of_the_rhythms_of_schemes_that_may_judge_a_platform() {
    let rhythm = "[rhythm]\nevery = \"month\"\ncutoff_day = 20\n\n[activity]";
    let rows = "[[assign]]\nscheme = \"city\"\nplatform = \"weibo\"\nfrom = 2026-01-01\n";
    let source = |file: &str, text: String| SourceText { file: file.to_owned(), text };
    let monthly = GOOD.replace("[activity]", rhythm);
    let weekly = monthly
        .replace("id = \"city\"", "id = \"default\"")
        .replace("every = \"month\"\ncutoff_day = 20", "every = \"week\"");
    let files = [
        source("city.toml", monthly),
        source("default.toml", weekly),
        source("assign.toml", rows.to_owned()),
    ];
    let catalog = Catalog::compile(&files, &MEASURES).unwrap();
    let day = |day: &str| format!("{day}T00:00:00+08:00").parse().unwrap();
    let check = |platform: &str, wanted: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|one| day(one)).collect();
        assert_eq!(catalog.cutoffs(platform, (day("2026-11-17"), day("2026-11-29"))), wanted);
    };
    check("douyin", &["2026-11-23"]);
    check("weibo", &["2026-11-20", "2026-11-23"]);
    assert!(!catalog.get("city").unwrap().naming_without_approval, "a second person, unless said");
    let said = GOOD.replace("[activity]", "naming_without_approval = true\n\n[activity]");
    assert!(compile(&said).unwrap().get("city").unwrap().naming_without_approval);
    let wrong = GOOD.replace("[activity]", "naming_without_approval = \"yes\"\n\n[activity]");
    assert!(compile(&wrong).unwrap_err()[0].contains("naming_without_approval"));
}
