//! One cell of a ledger, read as what its column wants.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::CodeError;

/// A cell as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Text, trimmed; never empty.
    Text(String),
    /// A number of a workbook, which knows numbers only as 64-bit floats.
    Number(f64),
    /// A date cell of a workbook, with its time of day.
    Date(NaiveDateTime),
    /// A cell that can be no ledger value, with the reason.
    Bad(String),
}

/// Digits beyond the fifteenth are lost by spreadsheets.
const EXACT_BELOW: f64 = 1e15;

impl Cell {
    /// A text cell, `None` where nothing but space stands in it.
    pub(super) fn text(raw: &str) -> Option<Self> {
        let text = tidy(raw);
        if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n') {
            return Some(Self::Bad(format!("holds the control character {control:?}")));
        }
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// The cell as text for a column of words; whole numbers are written without a fraction.
    pub(super) fn as_words(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Number(number) => whole(*number).map(|number| number.to_string()),
            // A ledger's columns want days.
            Self::Date(at) => Ok(at.date().to_string()),
            Self::Bad(reason) => Err(reason.clone()),
        }
    }

    /// The cell as the text of an export: a date with its time, a fraction as it is.
    pub(super) fn as_exported(&self) -> Result<String, String> {
        match self {
            Self::Date(at) => Ok(at.format("%Y-%m-%d %H:%M:%S").to_string()),
            Self::Number(number) if number.fract() != 0.0 => Ok(number.to_string()),
            _ => self.as_identifier(),
        }
    }

    /// The cell as an identifier: full-width letters and digits made half-width, and a number that
    /// a spreadsheet has rounded refused rather than believed.
    pub(super) fn as_identifier(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => {
                let text: String = text.chars().map(half_width).collect();
                unscientific(text)
            }
            Self::Date(_) => Err("is a date cell; format the column as text".to_owned()),
            _ => self.as_words(),
        }
    }

    /// The cell as a region or credit code, whose own rules say what is wrong with it.
    pub(super) fn as_code<T: FromStr<Err = CodeError>>(&self) -> Result<T, String> {
        let text = self.as_identifier()?.to_ascii_uppercase();
        text.parse().map_err(|error: CodeError| error.to_string())
    }

    /// The cell as the address of a page.
    pub(super) fn as_address(&self) -> Result<String, String> {
        let text = self.as_words()?;
        match url::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text),
            Ok(url) => {
                Err(format!("{text:?} is of the scheme {:?}, not http or https", url.scheme()))
            }
            Err(error) => Err(format!("{text:?} is no address: {error}")),
        }
    }

    /// The cell as a calendar day.
    pub(super) fn as_date(&self) -> Result<NaiveDate, String> {
        let day = match self {
            Self::Date(at) => at.date(),
            Self::Number(serial) => serial_date(*serial)
                .ok_or_else(|| format!("{serial} is neither a date nor a date's serial number"))?,
            Self::Text(text) => written_date(text).ok_or_else(|| {
                format!("{text:?} is no date; write 2024-01-02, 2024/1/2 or 2024年1月2日")
            })?,
            Self::Bad(reason) => return Err(reason.clone()),
        };
        let plausible = NaiveDate::from_ymd_opt(1990, 1, 1)..NaiveDate::from_ymd_opt(2100, 1, 1);
        if !plausible.contains(&Some(day)) {
            return Err(format!("{day} lies outside 1990 to 2099"));
        }
        Ok(day)
    }

    /// The cell as a number of people; `万` and thousands separators are understood.
    pub(super) fn as_population(&self) -> Result<u64, String> {
        /// More people than any country has: the number is in the wrong column or unit.
        const PEOPLE_MAX: u64 = 2_000_000_000;
        let people = match self {
            Self::Number(number) => {
                u64::try_from(whole(*number)?).map_err(|_| format!("{number} is negative"))?
            }
            _ => {
                let text: String =
                    self.as_words()?.chars().map(half_width).filter(|c| *c != ',').collect();
                people(&text).ok_or_else(|| format!("{text:?} is no whole number of people"))?
            }
        };
        if people > PEOPLE_MAX {
            return Err(format!("{people} people are more than any place has"));
        }
        Ok(people)
    }
}

/// Without surrounding space of any width, byte order marks and the line ends of Windows.
pub(super) fn tidy(raw: &str) -> String {
    let unseen = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
    raw.trim_matches(unseen).replace("\r\n", "\n")
}

/// The half-width form of a full-width letter, digit, sign or space.
pub(super) fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

fn whole(number: f64) -> Result<i64, String> {
    if number.fract() != 0.0 || !number.is_finite() {
        return Err(format!("{number} is not a whole number; format the column as text"));
    }
    if number.abs() >= EXACT_BELOW {
        return Err(format!(
            "{number:e} was stored as a number of more than 15 digits, so its last digits are \
             lost; format the column as text and enter it again"
        ));
    }
    Ok(number as i64)
}

