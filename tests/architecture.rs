//! The map, made executable: who may use whom, how long things may be, what is absent.
//!
//! `src/ARCHITECTURE.md` says why; this file is the table itself. A change that fights it changes
//! the table on purpose, in a commit of its own.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Every top-level module with its level. A module may use strictly lower levels only, so the
/// stages (level 2) never import each other.
const LAYERS: &[(&str, u8)] = &[
    ("main", 6),
    ("cli", 6),
    ("app", 5),
    ("simulator", 5),
    ("http", 4),
    ("settings", 4),
    ("jobs", 3),
    ("registry", 2),
    ("schedule", 2),
    ("fetch", 2),
    ("extract", 2),
    ("evidence", 2),
    ("store", 2),
    ("score", 2),
    ("alert", 2),
    ("notify", 2),
    ("metrics", 2),
    ("report", 2),
    ("archive", 2),
    ("calendar", 1),
    ("platform", 1),
    ("scheme", 1),
    ("observe", 1),
    ("domain", 0),
    ("html", 0),
];

/// Modules narrower than their level allows, with what they may use.
const NARROWER: &[(&str, &[&str])] = &[("simulator", &["domain", "platform"])];

/// Imports within one level that are allowed all the same, as (who, whom): `settings` composes what
/// every other module calls its `Settings`, and a test of its own holds it to that.
const SIDEWAYS: &[(&str, &str)] = &[("settings", "http")];

/// No async, no IO, no clock: the same arguments give the same answer for ever.
const PURE: &[&str] = &[
    "alert", "calendar", "domain", "html", "observe", "platform", "scheme", "schedule", "extract",
    "score", "report",
];

const FILE_LINES_WANTED: usize = 250;
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Files longer than wanted, each with its reason. The list may only shrink: an entry that is no
/// longer needed fails the test.
const LONGER_FILES: &[(&str, &str)] = &[
    ("cli/demo/mod.rs", "the whole demo from its start to its end"),
    ("fetch/turn.rs", "everything that decides when a host may be asked"),
    ("jobs/crawl/gather.rs", "one visit's pages, from the first request to the last"),
    ("jobs/crawl/visit.rs", "one visit from its request to its record"),
    ("store/score_inputs.rs", "one stream, and everything that scores read"),
    ("extract/moment.rs", "every written form of a time in one place, so that none is missed"),
    ("extract/reader.rs", "the one interpreter of field sources"),
    ("observe/judge.rs", "the order of the verdicts is read in one go"),
    ("observe/view.rs", "what a history shows, each view a few lines"),
    ("observe/site.rs", "the site rules and what each of them proves, read side by side"),
    ("observe/visit.rs", "one visit from reading to outcome"),
    ("platform/compile.rs", "every rule of a platform file beside its problem"),
    ("store/claim.rs", "the one statement of claims, with every column it hands out"),
    ("store/finish.rs", "everything of a batch in one transaction, in its order"),
    ("store/imports.rs", "one table group"),
    ("store/ledger.rs", "one table group, and its many columns"),
];

/// Functions that are one SQL statement with a line for each column; the list may only shrink.
const LONGER_FUNCTIONS: &[(&str, &str)] = &[
    ("store/claim.rs", "claim_of"),
    ("store/finish.rs", "hand_back"),
    ("store/relisting.rs", "update"),
];

/// Sequences of tokens that may stand only in the modules named, with the reason.
const KEPT_TO: &[(&str, &[&str], &str)] = &[
    ("sqlx ::", &["store"], "only store has SQL"),
    (
        "reqwest ::",
        &["fetch", "notify"],
        "only fetch owns a crawling client; notify sends messages",
    ),
    ("env :: var", &["settings"], "only settings reads the environment"),
    ("Utc :: now", &["app"], "time is handed in as a domain::Clock"),
    ("SystemTime :: now", &["app"], "time is handed in as a domain::Clock"),
    ("tokio :: spawn", &[], "tasks are spawned through the lifecycle's tracker"),
    ("todo !", &[], "no stubs"),
    ("unimplemented !", &[], "no stubs"),
    ("process :: exit", &[], "exit codes are returned, so that everything is dropped first"),
];

const BANNED_NAME_ENDINGS: &[&str] = &["Manager", "Helper", "Helpers", "Util", "Utils"];

struct SourceFile {
    path: String,
    module: String,
    text: String,
    syntax: syn::File,
}

impl SourceFile {
    fn level(&self) -> Option<u8> {
        level_of(&self.module)
    }

