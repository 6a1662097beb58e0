//! The times of a page, each from the places where it may stand.

use std::cell::OnceCell;
use std::fmt::Display;

use chrono::{Duration, NaiveDate};

use crate::domain::{Moment, Precision, shanghai_date};
use crate::platform::{Candidate, Place, Source};

use super::document::Node;
use super::moment::{SKEW, is_coarse, moment};
use super::reader::{Reader, quoted};
use super::text::{even_blanks, unescape};

impl<'a> Reader<'a> {
    /// The first readable time, with the text that the page shows.
    pub(crate) fn moment(
        &self,
        source: &Source,
        node: Node<'a>,
        place: impl Display + Copy,
    ) -> Option<(Moment, String)> {
        let (found, shown) = self.written_time(source, node, place);
        found.map(|found| (found, shown.unwrap_or_default()))
    }

    /// The first readable time, and the text that the page shows, be it readable or not.
    ///
    /// A later candidate that is finer refines it, if it agrees with what is shown. A time in the
    /// future is kept as it is written, and told.
    pub(crate) fn written_time(
        &self,
        source: &Source,
        node: Node<'a>,
        place: impl Display + Copy,
    ) -> (Option<Moment>, Option<String>) {
        let known = self.ahead.take_time(source, node);
        let (found, shown) = known.unwrap_or_else(|| self.time(source, node));
        match (found, &shown) {
            (Some(found), Some(text)) if found.lower() > self.page.observed_at + SKEW => {
                self.warn(place, &format!("in the future: {}", quoted(text)));
            }
            (None, Some(text)) if is_coarse(text) => {
                self.warn(place, &format!("too coarse for a day: {}", quoted(text)));
            }
            (None, Some(text)) => self.warn(place, &format!("not a time: {}", quoted(text))),
            _ => {}
        }
        (found, shown)
    }

    /// The first readable time; nobody is warned of what is wrong with it.
    pub(crate) fn quiet_time(&self, source: &Source, node: Node<'a>) -> Option<Moment> {
        self.time(source, node).0
    }

    /// The day that a text says in whole.
    pub(super) fn day(&self, text: &str) -> Option<NaiveDate> {
        let found = moment(text, self.page.observed_at)?;
        Some(shanghai_date(found.at))
    }

    fn time(&self, source: &Source, node: Node<'a>) -> (Option<Moment>, Option<String>) {
        let (mut found, mut shown): (Option<Moment>, Option<String>) = (None, None);
        let may_be_finer = OnceCell::new();
        for candidate in &source.candidates {
            // What is joined may make a clock of parts that are none.
            if may_be_finer.get() == Some(&false) && !matches!(candidate.place, Place::Joined(..)) {
                continue;
            }
            for text in self.values(candidate, node) {
                let read = moment(&text, self.page.observed_at);
                if shown.is_none() {
                    shown = Some(even_blanks(&unescape(&text)));
                }
                found = match (found, read) {
                    (None, read) => read,
                    (Some(coarse), Some(fine)) if agrees(coarse, fine, &shown) => Some(fine),
                    (found, _) => found,
                };
            }
            match found.map(|found| found.precision) {
                Some(Precision::Second) => break,
                Some(Precision::Day) => {
                    may_be_finer.get_or_init(|| may_be_finer_in(source, node));
                }
                _ => {}
            }
        }
        (found, shown)
    }

    /// Whether there is a readable time, kept for whoever asks for it next; nobody is warned where
    /// there is none.
    pub(super) fn time_ahead(&self, source: &Source, node: Node<'a>) -> bool {
        let read = self.time(source, node);
        let found = read.0.is_some();
        self.ahead.keep_time(source, node, read);
        found
    }

    /// Whether there is a readable time; nobody is warned where there is none.
    pub(crate) fn readable_moment(&self, source: &Source, node: Node<'a>) -> bool {
        let readable = |text: &str| moment(text, self.page.observed_at).map(|_| ());
        let mut candidates = source.candidates.iter();
        candidates.any(|one| self.value(one, node, &mut |text| readable(text)).is_some())
    }
}

