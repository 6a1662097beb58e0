//! Which encoding a body is really in: a declaration is no proof.

use std::borrow::Cow;
use std::sync::LazyLock;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, UTF_8};
use regex::bytes::Regex;

static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i-u)(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_:.\-]+)"#)
        .expect("a fixed pattern")
});

/// How far into a body its own declaration is looked for, in bytes.
const DECLARATION_WITHIN: usize = 4096;

/// Decodes a body: byte order mark, then what the bytes themselves prove, then the header, then the
/// declaration inside, then a guess.
///
/// Valid UTF-8 with a character beyond ASCII is never anything else by chance. A few broken bytes
/// in UTF-8 (a page cut in the middle of a character) do not make it another encoding.
pub(crate) fn decode<'b>(body: &'b [u8], content_type: Option<&str>) -> Cow<'b, str> {
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[length..]).0;
    }
    let head = &body[..body.len().min(DECLARATION_WITHIN)];
    let declared = [content_type.map(str::as_bytes), Some(head)]
        .into_iter()
        .flatten()
        .find_map(|text| Encoding::for_label(&DECLARED.captures(text)?[1]));
    if let Ok(text) = std::str::from_utf8(body)
        && declared != Some(encoding_rs::ISO_2022_JP)
    {
        return Cow::Borrowed(text);
    }
    let encoding = match declared {
        Some(encoding) if encoding != UTF_8 && decodes(encoding, body) => encoding,
        _ if mostly_utf8(body) => UTF_8,
        _ if decodes(GB18030, body) => GB18030,
        Some(encoding) if encoding != UTF_8 => encoding,
        _ => guess(body),
    };
    encoding.decode_without_bom_handling(body).0
}

fn decodes(encoding: &'static Encoding, body: &[u8]) -> bool {
    encoding.decode_without_bom_handling_and_without_replacement(body).is_some()
}

/// At most one broken sequence in a hundred characters beyond ASCII.
fn mostly_utf8(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let broken = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let beyond = text.chars().filter(|c| !c.is_ascii()).count();
    broken * 100 <= beyond
}

fn guess(body: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(body, true);
    detector.guess(Some(b"cn"), Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], content_type: Option<&str>, wanted: &str) {
        assert!(decode(body, content_type).contains(wanted), "{content_type:?} {wanted}");
    }

    #[test]
    fn the_bytes_are_believed_before_the_declaration() {
        let gb = |text: &str| GB18030.encode(text).0.into_owned();
        let page = "<meta charset=gb2312><p>巡检测试页面镕</p>";
        check(page.as_bytes(), Some("text/html; charset=GB2312"), "巡检测试页面镕");
        check(&gb(page), None, "巡检测试页面镕");
        check(
            &gb("<meta charset=utf-8><p>巡检测试页面</p>"),
            Some("text/html; charset=utf-8"),
            "巡检",
        );
        check(&gb("没有声明的页面"), None, "没有声明的页面");
        check(b"\xef\xbb\xbf\xe4\xb8\xad", Some("text/html; charset=gbk"), "中");
        check(b"\xfe\xff\x4e\x2d", None, "中");
    }

    #[test]
    fn a_page_cut_inside_a_character_stays_utf_8() {
        let text = "巡检".repeat(200);
        check(&text.as_bytes()[..text.len() - 1], None, "巡检巡检");
    }

    #[test]
    fn other_encodings_are_read_as_declared() {
        let text = encoding_rs::WINDOWS_1251.encode("<?xml encoding=\"windows-1251\"?>Цитата").0;
        check(&text, None, "Цитата");
    }
}
