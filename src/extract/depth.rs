//! How deep a page goes, told before it is parsed.

/// How deep the tags of a text go at most, before any parsing.
pub(super) fn tags_left_open(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let ends = rest.starts_with('/');
        let name = rest.strip_prefix('/').unwrap_or(rest);
        let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = &name[..length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || is_endless(name.as_bytes()) {
            continue;
        }
        if ends {
            open = open.saturating_sub(1);
            continue;
        }
        if ["script", "style"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            rest = rest.find("</").map_or("", |end| &rest[end..]);
        }
        open += 1;
        most = most.max(open);
    }
    most
}

/// Elements that have no end or need none: their number says nothing about the depth.
fn is_endless(name: &[u8]) -> bool {
    let mut lower = [0_u8; 6];
    let Some(lower) = lower.get_mut(..name.len()) else { return false };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"dd"
            | b"dt"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"li"
            | b"link"
            | b"meta"
            | b"option"
            | b"p"
            | b"param"
            | b"source"
            | b"td"
            | b"th"
            | b"tr"
            | b"tbody"
            | b"thead"
            | b"track"
            | b"wbr"
    )
}
