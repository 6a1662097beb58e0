//! What an account's facts give before anybody is compared, packed so that a nation fits into
//! memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use crate::scheme::{Declared, Scheme};

use super::reading::{Quantity, Reading, Readings, Unknown};
use super::{Period, PeriodFacts, Tables, catalogue};

/// Every number of one account under one scheme, those that need others left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The period.
    pub period: Period,
    /// 监测时间点 of the facts.
    pub cutoff: DateTime<Utc>,
    /// `sha256:…` of the facts' canonical JSON.
    pub facts_digest: String,
    readings: Readings,
}

impl Measured {
    /// Measures an account's facts.
    pub fn of(scheme: &Scheme, facts: &PeriodFacts, tables: Tables<'_>) -> Self {
        Self {
            period: facts.period,
            cutoff: facts.cutoff,
            facts_digest: facts.digest(),
            readings: catalogue::readings_alone(facts, scheme, tables),
        }
    }

    /// The numbers before any comparison.
    pub(super) fn alone(&self) -> &Readings {
        &self.readings
    }

    /// All numbers, with those that a comparison with others told.
    pub(super) fn beside(
        &self,
        declared: &[Declared],
        told: &BTreeMap<String, Reading>,
    ) -> Readings {
        let mut readings = self.readings.clone();
        // Coverage is known wherever there is anything to judge; elsewhere nothing is compared.
        if readings.get("coverage").is_none_or(|share| share.known().is_err()) {
            return readings;
        }
        let names = declared.iter().filter(|one| one.needs_others()).flat_map(Declared::names);
        for name in names {
            if let Some(reading) = told.get(&name) {
                readings.insert(name.into(), reading.clone());
            }
        }
        readings
    }
}

/// The measured accounts of one scheme, some hundreds of bytes each.
#[derive(Debug, Default)]
pub struct Kept {
    /// The names of the numbers, the same for every account of a scheme.
    names: Vec<Cow<'static, str>>,
    reasons: Vec<Unknown>,
    places: HashMap<Unknown, u32>,
    accounts: Vec<Packed>,
}

#[derive(Debug)]
struct Packed {
    period: Period,
    cutoff: DateTime<Utc>,
    facts_digest: Box<str>,
    readings: Box<[u8]>,
}

/// What stands before a packed number: how it is written, or that it is not there.
const ABSENT: u8 = 0;
const WHOLE: u8 = 1;
const EXACT: u8 = 2;
const BOUNDED: u8 = 3;
const OPEN: u8 = 4;
const UNKNOWN: u8 = 5;

/// Most numbers are one byte: from here on the first reasons why there is none, then small whole
/// numbers.
const REASONS: u8 = 6;
const SMALL: u8 = 128;

impl Kept {
    /// Keeps an account's numbers; gives the place to ask for them again.
    pub fn put(&mut self, measured: &Measured) -> usize {
        if self.accounts.is_empty() {
            self.names = measured.readings.keys().cloned().collect();
        }
        let mut bytes = Vec::with_capacity(self.names.len() * 4);
        for at in 0..self.names.len() {
            match measured.readings.get(&self.names[at]) {
                None => bytes.push(ABSENT),
                Some(Reading::Known(quantity)) => pack(quantity, &mut bytes),
                Some(Reading::Unknown(why)) => {
                    let place = self.place_of(why);
                    match u8::try_from(place).ok().and_then(|one| one.checked_add(REASONS)) {
                        Some(head) if head < SMALL => bytes.push(head),
                        _ => {
                            bytes.push(UNKNOWN);
                            bytes.extend(place.to_le_bytes());
                        }
                    }
                }
            }
        }
        self.accounts.push(Packed {
            period: measured.period,
            cutoff: measured.cutoff,
            facts_digest: measured.facts_digest.as_str().into(),
            readings: bytes.into(),
        });
        self.accounts.len() - 1
    }

    /// The account of a place, bit for bit as it was put.
    ///
    /// # Panics
    /// Where [`Self::put`] never gave that place.
    pub fn get(&self, at: usize) -> Measured {
        let kept = &self.accounts[at];
        let mut bytes = Bytes(&kept.readings);
        let named = self.names.iter().filter_map(|name| {
            let reading = match bytes.take::<1>()[0] {
                ABSENT => return None,
                UNKNOWN => self.reason(u32::from_le_bytes(bytes.take())),
                head @ REASONS..SMALL => self.reason(u32::from(head - REASONS)),
                how => Reading::Known(unpack(how, &mut bytes)),
            };
            Some((name.clone(), reading))
        });
        Measured {
            period: kept.period,
            cutoff: kept.cutoff,
            facts_digest: kept.facts_digest.as_ref().to_owned(),
            readings: named.collect(),
        }
    }

