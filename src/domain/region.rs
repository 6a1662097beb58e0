use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a code was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodeError {
    /// Not the right number of characters.
    #[error("{0:?} has {1} characters, not {2}")]
    Length(String, usize, usize),
    /// A character outside the code's alphabet.
    #[error("{0:?} holds {1:?}, which the code does not use")]
    Alphabet(String, char),
    /// The check digit does not agree.
    #[error("{0:?} ends in {1:?}, its check digit is {2:?}")]
    CheckDigit(String, char, char),
}

/// An administrative division code (行政区划代码, GB/T 2260): six digits,
/// province, prefecture, county by pairs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegionCode(String);

impl RegionCode {
    /// The six digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `digits` digits: 2 for the province, 4 for the prefecture, 6 for the county.
    pub fn prefix(&self, digits: usize) -> &str {
        &self.0[..digits.min(self.0.len())]
    }
}

impl FromStr for RegionCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        if let Some(other) = text.chars().find(|c| !c.is_ascii_digit()) {
            return Err(CodeError::Alphabet(text.to_owned(), other));
        }
        if text.len() != 6 {
            return Err(CodeError::Length(text.to_owned(), text.len(), 6));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RegionCode {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<RegionCode> for String {
    fn from(code: RegionCode) -> Self {
        code.0
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A unified social credit code (统一社会信用代码, GB 32100-2015) whose check digit agrees.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CreditCode(String);

const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

impl CreditCode {
    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CreditCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let values = text
            .chars()
            .map(|c| ALPHABET.find(c).ok_or_else(|| CodeError::Alphabet(text.to_owned(), c)))
            .collect::<Result<Vec<_>, _>>()?;
        let Some((&last, body)) = values.split_last().filter(|_| values.len() == 18) else {
            return Err(CodeError::Length(text.to_owned(), values.len(), 18));
        };
        let sum: usize = body.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
        // The outer remainder matters when the sum is a multiple of 31: the digit is then 0.
        let check = (31 - sum % 31) % 31;
        if check != last {
            let character = |value: usize| char::from(ALPHABET.as_bytes()[value]);
            return Err(CodeError::CheckDigit(text.to_owned(), character(last), character(check)));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for CreditCode {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<CreditCode> for String {
    fn from(code: CreditCode) -> Self {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_codes_are_checked_to_the_last_digit() {
        for good in
            ["91350100M000100Y43", "11441700007280420Y", "11331002002673575G", "1133100200267357A0"]
        {
            assert_eq!(good.parse::<CreditCode>().map(|code| code.0), Ok(good.to_owned()));
        }
        let wrong = "11331002002673575H".parse::<CreditCode>();
        assert_eq!(wrong, Err(CodeError::CheckDigit("11331002002673575H".to_owned(), 'H', 'G')));
        assert!(matches!("1133100200267357I0".parse::<CreditCode>(), Err(CodeError::Alphabet(..))));
        assert!(matches!("1133".parse::<CreditCode>(), Err(CodeError::Length(_, 4, 18))));
    }

    #[test]
    fn region_codes_are_six_digits() {
        assert_eq!(
            "441500".parse::<RegionCode>().map(|c| c.prefix(4).to_owned()),
            Ok("4415".into())
        );
        for bad in ["44150", "4415000", "44150x", "４４１５００", ""] {
            assert!(bad.parse::<RegionCode>().is_err(), "{bad}");
        }
    }
}
