use std::fmt;

use regex::{Captures, Regex};
use regex_syntax::hir::literal::{ExtractKind, Extractor};

/// A pattern for the raw text of a page.
#[derive(Debug, Clone)]
pub struct Raw {
    pattern: Regex,
    /// What every match ends with, where that is one of a few words: a page without them is passed
    /// over many bytes at a time, where the pattern alone would be tried at each of its tags.
    ends: Option<Regex>,
}

impl Raw {
    pub(super) fn new(pattern: Regex) -> Self {
        let ends = ends(pattern.as_str());
        Self { pattern, ends }
    }

    /// The groups of the first match.
    pub fn captures<'text>(&self, text: &'text str) -> Option<Captures<'text>> {
        let may_match = self.ends.as_ref().is_none_or(|ends| ends.is_match(text));
        if may_match { self.pattern.captures(text) } else { None }
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)
    }
}

/// Shorter ends are found too often to be looked for first.
const BYTES_MIN: usize = 3;

fn ends(pattern: &str) -> Option<Regex> {
    let pattern = regex_syntax::parse(pattern).ok()?;
    let ends = Extractor::new().kind(ExtractKind::Suffix).extract(&pattern);
    let words = ends.literals()?.iter().map(|end| {
        let word = str::from_utf8(end.as_bytes()).ok()?;
        (word.len() >= BYTES_MIN).then(|| regex::escape(word))
    });
    let words: Vec<String> = words.collect::<Option<_>>()?;
    if words.is_empty() { None } else { Regex::new(&words.join("|")).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: Option<&str>) {
        assert_eq!(ends(pattern).as_ref().map(Regex::as_str), expected, "{pattern}");
    }

    #[test]
    fn a_pattern_that_ends_with_one_of_a_few_words_is_known_by_them() {
        check(r#"<a\s+href="([^"]+)"[^>]*>(?:下一页|下页)"#, Some(">下一页|>下页"));
        check(r"id=(\d+)\.html", Some(r"\.html"));
        check("第[1-3]+条", Some("1条|2条|3条"));
        check(r"list\((\d+)\)", None);
        check(r"\d+", None);
        check("a{1,9}", None);
        check("", None);
    }

    #[test]
    fn a_page_is_read_the_same_with_and_without_a_look_at_the_end() {
        let pattern = Regex::new(r#"href="([^"]+)">(?:<b>)?(?:下一页|下页)"#).unwrap();
        let raw = Raw::new(pattern.clone());
        assert!(raw.ends.is_some());
        for text in [
            "",
            r#"<a href="1.html">下一</a>"#,
            r#"<a href="1.html">上一页</a><a href="2.html"><b>下页</b></a>"#,
            r#"下一页<a href="2.html">下一页"#,
            r#"下一页 <a href="2.html">尾页"#,
        ] {
            let of = |found: Option<Captures<'_>>| found.map(|found| found[1].to_owned());
            assert_eq!(of(raw.captures(text)), of(pattern.captures(text)), "{text}");
        }
    }
}