    fn reason(&self, place: u32) -> Reading {
        Reading::Unknown(self.reasons[place as usize].clone())
    }

    /// Reasons repeat over very many accounts.
    fn place_of(&mut self, why: &Unknown) -> u32 {
        if let Some(place) = self.places.get(why) {
            return *place;
        }
        let place = u32::try_from(self.reasons.len()).unwrap_or(u32::MAX);
        self.reasons.push(why.clone());
        self.places.insert(why.clone(), place);
        place
    }
}

fn pack(quantity: &Quantity, bytes: &mut Vec<u8>) {
    let Quantity { value, low, high } = *quantity;
    let same = |one: f64| one.to_bits() == value.to_bits();
    if same(low) && high.is_some_and(same) {
        return pack_number(value, bytes);
    }
    bytes.push(if high.is_some() { BOUNDED } else { OPEN });
    for end in [Some(value), Some(low), high].into_iter().flatten() {
        pack_number(end, bytes);
    }
}

fn pack_number(value: f64, bytes: &mut Vec<u8>) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared below")]
    let whole = value as u32;
    let is_whole = f64::from(whole).to_bits() == value.to_bits();
    match u8::try_from(whole).ok().and_then(|one| one.checked_add(SMALL)) {
        Some(head) if is_whole => bytes.push(head),
        _ if is_whole => {
            bytes.push(WHOLE);
            bytes.extend(whole.to_le_bytes());
        }
        _ => {
            bytes.push(EXACT);
            bytes.extend(value.to_le_bytes());
        }
    }
}

fn unpack(how: u8, bytes: &mut Bytes<'_>) -> Quantity {
    if how != BOUNDED && how != OPEN {
        return Quantity::exact(number(how, bytes));
    }
    let mut end = || {
        let [head] = bytes.take();
        number(head, bytes)
    };
    let (value, low) = (end(), end());
    Quantity { value, low, high: (how == BOUNDED).then(end) }
}

fn number(how: u8, bytes: &mut Bytes<'_>) -> f64 {
    match how {
        WHOLE => f64::from(u32::from_le_bytes(bytes.take())),
        EXACT => f64::from_le_bytes(bytes.take()),
        small => f64::from(small - SMALL),
    }
}

/// Bytes that [`Kept::put`] wrote, from the front.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_first_chunk::<N>().expect("as many bytes as were packed");
        self.0 = rest;
        *taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::UnknownKind;

    fn measured(readings: &[(&'static str, Reading)]) -> Measured {
        Measured {
            period: "2026Q3".parse().unwrap(),
            cutoff: DateTime::UNIX_EPOCH,
            facts_digest: "sha256:0".to_owned(),
            readings: readings.iter().map(|(id, one)| (Cow::Borrowed(*id), one.clone())).collect(),
        }
    }

    #[test]
    fn what_is_packed_comes_back_bit_for_bit() {
        let known = |value, low, high| Reading::Known(Quantity { value, low, high });
        let unknown = |kind, why: &'static str| Reading::unknown(kind, why);
        let mut kept = Kept::default();
        let accounts = [
            measured(&[
                ("coverage", Reading::exact(0.1 + 0.2)),
                ("gain", Reading::exact(-3.0)),
                ("posts", Reading::exact(17.0)),
                ("reads", known(100_001.0, 100_001.0, None)),
                ("silent", known(1.5, 1.0, Some(2.0))),
                ("tier", unknown(UnknownKind::NotObservable, "不显示")),
            ]),
            measured(&[
                ("coverage", Reading::exact(-0.0)),
                ("gain", Reading::exact(4_294_967_296.0)),
                ("posts", unknown(UnknownKind::Undetermined, "不显示")),
                ("reads", Reading::exact(f64::from(u32::MAX))),
                ("silent", known(0.0, -0.0, Some(0.0))),
                ("tier", unknown(UnknownKind::NotObservable, "不显示")),
            ]),
            measured(&[("coverage", Reading::exact(1.0))]),
        ];
        let places: Vec<usize> = accounts.iter().map(|one| kept.put(one)).collect();
        for (place, one) in places.into_iter().zip(&accounts) {
            let back = kept.get(place);
            assert_eq!(&back, one);
            // Equality does not tell 0 from −0.
            assert_eq!(format!("{back:?}"), format!("{one:?}"));
        }
        assert_eq!(kept.reasons.len(), 2);
        // Both ends of what one byte holds, and beyond.
        let mut kept = Kept::default();
        for n in (0..300_u32).rev().chain(0..300) {
            let why = Reading::unknown(UnknownKind::Undetermined, format!("理由{n}"));
            let one = measured(&[("posts", Reading::exact(f64::from(n))), ("tier", why)]);
            let place = kept.put(&one);
            assert_eq!(kept.get(place), one);
        }
    }
}
