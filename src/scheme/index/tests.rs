use super::*;
use crate::domain::{Problem, SourceText};

const GOOD: &str = r#"
id = "dci"
title = "抖音传播指数"
index = "DCI"
version = "清博"
source = "转述"
certainty = "unverified"
power = 1
scale = 100

[[terms]]
metric = "posts"
of = "total"
weight = 0.10
gain = 1
"#;

fn compile(text: &str) -> Result<IndexCatalog, Vec<Problem>> {
    IndexCatalog::compile(&[SourceText { file: "dci.toml".to_owned(), text: text.to_owned() }])
}

#[test]
fn keys_tell_versions_and_metric_sets_apart() {
    let keys: std::collections::BTreeSet<_> = BUILT_IN.iter().map(Formula::key).collect();
    assert_eq!(keys.len(), BUILT_IN.len());
    let four = BUILT_IN.iter().find(|formula| formula.id == "wci_14_2_4m").unwrap();
    assert_eq!(four.key().to_string(), "WCI 14.2 (reads+zaikan+likes+shares)");
    let weights = |formula: &Formula| formula.terms.iter().map(|term| term.weight).sum::<f64>();
    for formula in BUILT_IN.iter() {
        assert!((weights(formula) - 1.0).abs() < 1e-12, "{}: {}", formula.id, weights(formula));
    }
}

#[test]
fn shipped_coefficient_files_are_valid_and_warned_about() {
    let files = [
        include_str!("../../../config/indices/bci_qingbo.toml"),
        include_str!("../../../config/indices/dci.toml"),
        include_str!("../../../config/indices/wci_14_2_3m.toml"),
    ]
    .map(|text| SourceText { file: "x.toml".to_owned(), text: text.to_owned() });
    let catalog = IndexCatalog::compile(&files).unwrap();
    assert_eq!(catalog.warnings().len(), 3);
    assert_eq!(catalog.iter().count(), BUILT_IN.len() + 3);
    let key = |id: &str| catalog.get(id).unwrap().key();
    assert_ne!(key("wci_14_2_3m"), key("wci_14_2_4m"), "the metric set is part of the key");
}

#[test]
fn each_rule_broken_gives_its_file_line_field_and_reason() {
    assert_eq!(compile(GOOD).unwrap().warnings().len(), 1);
    for (from, to, want) in [
        ("id = \"dci\"", "id = \"DCI!\"", "dci.toml:2: id: \"DCI!\" is no id"),
        ("id = \"dci\"", "id = \"wci_11\"", "dci.toml:2: id: the index \"wci_11\" is there"),
        ("\"unverified\"", "\"sure\"", "dci.toml:7: certainty: \"sure\" is none of confirmed"),
        ("power = 1", "power = 3", "dci.toml:8: power: is 1 or 2"),
        ("scale = 100", "scale = -1", "dci.toml:9: scale: a number of at least 0"),
        ("\"posts\"", "\"fans\"", "dci.toml:12: terms[0].metric: \"fans\" is none of posts"),
        ("\"total\"", "\"sum\"", "dci.toml:13: terms[0].of: \"sum\" is none of total"),
        ("weight = 0.10", "weight = -0.1", "dci.toml:14: terms[0].weight: a number"),
        ("gain = 1", "gain = 1\nlog = 2", "dci.toml:16: terms[0].log: is no key here"),
        ("[[terms]]", "[terms]", "terms: at least one table"),
    ] {
        assert_ne!(GOOD.replace(from, to), GOOD, "{from}");
        let problems = compile(&GOOD.replace(from, to)).unwrap_err();
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(shown.iter().any(|problem| problem.contains(want)), "{to}: {shown:?}");
    }
}