    /// The tokens of everything that is not test code, joined by single blanks.
    fn tokens(&self) -> String {
        let mut words = Vec::new();
        for item in self.syntax.items.iter().filter(|item| !is_test_code(item)) {
            flatten(item.to_token_stream(), &mut words);
        }
        words.join(" ")
    }

    fn lines_of_code(&self) -> usize {
        let test_lines: usize = self
            .syntax
            .items
            .iter()
            .filter(|item| is_test_code(item))
            .map(|item| item.span().end().line - item.span().start().line + 1)
            .sum();
        self.text.lines().count() - test_lines
    }
}

fn level_of(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, level)| *level)
}

fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    _ => ("(", ")"),
                };
                words.push(open.to_owned());
                flatten(group.stream(), words);
                words.push(close.to_owned());
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => match words.last_mut() {
                Some(last) if last == ":" => *last = "::".to_owned(),
                _ => words.push(":".to_owned()),
            },
            other => words.push(other.to_string()),
        }
    }
}

fn is_test_code(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, syn::Meta::List(list)
            if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

/// Every source file that is not a test file of its own (`tests.rs`, `tests/`).
fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let is_test = |path: &str| path.ends_with("/tests.rs") || path.contains("/tests/");
    paths
        .iter()
        .map(|path| {
            (path.strip_prefix(&root).expect("walked below it").display().to_string(), path)
        })
        .filter(|(relative, _)| !is_test(relative))
        .map(|(relative, path)| read(&relative, path))
        .collect()
}

