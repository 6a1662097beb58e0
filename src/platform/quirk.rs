use chrono::DateTime;
use digits::{base62_number, base64_text};

/// A named pure function from one text to another, for what paths and patterns cannot say.
///
/// `None`: the text is not of the kind that the function understands.
#[derive(Clone, Copy)]
pub struct Quirk {
    /// The name, as in `as = "…"`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The function.
    pub apply: fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Quirk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Quirk {
    /// The quirk of a name.
    pub fn named(name: &str) -> Option<Self> {
        QUIRKS.iter().find(|quirk| quirk.name == name).copied()
    }
}

/// Every quirk.
pub static QUIRKS: &[Quirk] = &[
    Quirk {
        name: "weibo_id_time",
        about: "the second that a Weibo post id holds, as epoch seconds",
        apply: weibo_id_time,
    },
    Quirk {
        name: "weibo_id_from_base62",
        about: "the numeric Weibo id of the short form in links",
        apply: weibo_id_from_base62,
    },
    Quirk {
        name: "snowflake_time",
        about: "the second in the upper 32 bits of a 64-bit id (Douyin, Toutiao), as epoch seconds",
        apply: snowflake_time,
    },
    Quirk { name: "base64", about: "the text in Base64", apply: |text| Some(base64_text(text)) },
    Quirk {
        name: "script_text",
        about: "undoes the escapes of a script string and of HTML inside it",
        apply: script_text,
    },
    Quirk {
        name: "numbered_next_page",
        about: "`index_1.html` of `3, 0, 'index', 'html'`: pages, this one from 0, name, ending",
        apply: numbered_next_page,
    },
];

/// Weibo ids count milliseconds-like steps of 2^22 since a fixed start: in 2,197 recorded posts
/// this second and the shown minute agree within 90 s.
fn weibo_id_time(text: &str) -> Option<String> {
    let seconds = (text.parse::<u64>().ok()? >> 22).checked_add(515_483_463)?;
    plausible_epoch(seconds)
}

fn snowflake_time(text: &str) -> Option<String> {
    plausible_epoch(text.parse::<u64>().ok()? >> 32)
}

/// Ids of other schemes give times outside the life of these platforms.
fn plausible_epoch(seconds: u64) -> Option<String> {
    let at = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    let year = at.format("%Y").to_string().parse::<i32>().ok()?;
    (2009..2100).contains(&year).then(|| seconds.to_string())
}

/// Groups of four characters from the right are seven decimal digits each.
fn weibo_id_from_base62(text: &str) -> Option<String> {
    if !(5..=10).contains(&text.len()) || !text.is_ascii() {
        return None;
    }
    let mut groups = text.as_bytes().rchunks(4).collect::<Vec<_>>();
    groups.reverse();
    let mut id = String::new();
    for (index, group) in groups.into_iter().enumerate() {
        let number = base62_number(group)?;
        id.push_str(&if index == 0 { number.to_string() } else { format!("{number:07}") });
    }
    Some(id)
}

fn script_text(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next()? {
            'n' | 'r' | 't' => out.push(' '),
            'x' => out.push(escaped(&mut rest, 2)?),
            'u' => out.push(escaped(&mut rest, 4)?),
            other => out.push(other),
        }
    }
    Some(out)
}

/// How sites of one widespread publishing system number a column: `index.html`, `index_1.html`, …
fn numbered_next_page(text: &str) -> Option<String> {
    let parts = text.split(',').map(|part| part.trim().trim_matches(['"', '\'']));
    let [pages, this, name, ending] = parts.collect::<Vec<_>>()[..] else { return None };
    let next = this.parse::<u32>().ok()?.checked_add(1)?;
    (next < pages.parse().ok()?).then(|| format!("{name}_{next}.{ending}"))
}

fn escaped(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let code = rest.take(digits).collect::<String>();
    // Half of a surrogate pair stands for a character outside the basic plane: marked, not guessed.
    let number = u32::from_str_radix(&code, 16).ok()?;
    Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

mod digits {
    const BASE62: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub(super) fn base62_number(digits: &[u8]) -> Option<u64> {
        digits.iter().try_fold(0, |sum: u64, digit| {
            let value = BASE62.iter().position(|one| one == digit)?;
            Some(sum * 62 + value as u64)
        })
    }

    pub(super) fn base64_text(text: &str) -> String {
        let mut out = String::new();
        for chunk in text.as_bytes().chunks(3) {
            let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                let digit = BASE64[(bits >> (18 - 6 * place)) as usize & 63];
                out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, wanted: Option<&str>) {
        let quirk = Quirk::named(name).unwrap();
        assert_eq!((quirk.apply)(text).as_deref(), wanted, "{name} of {text:?}");
    }

    #[test]
    fn quirks_do_what_their_names_say() {
        check("weibo_id_time", "5235751935553593", Some("1763784000"));
        check("weibo_id_time", "12", None);
        check("weibo_id_time", "x", None);
        check("weibo_id_from_base62", "Qf04pniK5", Some("5235751935553593"));
        check("weibo_id_from_base62", "Hy Z", None);
        check("snowflake_time", "7575394597208064777", Some("1763784000"));
        check("base64", "1234567890", Some("MTIzNDU2Nzg5MA=="));
        check("base64", "654321", Some("NjU0MzIx"));
        check("script_text", r"a\x26amp;b\u4e2d\/\'", Some("a&amp;b中/'"));
        check("script_text", r"broken\", None);
        check("numbered_next_page", r#"3, 0, "index", "html""#, Some("index_1.html"));
        check("numbered_next_page", "3,1,'list','shtml'", Some("list_2.shtml"));
        check("numbered_next_page", "3,2,'list','shtml'", None);
    }

    #[test]
    fn names_are_unique() {
        let mut names = QUIRKS.iter().map(|quirk| quirk.name).collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), QUIRKS.len());
    }
}
