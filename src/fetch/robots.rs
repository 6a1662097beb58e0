//! robots.txt (RFC 9309): reads the file and judges a path. Pure.

/// How much of a robots.txt is read (RFC 9309 section 2.5).
pub(super) const ROBOTS_MAX_BYTES: usize = 500 * 1024;

/// The rules of one robots.txt that speak to us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RobotsRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// What stands between the `*`; the first part is anchored at the start of the path.
    parts: Vec<String>,
    /// Whether a `$` anchors the last part at the end.
    anchored: bool,
    /// Length in octets: the longer rule wins.
    length: usize,
    /// As written, for messages.
    written: String,
}

/// Whom a group of rules speaks to.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Audience {
    us: bool,
    everybody: bool,
}

impl RobotsRules {
    /// Reads the groups that name `product_token`; without any, those for `*` (section 2.2.1).
    pub(super) fn parse(body: &[u8], product_token: &str) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let text = String::from_utf8_lossy(&body[..body.len().min(ROBOTS_MAX_BYTES)]);
        let mut ours = None;
        let mut common = Vec::new();
        let mut audience = Audience::default();
        // Lines naming an agent pile up until the first rule; the next such line begins anew.
        let mut naming = false;
        for line in text.split(['\n', '\r']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if !naming {
                        audience = Audience::default();
                    }
                    naming = true;
                    audience.us |= agent_name(value).eq_ignore_ascii_case(product_token);
                    audience.everybody |= value == "*";
                    if audience.us {
                        // A group without rules still is the one that speaks to us.
                        ours.get_or_insert_with(Vec::new);
                    }
                }
                "allow" | "disallow" => {
                    naming = false;
                    let Some(pattern) = Pattern::read(value) else { continue };
                    let rule = Rule { allow: key == "allow", pattern };
                    if let Some(ours) = ours.as_mut().filter(|_| audience.us) {
                        ours.push(rule.clone());
                    }
                    if audience.everybody {
                        common.push(rule);
                    }
                }
                _ => {}
            }
        }
        Self { rules: ours.unwrap_or(common) }
    }

    /// The rule that refuses a path with its query (`/list?page=2`), as written; `None`: allowed.
    ///
    /// The longest matching rule wins, `Allow` on a tie (section 2.2.2); robots.txt itself is
    /// always allowed.
    pub(super) fn refusal(&self, path: &str) -> Option<String> {
        if path == "/robots.txt" {
            return None;
        }
        let path = normalise(path, true);
        let matching = self.rules.iter().filter(|rule| rule.pattern.matches(&path));
        let rule = matching.max_by_key(|rule| (rule.pattern.length, rule.allow))?;
        (!rule.allow).then(|| format!("Disallow: {}", rule.pattern.written))
    }
}

/// The product token at the head of a `User-agent` value: letters, `-` and `_`.
fn agent_name(value: &str) -> &str {
    let end = value.find(|one: char| !(one.is_ascii_alphabetic() || one == '-' || one == '_'));
    &value[..end.unwrap_or(value.len())]
}

impl Pattern {
    /// `None` for an empty value, which is no rule.
    fn read(written: &str) -> Option<Self> {
        if written.is_empty() {
            return None;
        }
        let (body, anchored) = match written.strip_suffix('$') {
            Some(body) => (body, true),
            None => (written, false),
        };
        let body = normalise(body, false);
        let parts = body.split('*').map(str::to_owned).collect();
        let length = body.len() + usize::from(anchored);
        let written = written.chars().take(200).collect();
        Some(Self { parts, anchored, length, written })
    }

    fn matches(&self, path: &str) -> bool {
        let Some((first, others)) = self.parts.split_first() else { return false };
        let Some(mut rest) = path.strip_prefix(first.as_str()) else { return false };
        let Some((last, middle)) = others.split_last() else {
            return !self.anchored || rest.is_empty();
        };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        if self.anchored { rest.ends_with(last.as_str()) } else { rest.contains(last.as_str()) }
    }
}

/// One spelling for equal paths (RFC 9309 section 2.2.2, RFC 3986 section 6.2.2): octets outside
/// ASCII are percent-encoded, escapes of unreserved characters undone, others in upper case. In a
/// path a literal `*` is escaped, so that it meets only an escaped one; a `$` is, in both.
fn normalise(text: &str, is_path: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let escaped = (byte == b'%').then(|| escape_at(bytes, at)).flatten();
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(one) if one.is_ascii_alphanumeric() || b"-._~".contains(&one) => {
                out.push(char::from(one));
            }
            Some(one) => push_escaped(&mut out, one),
            None if !byte.is_ascii() || byte == b'$' || (byte == b'*' && is_path) => {
                push_escaped(&mut out, byte);
            }
            None => out.push(char::from(byte)),
        }
    }
    out
}

fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |index: usize| char::from(*bytes.get(index)?).to_digit(16);
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

