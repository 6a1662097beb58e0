use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::domain::SourceText;
use crate::platform::Catalog;

use super::*;

/// What is kept of an answer by a layout with an item's paths.
fn kept(items: &str, title: &str, answer: &Value) -> Value {
    let asked = asked(items, title).expect("only names are asked for");
    parse(&answer.to_string(), Some(&asked)).unwrap()
}

/// The names that such a layout asks for.
fn asked(items: &str, title: &str) -> Option<Names> {
    let text = format!(
        "id = \"a\"\ntitle = \"甲\"\nobservability = \"public_page\"\n[pages.list]\n\
         role = \"list\"\nlists = \"all\"\nidentity = \"nobody\"\norder = \"unordered\"\n\
         verified = \"never\"\nformat = \"json\"\nitems = {items:?}\n[pages.list.item]\n\
         title = {title:?}\n"
    );
    let catalog = Catalog::compile(&[SourceText { file: "a.toml".into(), text }]);
    let catalog = catalog.unwrap_or_else(|problems| panic!("{problems:?}"));
    let layout = &catalog.get("a").unwrap().pages["list"].layouts[0];
    layout.asked.clone()
}

#[test]
fn what_no_path_can_reach_is_left_out() {
    let answer = json!({
        "list": [{ "title": "甲", "n": 1, "far": { "off": { "deep": 1 } } }, { "n": 2 }, {}],
        "other": "text", "lists": { "a": 1 }, "tags": ["b"], "x": { "y": { "title": [2] } },
    });
    let wanted = json!({
        "list": [{ "title": "甲" }, { "n": null }, {}],
        "lists": { "a": null }, "tags": [null], "x": { "y": { "title": [2] } },
    });
    assert_eq!(kept("$.list[*]", "$.title", &answer), wanted);
    let twice = r#"{"list":[{"title":1,"x":{"title":2},"x":3}]}"#;
    let last = json!({ "list": [{ "title": 1 }] });
    assert_eq!(parse(twice, asked("$.list[*]", "$.title").as_ref()).unwrap(), last);
    assert!(asked("$.list[*]", "$").is_none(), "a text in an object's place is an item");
    let none = json!({ "list": [{ "title": "甲" }, { "n": null }, {}],
        "x": { "y": { "title": [2] } } });
    assert_eq!(kept("$..list", "$.title", &answer), none);
}

/// The library's own reading, but for halves of pairs of surrogates, which it refuses.
#[track_caller]
fn check(text: &str) {
    let (ours, wanted) = (parse(text, None), serde_json::from_str::<Value>(text));
    assert_eq!(ours.ok(), wanted.ok(), "{text:?}");
}

#[test]
fn answers_are_read_as_the_library_reads_them() {
    let texts = [
        "",
        " ",
        "null",
        " [ ] ",
        "\t{\r\n}\n",
        "[1,2,]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":}",
        "{a:1}",
        "{,}",
        "[",
        "{\"a\"",
        "[]]",
        "truely",
        "[tru]",
        "nul",
        "\u{feff}{}",
        "[0,-0,10,-1,01,-]",
        "[0,-0,10,-1]",
        "[1.5,1e3,1E-3,1e+3,0.0]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[1e999]",
        "[999999999999999999,9999999999999999999,18446744073709551616,1e400]",
        "[999999999999999999,9999999999999999999,18446744073709551616]",
        r#"["a\"b\\c\/\b\f\n\r\t\u00e9\u4e2d\ud83d\ude00 中文"]"#,
        r#"["\x"]"#,
        r#"["\u12g4"]"#,
        r#"["\u+123"]"#,
        r#"["\u12"#,
        r#"["\"#,
        r#"["\u中中"]"#,
        r#"{"a\u0062":1,"ab":2,"é":3}"#,
        "[\"a\nb\"]",
        "[\"a\u{1f}b\"]",
        "[\"01234567\u{1f}\"]",
        "[\"0123456789abcdef中文中文中文\",\"\u{7f}\u{80}\"]",
    ];
    texts.into_iter().for_each(check);
    for depth in [126, 127, 128, 100_000] {
        check(&("[".repeat(depth) + &"]".repeat(depth)));
        check(&(r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth)));
    }
}

#[test]
fn texts_that_were_cut_short_are_marked_and_read() {
    let cut = r#"["微博\ud83d","\ude00\ud83d微","\ud83d\ud83d\ude00","\ud83dx\ude00"]"#;
    let wanted = json!(["微博\u{fffd}", "\u{fffd}\u{fffd}微", "\u{fffd}😀", "\u{fffd}x\u{fffd}"]);
    assert_eq!(parse(cut, None).unwrap(), wanted);
    assert!(serde_json::from_str::<Value>(cut).is_err());
}

#[test]
fn a_value_is_read_whatever_follows() {
    assert_eq!(first(" {\"a\": [1]};</script>"), Some(json!({ "a": [1] })));
    assert_eq!(first("{\"a\": [1}"), None);
}

fn answers() -> impl Strategy<Value = Value> {
    let text = "[a-c\"\\\\\\n\u{1}中é😀]{0,12}".prop_map(Value::from);
    let number =
        prop_oneof![any::<u64>().prop_map(Value::from), any::<f64>().prop_map(Value::from)];
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number, text];
    leaf.prop_recursive(5, 48, 6, |inner| {
        let name = prop_oneof![Just("list"), Just("title"), Just("other"), Just("x")];
        let member = (name.prop_map(str::to_owned), inner.clone());
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            vec(member, 0..6).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

/// The titles of items that hold anything: texts and numbers as they are, of all else whether it
/// holds anything.
fn titles(answer: &Value, items: &str) -> Vec<Vec<Value>> {
    let query = |path: &str| serde_json_path::JsonPath::parse(path).unwrap();
    let (items, title) = (query(items), query("$.title"));
    let shown = |value: &Value| match value {
        Value::Array(list) => json!([list.is_empty()]),
        Value::Object(members) => json!([members.is_empty()]),
        plain => plain.clone(),
    };
    let of = |item| title.query(item).all().into_iter().map(shown).collect();
    let holds_any = |item: &&Value| item.as_object().is_some_and(|item| !item.is_empty());
    items.query(answer).all().into_iter().filter(holds_any).map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_answer_is_read_as_the_library_reads_it(
        answer in answers(), cut in 0_usize..400, damage in "[]\\[{}:,\"\\\\0-9eut. ]{0,3}"
    ) {
        for text in [answer.to_string(), format!("{answer:#}")] {
            check(&text);
            let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            check(&text[..at]);
            check(&format!("{}{damage}{}", &text[..at], &text[at..]));
        }
    }

    #[test]
    fn what_paths_ask_for_is_as_in_the_whole_answer(answer in answers()) {
        // A number may come back from its text as its neighbour.
        let text = answer.to_string();
        let whole: Value = serde_json::from_str(&text).unwrap();
        for items in ["$.list[*]", "$..list", "$.list[*][*]", "$..list[*]"] {
            let kept = parse(&text, asked(items, "$.title").as_ref()).unwrap();
            prop_assert_eq!(titles(&kept, items), titles(&whole, items), "{}", text);
        }
    }
}
