use std::path::{Path, PathBuf};

use super::*;

const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

fn source(text: &str) -> SourceText {
    SourceText { file: "/etc/somewhere/x.toml".to_owned(), text: text.to_owned() }
}

fn layered(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Settings::from_layers(Some(&source(text)), &variables)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The leaves of a table as `a.b = value`; an empty table counts as a leaf.
fn leaves(prefix: &str, table: &toml::Table, into: &mut Vec<String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value.as_table() {
            Some(inner) if !inner.is_empty() => leaves(&path, inner, into),
            _ => into.push(format!("{path} = {value}")),
        }
    }
}

#[test]
fn the_shipped_file_says_every_default_and_nothing_else() {
    let mut written = Vec::new();
    leaves("", &DEFAULT_TOML.parse().unwrap(), &mut written);
    let mut defaults = Vec::new();
    leaves("", &toml::Table::try_from(Settings::default()).unwrap(), &mut defaults);
    written.sort();
    defaults.sort();
    assert_eq!(written, defaults);
}

#[test]
fn every_folder_among_the_keys_is_known_as_a_path() {
    let mut defaults = Vec::new();
    leaves("", &toml::Table::try_from(Settings::default()).unwrap(), &mut defaults);
    for key in defaults.iter().filter_map(|leaf| leaf.split(" = ").next()) {
        let is_path = key.ends_with("_dir") || key.ends_with("_file");
        assert_eq!(is_path, layers::PATHS.contains(&key), "{key}");
    }
}

#[test]
fn the_shipped_file_is_valid() {
    let settings = layered(DEFAULT_TOML, &[]).unwrap();
    assert_eq!(settings.platforms_dir, Path::new("/etc/somewhere/platforms"));
    assert_eq!(settings.data_dir, PathBuf::new());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let text = "[database]\nconnections_max = 3\nos_user = \"pg\"\n[log]\nlevel = \"warn\"\n";
    let variables = [
        ("XUNJIAN__DATABASE__CONNECTIONS_MAX", "5"),
        ("XUNJIAN__DATABASE__URL", "postgres://db/x"),
        ("XUNJIAN__LOG", "{ format = \"json\" }"),
    ];
    let settings = layered(text, &variables).unwrap();
    assert_eq!(settings.database.connections_max, 5);
    assert_eq!(settings.database.os_user, "pg");
    assert_eq!(settings.database.url, "postgres://db/x");
    assert_eq!(settings.log, LogSettings { level: "warn".into(), format: LogFormat::Json });
}

#[test]
fn a_value_that_looks_like_a_number_still_serves_as_a_string() {
    let settings = layered("", &[("XUNJIAN__DATABASE__OS_USER", "1001")]).unwrap();
    assert_eq!(settings.database.os_user, "1001");
}

#[test]
fn relative_paths_stand_on_the_folder_of_their_file() {
    let settings = layered("data_dir = \"state\"\n[database]\nbin_dir = \"../pg\"", &[]).unwrap();
    assert_eq!(settings.data_dir, Path::new("/etc/somewhere/state"));
    assert_eq!(settings.database.bin_dir, Path::new("/etc/somewhere/../pg"));
    let settings = layered("", &[("XUNJIAN__DATA_DIR", "state")]).unwrap();
    assert_eq!(settings.data_dir, std::path::absolute("state").unwrap());
}

#[test]
fn a_wrong_variable_is_named_and_all_of_them_are() {
    let variables = [
        ("XUNJIAN__DATABASE__CONECTIONS", "5"),
        ("XUNJIAN__DATABASE__CONNECTIONS_MAX", "many"),
        ("XUNJIAN__DATABASE__URL", "mysql://x"),
        ("XUNJIAN__NOTHING__AT_ALL", "5"),
        ("XUNJIAN____LOG", "5"),
    ];
    let problems = layered("", &variables).unwrap_err();
    assert_eq!(problems.len(), variables.len(), "{problems:#?}");
    for (name, _) in variables {
        let start = format!("environment:0: {name}: ");
        assert!(problems.iter().any(|p| p.starts_with(&start)), "{name}: {problems:#?}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let url = "postgres://me:hunter2@db/x?password=hunter2&sslmode=require";
    let settings = layered("", &[("XUNJIAN__DATABASE__URL", url)]).unwrap();
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("sslmode=require") && shown.contains("@db/x"), "{shown}");
}

#[test]
fn a_user_agent_with_an_address_in_it_is_shown() {
    let agent = "xunjian/0.1 (+https://www.example.gov.cn/about)";
    let settings = layered(&format!("[fetch]\nuser_agent = \"{agent}\""), &[]).unwrap();
    assert!(settings.to_redacted_toml().contains(agent));
}

#[test]
fn hosts_can_be_set_in_the_environment_one_map_at_a_time() {
    let variables = [
        ("XUNJIAN__FETCH__CONNECT_TO", r#"{ "*.lucheng.example" = "127.0.0.1:4000" }"#),
        ("XUNJIAN__HTTP__LISTEN", "127.0.0.1:0"),
    ];
    let text = "[fetch.connect_to]\n\"m.weibo.cn\" = \"127.0.0.1:4000\"";
    let settings = layered(text, &variables).unwrap();
    assert_eq!(settings.fetch.connect_to.len(), 2);
    assert_eq!(settings.http.listen.port(), 0);
}

/// Each fixture lists at its end, as `#! line: field: part of the reason`, all that is wrong.
#[test]
fn every_invalid_file_is_refused_with_every_place_and_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/settings");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("#! ")).collect();
        assert!(!expected.is_empty(), "{file} expects nothing");
        let source = SourceText { file: file.clone(), text: text.clone() };
        let problems = Settings::from_layers(Some(&source), &[]).unwrap_err();
        assert_eq!(problems.len(), expected.len(), "{file}: {problems:#?}");
        for (problem, expected) in problems.iter().zip(expected) {
            let (place, reason) = expected.rsplit_once(": ").unwrap();
            let shown = problem.to_string();
            assert!(shown.starts_with(&format!("{file}:{place}: ")), "{shown} at {place}");
            assert!(problem.reason.contains(reason), "{shown} because {reason}");
        }
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} invalid files");
}