/// Undoes scientific notation where every digit is there, refuses it where digits may be missing.
///
/// Spreadsheets write a rounded `1.66988E+09`, always with a sign; programs write the shortest
/// exact `1.6698794E9`, without. A word that only looks similar (`3e5`, `b1.2e3`) is left alone.
fn unscientific(text: String) -> Result<String, String> {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return Ok(text) };
    let rounded = exponent.starts_with('+');
    let digits = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !digits.is_empty()
        && all_digits(digits)
        && whole.len() == 1
        && all_digits(whole)
        && all_digits(fraction)
        && (rounded || !fraction.is_empty());
    if !is_number {
        return Ok(text);
    }
    let exponent: usize = digits.parse().unwrap_or(usize::MAX);
    let exact = if rounded { fraction.len() >= exponent } else { fraction.len() <= exponent };
    if !exact || exponent >= 15 || fraction.len() > exponent {
        return Err(format!(
            "{text:?} is a number rounded by a spreadsheet, so its last digits are lost; format \
             the column as text and enter it again"
        ));
    }
    Ok(format!("{whole}{fraction:0<exponent$}"))
}

/// Days of the 1900 date system, as a workbook's unformatted cell holds them.
fn serial_date(serial: f64) -> Option<NaiveDate> {
    // The first 60 days are off by one in spreadsheets; no account is that old.
    if !(61.0..2_958_466.0).contains(&serial) {
        return None;
    }
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(chrono::Duration::days(serial as i64))
}

/// A date as offices write it; a time of day behind it is read and dropped.
fn written_date(text: &str) -> Option<NaiveDate> {
    let text: String = text.chars().map(half_width).collect();
    let text = text.trim();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let is_time = |form| NaiveTime::parse_from_str(time.trim(), form).is_ok();
    if !time.is_empty() && !["%H:%M:%S", "%H:%M", "%H:%M:%S%.f"].into_iter().any(is_time) {
        return None;
    }
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return NaiveDate::parse_from_str(date, "%Y%m%d").ok();
    }
    let date = date.replace(['年', '月', '/', '.'], "-");
    let mut parts = date.strip_suffix('日').unwrap_or(&date).split('-');
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        (digits && lengths.contains(&part.len())).then(|| part.parse::<u32>().ok()).flatten()
    };
    let (year, month, day) = (part(4..=4)?, part(1..=2)?, part(1..=2)?);
    if parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn people(text: &str) -> Option<u64> {
    if let Some(tens) = text.strip_suffix('万') {
        let (whole, fraction) = tens.split_once('.').unwrap_or((tens, ""));
        if fraction.len() > 4 || whole.is_empty() {
            return None;
        }
        return format!("{whole}{fraction:0<4}").parse().ok();
    }
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn dates_are_read_in_every_written_form() {
        let day = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap();
        for form in [
            "2024-01-02",
            "2024/1/2",
            "2024.1.2",
            "20240102",
            "2024年1月2日",
            "２０２４年１月２日",
            "2024-01-02 00:00:00",
            "2024-01-02T08:30",
        ] {
            assert_eq!(text(form).as_date(), Ok(day), "{form}");
        }
        assert_eq!(Cell::Number(45_293.0).as_date(), Ok(day));
        assert_eq!(Cell::Number(45_293.75).as_date(), Ok(day));
        assert_eq!(Cell::Date(day.and_hms_opt(8, 30, 0).unwrap()).as_date(), Ok(day));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for form in [
            "2024-13-01",
            "2024-02-30",
            "1/2/2024",
            "2024",
            "2024-01-02 25:00",
            "昨天",
            "1024-01-01",
        ] {
            assert!(text(form).as_date().is_err(), "{form}");
        }
        for serial in [5.0, 3e6, -1.0, f64::NAN] {
            assert!(Cell::Number(serial).as_date().is_err(), "{serial}");
        }
    }

    #[test]
    fn identifiers_come_back_exact_or_not_at_all() {
        for (cell, want) in [
            (Cell::Number(1_669_879_400.0), "1669879400"),
            (text("1.66987940E9"), "1669879400"),
            (text("1.669879400E+9"), "1669879400"),
            (text("１６６９８７９４００"), "1669879400"),
            (text("3e5"), "3e5"),
            (text("gh_1.2E3"), "gh_1.2E3"),
            (Cell::Number(999_999_999_999_999.0), "999999999999999"),
        ] {
            assert_eq!(cell.as_identifier().as_deref(), Ok(want), "{cell:?}");
        }
        for cell in [
            Cell::Number(1_234_567_890_123_456_789.0),
            Cell::Number(1.5),
            text("1.66988E+09"),
            text("1.23456789012345678E17"),
        ] {
            assert!(cell.as_identifier().is_err(), "{cell:?}");
        }
    }

    #[test]
    fn population_is_a_whole_number_of_people() {
        for (form, want) in [("2,400,000", 2_400_000), ("240万", 2_400_000), ("12.34万", 123_400)]
        {
            assert_eq!(text(form).as_population(), Ok(want), "{form}");
        }
        for form in ["-3", "many", "1.5", "9999999999", "0.00001万"] {
            assert!(text(form).as_population().is_err(), "{form}");
        }
    }
}
