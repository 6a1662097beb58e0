//! Dates in Chinese numerals: 二〇二六年十一月二十二日.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

static NUMERAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<numeral>[〇○零一二三四五六七八九十廿卅]{1,5})\s?(?P<unit>年|月|日|号)")
        .expect("a fixed pattern")
});

const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// The text with plain digits before 年, 月, 日 and 号; what is no number stays as it is.
pub(super) fn plain_digits(text: &str) -> Cow<'_, str> {
    if !text.contains(['年', '月']) {
        return Cow::from(text);
    }
    NUMERAL.replace_all(text, |found: &Captures<'_>| {
        let digits = match &found["unit"] {
            "年" => year(&found["numeral"]),
            _ => below_a_hundred(&found["numeral"]),
        };
        digits.map_or_else(|| found[0].to_owned(), |digits| format!("{digits}{}", &found["unit"]))
    })
}

fn digit(character: char) -> Option<usize> {
    let character = if matches!(character, '○' | '零') { '〇' } else { character };
    DIGITS.iter().position(|one| *one == character)
}

/// A year is four digits read one by one.
fn year(numeral: &str) -> Option<usize> {
    let digits = numeral.chars().map(digit).collect::<Option<Vec<_>>>()?;
    (digits.len() == 4).then(|| digits.iter().fold(0, |sum, digit| sum * 10 + digit))
}

/// 十, 十一, 二十, 二十二, 廿二, 卅, 二二, 〇三.
fn below_a_hundred(numeral: &str) -> Option<usize> {
    let numeral = numeral.replace('廿', "二十").replace('卅', "三十");
    let Some((tens, ones)) = numeral.split_once('十') else {
        let digits = numeral.chars().map(digit).collect::<Option<Vec<_>>>()?;
        return (digits.len() <= 2).then(|| digits.iter().fold(0, |sum, digit| sum * 10 + digit));
    };
    let one = |text: &str, otherwise| {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (None, _) => Some(otherwise),
            (Some(character), None) => digit(character),
            _ => None,
        }
    };
    Some(one(tens, 1)? * 10 + one(ones, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_before_the_units_of_a_date_are_digits() {
        for (text, wanted) in [
            ("二〇二六年十一月二十二日", "2026年11月22日"),
            ("二○二六年一月三十一日", "2026年1月31日"),
            ("二零二六年十月十日", "2026年10月10日"),
            ("腊月廿三日", "腊月23日"),
            ("第十二届三中全会", "第十二届三中全会"),
            ("十几年", "十几年"),
            ("一九四九年", "1949年"),
            ("三百年", "三百年"),
        ] {
            assert_eq!(plain_digits(text), wanted);
        }
    }
}
