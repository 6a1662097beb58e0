//! Numbers as pages write them: plain, grouped, abbreviated, capped.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::Count;
use crate::platform::Rounding;

use super::text::plain;

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<over>超过?|突破|逾|大于|>\s?)?\s*",
        r"(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<fraction>\d{1,6}))?\s*",
        r"(?P<unit>千万|百万|十万|万|亿|千|[wWkKM])?\s*(?P<more>\+|余|以上|多)?",
    ))
    .expect("a fixed pattern")
});

/// The most decimal digits of a number that is believed.
const DIGITS_MAX: usize = 15;

/// Reads a number: `3`, `1,234`, `赞[523801]`, `1.2万`, `3.4亿`, `1.2k`, `10万+`, `超过10万`.
///
/// An abbreviated number gets the bounds its rounding allows; one with a plus is a lower bound,
/// one more than what stands before it. `None`: no number, or several.
pub(crate) fn count(text: &str, rounding: Rounding) -> Option<Count> {
    if !text.is_empty() && text.len() <= DIGITS_MAX && text.bytes().all(|c| c.is_ascii_digit()) {
        return text.parse().ok().map(Count::Exact);
    }
    let text = plain(text);
    let mut found = NUMBER.captures_iter(&text);
    let first = found.next()?;
    let start = first.get(0)?.start();
    // "Nearly 100,000" and "less than" bound it from above only: what it is, nobody says.
    if text[..start].trim_end().ends_with(['近', '足', '<']) {
        return None;
    }
    // A second number would make the choice a guess; a minus or a point before it, no count.
    if found.next().is_some() || text[..start].ends_with(['-', '.']) {
        return None;
    }
    let unit = first.name("unit").map_or(1, |unit| unit_value(unit.as_str()));
    let digits = first["number"].replace(',', "");
    let fraction = first.name("fraction").map_or("", |fraction| fraction.as_str());
    // A whole number written as a float.
    let fraction = if unit == 1 { fraction.trim_end_matches('0') } else { fraction };
    if digits.len() + fraction.len() > DIGITS_MAX || (unit == 1 && !fraction.is_empty()) {
        return None;
    }
    let step = unit / 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let value = format!("{digits}{fraction}").parse::<u64>().ok()?.checked_mul(step.max(1))?;
    if step == 0 {
        return None;
    }
    if first.name("more").is_some() || first.name("over").is_some() {
        let low = value.checked_add(1)?;
        return Some(Count::Bounded { value: low, low, high: None });
    }
    if unit == 1 {
        return Some(Count::Exact(value));
    }
    let half = step / 2;
    let (low, high) = match rounding {
        Rounding::HalfUp => (value.saturating_sub(half), value.saturating_add(step - half - 1)),
        Rounding::Floor => (value, value.saturating_add(step - 1)),
        Rounding::Unknown => (value.saturating_sub(half), value.saturating_add(step - 1)),
    };
    Some(Count::Bounded { value, low, high: Some(high) })
}

fn unit_value(unit: &str) -> u64 {
    match unit {
        "千" | "k" | "K" => 1_000,
        "万" | "w" | "W" => 10_000,
        "十万" => 100_000,
        "百万" | "M" => 1_000_000,
        "千万" => 10_000_000,
        _ => 100_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, rounding: Rounding, wanted: impl Into<Option<Count>>) {
        assert_eq!(count(text, rounding), wanted.into(), "{text:?} {rounding:?}");
    }

    fn bounded(value: u64, low: u64, high: Option<u64>) -> Option<Count> {
        Some(Count::Bounded { value, low, high })
    }

    #[test]
    fn plain_numbers_are_exact() {
        for (text, wanted) in [
            ("0", 0),
            ("348872", 348_872),
            ("1,234,567", 1_234_567),
            ("赞[523801]", 523_801),
            ("阅读 １２３ 次", 123),
            ("&nbsp;42&nbsp;", 42),
            ("40612578", 40_612_578),
            ("１，２３４", 1_234),
            ("12.0", 12),
            ("<b>7</b>条评论", 7),
            ("(8)", 8),
            ("播放：&#49;&#50;", 12),
        ] {
            check(text, Rounding::Unknown, Some(Count::Exact(wanted)));
        }
    }

    #[test]
    fn abbreviated_numbers_have_the_bounds_of_their_rounding() {
        check("1.2万", Rounding::Unknown, bounded(12_000, 11_500, Some(12_999)));
        check("1.2万", Rounding::HalfUp, bounded(12_000, 11_500, Some(12_499)));
        check("1.2万", Rounding::Floor, bounded(12_000, 12_000, Some(12_999)));
        check("35.3万", Rounding::Floor, bounded(353_000, 353_000, Some(353_999)));
        check("1118.5万", Rounding::Floor, bounded(11_185_000, 11_185_000, Some(11_185_999)));
        check("1.35亿", Rounding::Floor, bounded(135_000_000, 135_000_000, Some(135_999_999)));
        check("3.4亿", Rounding::HalfUp, bounded(340_000_000, 335_000_000, Some(344_999_999)));
        check("2w", Rounding::Floor, bounded(20_000, 20_000, Some(29_999)));
        check("1.2k", Rounding::Floor, bounded(1_200, 1_200, Some(1_299)));
        check("3.4M", Rounding::Floor, bounded(3_400_000, 3_400_000, Some(3_499_999)));
        check("10.0万", Rounding::Floor, bounded(100_000, 100_000, Some(100_999)));
        check("1.2345万", Rounding::HalfUp, bounded(12_345, 12_345, Some(12_345)));
        check("1.2345万", Rounding::Floor, bounded(12_345, 12_345, Some(12_345)));
        check("2千", Rounding::HalfUp, bounded(2_000, 1_500, Some(2_499)));
        check("1 万", Rounding::Floor, bounded(10_000, 10_000, Some(19_999)));
    }

    #[test]
    fn a_plus_is_a_lower_bound() {
        check("10万+", Rounding::Unknown, bounded(100_001, 100_001, None));
        check("１０万＋", Rounding::Unknown, bounded(100_001, 100_001, None));
        check("100000+", Rounding::Unknown, bounded(100_001, 100_001, None));
        check("100万+", Rounding::HalfUp, bounded(1_000_001, 1_000_001, None));
        check("1.5万+", Rounding::Floor, bounded(15_001, 15_001, None));
        check("999+", Rounding::Floor, bounded(1_000, 1_000, None));
        check("10W+", Rounding::Floor, bounded(100_001, 100_001, None));
        check("超过10万", Rounding::Floor, bounded(100_001, 100_001, None));
        check("阅读 100万以上", Rounding::Floor, bounded(1_000_001, 1_000_001, None));
        check("5000余人", Rounding::Floor, bounded(5_001, 5_001, None));
    }

    #[test]
    fn what_is_no_single_number_is_unknown() {
        for text in [
            "近10万",
            "不足1万",
            "赞",
            "点赞",
            "分享",
            "",
            "转发",
            "--",
            "1/3",
            "-5",
            "1.5",
            "12345678901234567890",
            "0.00001万",
        ] {
            check(text, Rounding::Unknown, None);
        }
    }
}