fn push_escaped(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(robots: &str, cases: &[(&str, bool)]) {
        let rules = RobotsRules::parse(robots.as_bytes(), "xunjian");
        for (path, allowed) in cases {
            assert_eq!(rules.refusal(path).is_none(), *allowed, "{path} under\n{robots}");
        }
    }

    #[test]
    fn the_group_that_names_us_wins_over_everybody() {
        check(
            "User-agent: *\nDisallow: /\n\nUser-agent: Xunjian\nDisallow: /private\n",
            &[("/", true), ("/list", true), ("/private/a", false)],
        );
        check("User-agent: other\nDisallow: /\n", &[("/", true)]);
        check("User-agent: xunjianbot\nDisallow: /\n", &[("/", true)]);
        check("User-agent: xunjian/2.0\nDisallow: /\n", &[("/", false)]);
        check("User-agent: *\nDisallow: /\n\nUser-agent: xunjian\n", &[("/", true)]);
        check("User-agent: *\nDisallow: /\nUser-agent: xunjian\nDisallow:\n", &[("/a", true)]);
    }

    #[test]
    fn groups_of_one_agent_are_one_group_and_agents_share_rules() {
        check(
            "User-agent: xunjian\nDisallow: /a\n\nUser-agent: *\nDisallow: /x\n\n\
             User-agent: xunjian\nDisallow: /b\n",
            &[("/a", false), ("/b", false), ("/x", true)],
        );
        check(
            "User-agent: one\nUser-agent: xunjian\nSitemap: /s.xml\nUser-agent: two\n\
             Disallow: /a\n",
            &[("/a", false)],
        );
        check("User-agent: xunjian\nDisallow: /a\nUser-agent: two\nDisallow: /b", &[("/b", true)]);
    }

    #[test]
    fn the_longest_rule_wins_and_allow_wins_a_tie() {
        check(
            "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b/c\n",
            &[("/a/x", false), ("/a/b", true), ("/a/b/c", false)],
        );
        check("User-agent: *\nDisallow: /page\nAllow: /page\n", &[("/page", true)]);
        check("User-agent: *\nAllow: /page\nDisallow: /*.htm\n", &[("/page.htm", false)]);
        check("User-agent: *\nDisallow: /\nAllow: /$\n", &[("/", true), ("/page", false)]);
    }

    #[test]
    fn stars_and_ends_are_wildcards() {
        check(
            "User-agent: *\nDisallow: /fish*.php\n",
            &[("/fish.php", false), ("/fishes/a.php?id=1", false), ("/Fish.php", true)],
        );
        check(
            "User-agent: *\nDisallow: /*.php$\n",
            &[("/a.php", false), ("/a/b.php", false), ("/a.php?x", true), ("/a.php5", true)],
        );
        check("User-agent: *\nDisallow: *\n", &[("/", false), ("/a", false)]);
        check("User-agent: *\nDisallow: /a*b*c$\n", &[("/axbxc", false), ("/abcx", true)]);
        check("User-agent: *\nDisallow: /ab*b$\n", &[("/ab", true), ("/abb", false)]);
        check("User-agent: *\nDisallow: /a$\n", &[("/a", false), ("/aa", true)]);
        check("User-agent: *\nDisallow: /a$b\n", &[("/a$b", false), ("/a", true)]);
    }

    #[test]
    fn spellings_of_one_path_are_equal() {
        check("User-agent: *\nDisallow: /政务\n", &[("/%E6%94%BF%E5%8A%A1", false)]);
        check("User-agent: *\nDisallow: /%e6%94%bf\n", &[("/%E6%94%BF/a", false)]);
        check("User-agent: *\nDisallow: /%61bc\n", &[("/abc", false)]);
        check("User-agent: *\nDisallow: /a%2Fb\n", &[("/a/b", true), ("/a%2fb", false)]);
        check("User-agent: *\nDisallow: /x%2A\n", &[("/x*", false), ("/xy", true)]);
        check("User-agent: *\nDisallow: /bad%\n", &[("/bad%", false)]);
    }

    #[test]
    fn untidy_files_are_read_as_far_as_they_go() {
        check("\u{feff}User-agent: *\r\nDisallow: /a\r\n", &[("/a", false)]);
        check("user-AGENT : *\rDISALLOW : /a # why\r", &[("/a", false), ("/b", true)]);
        check("Disallow: /\nUser-agent: *\nDisallow: /a\n", &[("/b", true)]);
        check("<html>404</html>", &[("/", true)]);
        check("", &[("/", true)]);
        check("User-agent: *\nDisallow:\n", &[("/", true)]);
        check("User-agent: *\nDisallow: /\n", &[("/robots.txt", true)]);
        check("User-agent: *\nDisallow: /*?\n", &[("/a?b=1", false), ("/a", true)]);
        let rules = RobotsRules::parse(b"\xff\xfe: \nUser-agent: *\nDisallow: /a", "xunjian");
        assert_eq!(rules.refusal("/a").as_deref(), Some("Disallow: /a"));
    }

    #[test]
    fn only_the_first_500_kib_count() {
        let padding = "#".repeat(ROBOTS_MAX_BYTES);
        check(
            &format!("User-agent: *\nDisallow: /a\n{padding}\nDisallow: /b"),
            &[("/a", false), ("/b", true)],
        );
    }
}