fn read(relative: &str, path: &Path) -> SourceFile {
    let text = fs::read_to_string(path).expect("a source file is readable");
    let first = relative.split('/').next().expect("a path has a first part");
    SourceFile {
        path: relative.to_owned(),
        module: first.trim_end_matches(".rs").to_owned(),
        syntax: syn::parse_file(&text).expect("a source file parses"),
        text,
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("a folder entry is readable").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn refuse(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}

/// The top-level modules a file names through `crate::…`.
fn modules_used(tokens: &str) -> Vec<String> {
    let words: Vec<&str> = tokens.split(' ').collect();
    let mut used = Vec::new();
    for (at, _) in words.windows(2).enumerate().filter(|(_, pair)| *pair == ["crate", "::"]) {
        match words.get(at + 2) {
            Some(&"{") => used.extend(group_heads(&words[at + 3..])),
            Some(word) => used.push((*word).to_owned()),
            None => {}
        }
    }
    used
}

/// The first word of each entry of a brace group `a::b, c, {…} }`.
fn group_heads(words: &[&str]) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut at_head) = (0_usize, true);
    for word in words {
        match *word {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," if depth == 0 => at_head = true,
            _ if at_head && depth == 0 => {
                heads.push((*word).to_owned());
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

#[test]
fn the_reader_of_paths_sees_every_form() {
    for (code, expected) in [
        ("use crate::store::Store;", vec!["store"]),
        (
            "use crate::{domain::{Account, Post}, fetch, store::Store as S};",
            vec!["domain", "fetch", "store"],
        ),
        ("fn f() { log!(crate::http::serve()) }", vec!["http"]),
        ("use std::fs;", vec![]),
    ] {
        let mut words = Vec::new();
        flatten(code.parse().expect("tokens"), &mut words);
        assert_eq!(modules_used(&words.join(" ")), expected, "{code}");
    }
}

#[test]
fn every_module_stands_in_the_layer_table() {
    let unknown: Vec<String> = sources()
        .iter()
        .filter(|file| file.module != "lib" && file.level().is_none())
        .map(|file| file.path.clone())
        .collect();
    refuse("a top-level module has its level in LAYERS", &unknown);
}

#[test]
fn dependencies_point_down_only() {
    let mut violations = Vec::new();
    for file in sources().iter().filter(|file| file.module != "lib") {
        let Some(level) = file.level() else { continue };
        for used in modules_used(&file.tokens()) {
            let Some(other) = level_of(&used) else { continue };
            let narrower = NARROWER.iter().find(|(name, _)| *name == file.module);
            let allowed = match narrower {
                Some((_, only)) => only.contains(&used.as_str()),
                None => other < level || SIDEWAYS.contains(&(&file.module, &used)),
            };
            if used != file.module && !allowed {
                violations.push(format!("{} uses {used}", file.path));
            }
        }
    }
    refuse("a module uses lower levels only", &violations);
}

#[test]
fn settings_sees_nothing_of_a_stage_but_its_settings() {
    let mut violations = Vec::new();
    for file in sources().iter().filter(|file| file.module == "settings") {
        let tokens = file.tokens();
        let words: Vec<&str> = tokens.split(' ').collect();
        for window in words.windows(5).filter(|window| window[..2] == ["crate", "::"]) {
            let (module, item) = (window[2], window[4]);
            let whole = matches!(item, "Settings" | "Policy");
            if module != "settings" && module != "domain" && !whole {
                violations.push(format!("{} uses {module}::{item}", file.path));
            }
        }
    }
    refuse("settings composes the stages' Settings and Policy types", &violations);
}

#[test]
fn files_functions_and_lines_keep_their_budgets() {
    let mut violations = Vec::new();
    for file in sources() {
        let lines = file.lines_of_code();
        let listed = LONGER_FILES.iter().any(|(path, _)| *path == file.path);
        if lines > FILE_LINES_MAX || (lines > FILE_LINES_WANTED && !listed) {
            violations.push(format!("{}: {lines} lines", file.path));
        }
        if listed && lines <= FILE_LINES_WANTED {
            violations.push(format!("{}: no longer needs its place in LONGER_FILES", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX {
                violations.push(format!("{}:{}: longer than a line", file.path, number + 1));
            }
        }
        let mut lengths = FunctionLengths::default();
        lengths.visit_file(&file.syntax);
        for (name, length) in &lengths.found {
            let listed = LONGER_FUNCTIONS.contains(&(file.path.as_str(), name.as_str()));
            if *length > FUNCTION_LINES_MAX && !listed {
                violations.push(format!("{}: {name} has {length} lines", file.path));
            }
            if *length <= FUNCTION_LINES_MAX && listed {
                violations.push(format!("{}: {name} is no longer long", file.path));
            }
        }
    }
    refuse("files, functions and lines keep their budgets", &violations);
}

#[derive(Default)]
struct FunctionLengths {
    found: Vec<(String, usize)>,
}

impl FunctionLengths {
    fn push(&mut self, name: &syn::Ident, block: &syn::Block) {
        let span = block.span();
        self.found.push((name.to_string(), span.end().line - span.start().line + 1));
    }
}

impl<'ast> Visit<'ast> for FunctionLengths {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.push(&function.sig.ident, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.push(&function.sig.ident, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }
}

#[test]
fn what_has_one_home_stays_there() {
    let mut violations = Vec::new();
    for file in sources() {
        let tokens = file.tokens();
        for (sequence, homes, reason) in KEPT_TO {
            if tokens.contains(sequence) && !homes.contains(&file.module.as_str()) {
                violations.push(format!("{}: `{sequence}`: {reason}", file.path));
            }
        }
    }
    refuse("what has one home stays there", &violations);
}

#[test]
fn pure_modules_have_no_async_no_io_and_no_clock() {
    let absent = ["async", "await", "std :: fs", "std :: net", "tokio", "Instant :: now"];
    let mut violations = Vec::new();
    for file in sources().iter().filter(|file| PURE.contains(&file.module.as_str())) {
        let padded = format!(" {} ", file.tokens());
        for word in absent.iter().filter(|word| padded.contains(&format!(" {word} "))) {
            violations.push(format!("{}: `{word}`", file.path));
        }
    }
    refuse("pure modules compute from their arguments alone", &violations);
}

#[test]
fn fetch_has_no_way_to_pretend_to_be_somebody() {
    let absent = ["cookie_store", "cookie_provider", "basic_auth", "captcha", "proxy"];
    let mut violations = Vec::new();
    for file in sources().iter().filter(|file| file.module == "fetch") {
        let tokens = file.tokens().to_lowercase();
        for word in absent.iter().filter(|word| tokens.contains(**word)) {
            // `no_proxy` switches the machine's proxy settings off, which is the opposite.
            if *word != "proxy" || tokens.replace("no_proxy", "").contains("proxy") {
                violations.push(format!("{}: `{word}`", file.path));
            }
        }
    }
    refuse("sites that refuse anonymous readers are not evaded", &violations);
}

#[test]
fn names_say_what_things_are() {
    let mut violations = Vec::new();
    for file in sources() {
        for item in &file.syntax.items {
            let name = match item {
                syn::Item::Struct(item) => item.ident.to_string(),
                syn::Item::Enum(item) => item.ident.to_string(),
                syn::Item::Trait(item) => item.ident.to_string(),
                _ => continue,
            };
            if BANNED_NAME_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                violations.push(format!("{}: {name}", file.path));
            }
        }
    }
    refuse("a type is named for what it is", &violations);
}
