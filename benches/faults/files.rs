use xunjian::domain::SourceText;
use xunjian::platform::Catalog;

/// Addresses that one version of a platform file leaves out.
const LEFT_OUT: &str = r#"{ at = "a[href]", attr = "href", matches = '4444\.html' }"#;

/// The shipped platform files, and some of them changed for the stage.
pub(super) fn catalog() -> Catalog {
    let mut files: Vec<(String, String)> = ["weibo", "wechat", "portal", "feed"]
        .into_iter()
        .map(|id| (id.to_owned(), shipped(id)))
        .collect();
    let portal = shipped("portal");
    let column = portal_section(&portal).replace("[pages.list", "[pages.column");
    let column = column.replace("[[pages.list", "[[pages.column");
    for (id, text) in [
        (
            "portal_reviewed",
            swap(&portal, "visibility_lag_hours = 24", "visibility_lag_hours = 120"),
        ),
        ("portal_old", skipping(&portal)),
        ("portal_two", format!("{portal}\n{}", skipping(&column))),
        ("portal_unverified", swap(&portal, "verified = 2026-10-03", "verified = \"never\"")),
        ("portal_uncached", swap(&portal, "cache_buster = \"_\"\n", "")),
        ("feed_parts", in_parts(&shipped("feed"))),
    ] {
        files.push((id.to_owned(), renamed(id, &text)));
    }
    let files: Vec<SourceText> = files
        .into_iter()
        .map(|(id, text)| SourceText { file: format!("config/platforms/{id}.toml"), text })
        .collect();
    match Catalog::compile(&files) {
        Ok(catalog) => catalog,
        Err(problems) => panic!("platform files of the suite: {problems:#?}"),
    }
}

fn shipped(id: &str) -> String {
    let path = format!("{}/config/platforms/{id}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("shipped with the code")
}

fn swap(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the shipped file no longer says {from:?}");
    text.replacen(from, to, 1)
}

/// The same file under another id; names must be unique in a catalog.
fn renamed(id: &str, text: &str) -> String {
    let pages = text.find("\n[").expect("the shipped file has page kinds");
    let lines = text[..pages].lines().filter(|line| !line.starts_with("aliases = "));
    let head = lines.map(|line| match line {
        _ if line.starts_with("id = ") => format!("id = \"{id}\""),
        _ if line.starts_with("title = ") => format!("title = \"{id}\""),
        _ => line.to_owned(),
    });
    format!("{}\n{}", head.collect::<Vec<_>>().join("\n"), &text[pages..])
}

/// The same page kind, leaving out what [`LEFT_OUT`] names as well.
fn skipping(text: &str) -> String {
    swap(text, "\nskip = [\n", &format!("\nskip = [\n  {LEFT_OUT},\n"))
}

/// All that a file says of its page kind `list`.
fn portal_section(text: &str) -> String {
    let start = text.find("[pages.list]").expect("the shipped file has a page kind list");
    let mut section = String::new();
    for line in text[start..].lines() {
        let header = line.trim_start_matches('[');
        if line.starts_with('[') && !header.starts_with("pages.list") {
            break;
        }
        section.push_str(line);
        section.push('\n');
    }
    section
}

/// A feed that shows its posts in two lists.
fn in_parts(text: &str) -> String {
    let start = text.find("[pages.feed]").expect("the shipped file has a page kind feed");
    let (head, section) = text.split_at(start);
    let part = |number: usize| {
        let section = section.replace("pages.feed", &format!("pages.feed_{number}"));
        let section = swap(&section, "lists = \"all\"", &format!("lists = \"part_{number}\""));
        swap(&section, "url = \"{handle}\"", &format!("url = \"{{handle}}?part={number}\""))
    };
    format!("{head}{}\n{}", part(0), part(1))
}