/// Whether a finer time lies in the interval that the shown one allows.
///
/// Ten minutes of play for the platform's own clocks; a day for "4 days ago", which may be counted
/// in days of the calendar or in times of 24 hours.
fn agrees(coarse: Moment, fine: Moment, shown: &Option<String>) -> bool {
    let counted_back = shown.as_ref().is_some_and(|text| text.contains('前'));
    let play = match coarse.precision {
        Precision::Day if counted_back => Duration::days(1),
        _ => Duration::minutes(10),
    };
    fine.precision < coarse.precision
        && fine.at >= coarse.lower() - play
        && fine.at < coarse.upper() + play
}

/// Whether anything in an item may say more than the day that was read, but for what is joined.
fn may_be_finer_in(source: &Source, node: Node<'_>) -> bool {
    let candidates = &source.candidates;
    let Some(element) = node.element().filter(|_| candidates.iter().all(is_told_by_text)) else {
        return true;
    };
    let names = candidates.iter().filter_map(|one| one.attribute.as_ref());
    let mut within = std::iter::once(element).chain(element.descendants());
    // A clock may be written over several elements.
    may_be_clock(element.texts().flat_map(str::chars))
        || within.any(|one| {
            let values = names.clone().filter_map(|name| one.attribute(name));
            values.map(str::chars).any(may_be_clock)
        })
}

/// Whether a text can say more than a day: an hour, so many minutes ago, seconds since 1970.
fn may_be_clock(text: impl IntoIterator<Item = char>) -> bool {
    let mut digits = 0;
    text.into_iter().any(|character| {
        let after = std::mem::take(&mut digits);
        match character {
            '0'..='9' | '０'..='９' => digits = after + 1,
            '零' | '〇' | '○' | '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九'
            | '十' | '廿' | '卅' | '两' | '半' | '几' | '数' => digits = after + 1,
            ':' | '：' | 'T' | 't' | 'h' | '时' | '時' | '点' | '點' | '分' | '秒' | '小'
            | '钟' | '鐘' => return after > 0,
            '刚' | '剛' | '刻' => return true,
            '个' | '個' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' => digits = after,
            blank if blank.is_whitespace() => digits = after,
            _ => {}
        }
        digits >= EPOCH_DIGITS
    })
}

/// Digits of seconds since 1970, or of a date and a time without signs between them.
const EPOCH_DIGITS: usize = 10;

/// Whether a candidate's value is a part of what stands in the item.
pub(super) fn is_told_by_text(candidate: &Candidate) -> bool {
    let plain = candidate.quirks.is_empty() && candidate.prefix.is_none() && candidate.is.is_none();
    plain
        && match &candidate.place {
            Place::Here | Place::At(_) => true,
            Place::Joined(parts, _) => {
                parts.iter().flat_map(|part| &part.candidates).all(is_told_by_text)
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_says_more_than_a_day_is_known() {
        let finer = [
            "2026-11-29 08:00",
            "2026年11月29日8时",
            "３ 小时前",
            "3\u{3000}小时前",
            "3个钟头前",
            "5分钟前",
            "半小时前",
            "片刻前",
            "刚刚",
            "1795788900",
            "20261129 0800",
            "2026-11-29T08:00",
            "十点",
            "08\u{200b}：30",
        ];
        for text in finer {
            assert!(may_be_clock(text.chars()), "{text}");
        }
        for text in ["2026-11-29", "重点工作：时间安排", "3天前", "昨天", "第3期 20261129", ""]
        {
            assert!(!may_be_clock(text.chars()), "{text}");
        }
    }

    const PIECES: [&str; 40] = [
        "3",
        "08",
        "２",
        "30",
        "十",
        "〇",
        "廿",
        "半",
        "几",
        ":",
        "：",
        "时",
        "点",
        "分",
        "秒",
        "小时",
        "钟头",
        "分钟",
        "个",
        "前",
        "之前",
        "刚刚",
        "刚才",
        "片刻",
        "今天",
        "昨天",
        "2026-11-29",
        "11月29日",
        "T",
        "Z",
        " ",
        "\u{3000}",
        "\u{200b}",
        "\n",
        "h",
        "1795788900",
        "1795788900123",
        "上午",
        "下午",
        "+0800",
    ];

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::with_cases(4000)
        })]

        #[test]
        fn whatever_is_read_as_finer_than_a_day_is_known_beforehand(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..6),
        ) {
            let text = pieces.concat();
            let at = chrono::DateTime::from_timestamp(1_795_788_900, 0).unwrap();
            let finer = moment(&text, at).is_some_and(|read| read.precision < Precision::Day);
            prop_assert!(!finer || may_be_clock(text.chars()), "{text:?}");
        }
    }
}
