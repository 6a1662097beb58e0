//! What only a comparison of a scheme's accounts tells, before any of them is scored.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;

use crate::scheme::{Declared, DeclaredKind, GroupKey, Scheme};

use super::beside::{Entrant, group_of, percentiles, place_and_run, places};
use super::card::{DimensionScore, Outcome, Points};
use super::measured::Measured;
use super::reading::{Quantity, Reading, Unknown, UnknownKind};
use super::scoring::{ScoreError, card};
use super::{SubjectFact, Tables};

/// The comparisons of one scheme, with those who have been entered.
///
/// Only a number an account is kept, so that a nation fits into memory.
pub struct Comparison<'a> {
    scheme: &'a Scheme,
    tables: Tables<'a>,
    fields: Vec<Field<'a>>,
    entered: usize,
}

struct Field<'a> {
    declared: &'a Declared,
    entrants: Vec<Entrant>,
}

fn compared(declared: &Declared) -> Option<(&str, &[GroupKey])> {
    match &declared.kind {
        DeclaredKind::Peers(peers) => Some((&peers.of, &peers.group)),
        DeclaredKind::Rank(rank) => Some((&rank.of, &rank.group)),
        _ => None,
    }
}

impl<'a> Comparison<'a> {
    /// The comparisons that a scheme declares, with nobody in them.
    pub fn new(scheme: &'a Scheme, tables: Tables<'a>) -> Self {
        let declared = scheme.declared.iter().filter(|one| one.needs_others());
        let fields = declared.map(|declared| Field { declared, entrants: Vec::new() });
        Self { scheme, tables, fields: fields.collect(), entered: 0 }
    }

    /// Whether the scheme compares at all; without it nobody need be entered.
    pub fn is_needed(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Enters one account into every comparison.
    ///
    /// # Errors
    /// As [`card`].
    pub fn enter(&mut self, measured: &Measured, subject: &SubjectFact) -> Result<(), ScoreError> {
        self.entered += 1;
        if !self.is_needed() {
            return Ok(());
        }
        let measures = measured.alone();
        let is_score = |of: &str| !measures.contains_key(of);
        let compares_scores = self
            .fields
            .iter()
            .filter_map(|field| compared(field.declared))
            .any(|one| is_score(one.0));
        let none = BTreeMap::new();
        let card = match compares_scores {
            true => Some(card(self.scheme, measured, subject, &none, self.tables)?),
            false => None,
        };
        for field in &mut self.fields {
            let Some((of, group)) = compared(field.declared) else { continue };
            let value = match measures.get(of) {
                Some(reading) => reading.clone(),
                None => as_reading(card.as_ref().and_then(|card| card.score(of))),
            };
            field.entrants.push(Entrant { group: group_of(group, subject), value });
        }
        Ok(())
    }

    /// The scores whose earlier places a run looks back to.
    pub fn looks_back_to(&self) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter_map(|field| match &field.declared.kind {
            DeclaredKind::Rank(rank) => Some(rank.of.as_str()),
            _ => None,
        })
    }

    /// What the comparisons tell of each account.
    ///
    /// `earlier` gives what the accounts had of a score in the periods before, the newest first,
    /// each in the order in which they were entered.
    pub fn told(&self, earlier: impl Fn(&str) -> Vec<Vec<Option<Points>>>) -> Told {
        let mut told = Told::default();
        for field in &self.fields {
            let id = &field.declared.id;
            match &field.declared.kind {
                DeclaredKind::Peers(peers) => {
                    told.columns.insert(id.clone(), percentiles(peers, &field.entrants));
                }
                DeclaredKind::Rank(rank) => {
                    let now = places(&field.entrants);
                    let earlier: Vec<Vec<Option<Quantity>>> =
                        earlier(&rank.of).iter().map(|points| field.places_of(points)).collect();
                    for (at, place) in now.into_iter().enumerate() {
                        let before: Vec<Option<Quantity>> =
                            earlier.iter().map(|places| places[at]).collect();
                        for (name, reading) in place_and_run(id, rank, place, &before) {
                            told.columns.entry(name).or_default().push(reading);
                        }
                    }
                }
                _ => {}
            }
        }
        told
    }
}

/// What comparisons tell, by the name of the number, in the order in which accounts were entered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    columns: BTreeMap<String, Vec<Reading>>,
}

impl Told {
    /// What is told of the account that was entered at a place, from 0.
    pub fn of(&self, at: usize) -> BTreeMap<String, Reading> {
        let columns = self.columns.iter();
        columns.filter_map(|(name, all)| Some((name.clone(), all.get(at)?.clone()))).collect()
    }
}

impl Field<'_> {
    /// The places that earlier points gave the same accounts.
    fn places_of(&self, points: &[Option<Points>]) -> Vec<Option<Quantity>> {
        let known = points.iter().copied().chain(std::iter::repeat(None));
        let entrants: Vec<Entrant> = self
            .entrants
            .iter()
            .zip(known)
            .map(|(entrant, points)| Entrant {
                group: entrant.group.clone(),
                value: match points.and_then(quantity) {
                    Some(quantity) => Reading::Known(quantity),
                    None => as_reading(None),
                },
            })
            .collect();
        places(&entrants)
    }
}

fn as_reading(score: Option<&DimensionScore>) -> Reading {
    let points = score.and_then(|score| score.outcome.points()).and_then(quantity);
    let why = match score.map(|score| &score.outcome) {
        Some(Outcome::NotScored(why)) => {
            Unknown { unknown: why.kind, reason: why.reason.clone().into() }
        }
        _ => Unknown { unknown: UnknownKind::Undetermined, reason: "没有得分".into() },
    };
    points.map_or(Reading::Unknown(why), Reading::Known)
}

fn quantity(points: Points) -> Option<Quantity> {
    let (value, low) = (points.points.to_f64()?, points.low.to_f64()?);
    Some(Quantity { value, low, high: points.high.to_f64() })
}
