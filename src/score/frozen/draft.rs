use std::collections::BTreeMap;

use serde::Serialize;

use crate::scheme::Scheme;

use super::super::{
    Entrant, FlagScore, Outcome, Quantity, Reading, ScoreCard, Unknown, UnknownKind, VerdictWord,
    places,
};
use super::bundle::FrozenAccount;
use super::recompute::Recomputation;

/// A draft scheme laid over a frozen period, beside what was frozen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DraftComparison {
    /// `sha256:…` of the frozen scheme.
    pub frozen_digest: String,
    /// `sha256:…` of the draft: another, unless not a byte was changed.
    pub draft_digest: String,
    /// Every account that the frozen scheme judged, in the order of the bundle.
    pub accounts: Vec<AccountChange>,
}

/// What a draft changes for one account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountChange {
    /// 账号编号.
    pub key: String,
    /// 账号名称.
    pub name: String,
    /// The verdicts; absent where a scheme gives none.
    pub verdict: (Option<VerdictWord>, Option<VerdictWord>),
    /// Every dimension and composite of either scheme, in the order of their ids.
    pub scores: Vec<ScoreChange>,
    /// Vetoes, flags and lines that are not the same, or stand in one scheme only.
    pub changes: Vec<Change>,
}

impl AccountChange {
    /// Whether the draft leaves verdict, points and lines as they were.
    pub fn is_same(&self) -> bool {
        let same = |one: &ScoreChange| one.points.0 == one.points.1;
        self.verdict.0 == self.verdict.1 && self.changes.is_empty() && self.scores.iter().all(same)
    }
}

/// One score before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreChange {
    /// The dimension or composite.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// Points with their bounds, or why there are none; absent where the scheme lacks the score.
    pub points: (Option<Outcome>, Option<Outcome>),
    /// The place among all accounts that are ranked: `low` is the best that the bounds allow.
    pub place: (Option<Quantity>, Option<Quantity>),
}

/// A veto, flag or line that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its place: `vetoes/<id>`, `flags/<id>` or `<dimension>/<line>`.
    pub place: String,
    /// The Chinese title.
    pub title: String,
    /// What it said before and says now, in Chinese; absent where a scheme lacks it.
    pub said: (Option<String>, Option<String>),
}

/// Lays a draft over the accounts of one frozen scheme.
///
/// `recomputation` has been through its first pass with the draft.
///
/// # Errors
/// As [`Recomputation::card`].
pub fn lay_over(
    recomputation: &Recomputation<'_>,
    (frozen, draft): (&Scheme, &Scheme),
    accounts: impl IntoIterator<Item = Result<FrozenAccount, String>>,
) -> Result<DraftComparison, String> {
    let mut changes = Vec::new();
    let mut ranked: Vec<[BTreeMap<String, Quantity>; 2]> = Vec::new();
    for account in accounts {
        let account = account?;
        if account.scheme != frozen.id {
            continue;
        }
        let now = recomputation.card(&account)?;
        ranked.push([numbers(&account.card), numbers(&now)]);
        changes.push(change(&account, &now));
    }
    let ids: Vec<String> =
        changes.iter().flat_map(|one| &one.scores).fold(Vec::new(), |mut ids, one| {
            if !ids.contains(&one.id) {
                ids.push(one.id.clone());
            }
            ids
        });
    for id in ids {
        let before = places_of(&ranked, 0, &id);
        let after = places_of(&ranked, 1, &id);
        for (at, one) in changes.iter_mut().enumerate() {
            if let Some(score) = one.scores.iter_mut().find(|score| score.id == id) {
                score.place = (before[at], after[at]);
            }
        }
    }
    let (frozen_digest, draft_digest) = (frozen.digest.clone(), draft.digest.clone());
    Ok(DraftComparison { frozen_digest, draft_digest, accounts: changes })
}

/// The points of what may stand in a ranking.
fn numbers(card: &ScoreCard) -> BTreeMap<String, Quantity> {
    let of = |decimal: rust_decimal::Decimal| f64::try_from(decimal).ok();
    let ranked = card.dimensions.iter().filter(|one| one.ranked).filter_map(|one| {
        let points = one.outcome.points()?;
        let (value, low) = (of(points.points)?, of(points.low)?);
        Some((one.id.clone(), Quantity { value, low, high: of(points.high) }))
    });
    ranked.collect()
}

fn places_of(
    ranked: &[[BTreeMap<String, Quantity>; 2]],
    side: usize,
    id: &str,
) -> Vec<Option<Quantity>> {
    let entrants: Vec<Entrant> = ranked
        .iter()
        .map(|both| Entrant {
            group: String::new(),
            value: both[side].get(id).map_or_else(unranked, |one| Reading::Known(*one)),
        })
        .collect();
    places(&entrants)
}

fn unranked() -> Reading {
    Reading::Unknown(Unknown { unknown: UnknownKind::Undetermined, reason: "".into() })
}

fn change(account: &FrozenAccount, now: &ScoreCard) -> AccountChange {
    let then = &account.card;
    let word = |card: &ScoreCard| card.verdict.as_ref().map(|verdict| verdict.result);
    let mut titles: BTreeMap<&str, &str> = BTreeMap::new();
    for one in then.dimensions.iter().chain(&now.dimensions) {
        titles.insert(&one.id, &one.title);
    }
    let outcome = |card: &ScoreCard, id: &str| card.score(id).map(|one| one.outcome.clone());
    let scores = titles.into_iter().map(|(id, title)| ScoreChange {
        id: id.to_owned(),
        title: title.to_owned(),
        points: (outcome(then, id), outcome(now, id)),
        place: (None, None),
    });
    AccountChange {
        key: account.key.clone(),
        name: account.name.clone(),
        verdict: (word(then), word(now)),
        scores: scores.collect(),
        changes: differing(&said(then), &said(now)),
    }
}

/// Everything a card says, by its place: title and words.
fn said(card: &ScoreCard) -> BTreeMap<String, (String, String)> {
    let flags = |of: &'static str, flags: &[FlagScore]| -> Vec<(String, (String, String))> {
        let place = |flag: &FlagScore| format!("{of}/{}", flag.id);
        let words = |flag: &FlagScore| (flag.title.clone(), flag.state.to_string());
        flags.iter().map(|flag| (place(flag), words(flag))).collect()
    };
    let lines = card.dimensions.iter().flat_map(|dimension| {
        dimension.lines.iter().map(|line| {
            let place = format!("{}/{}", dimension.id, line.id);
            (place, (line.title.clone(), format!("{}(满分 {})", line.outcome, line.max)))
        })
    });
    lines.chain(flags("vetoes", &card.vetoes)).chain(flags("flags", &card.flags)).collect()
}

fn differing(
    then: &BTreeMap<String, (String, String)>,
    now: &BTreeMap<String, (String, String)>,
) -> Vec<Change> {
    let mut places: Vec<&String> = then.keys().chain(now.keys()).collect();
    places.sort_unstable();
    places.dedup();
    let words = |of: &BTreeMap<String, (String, String)>, place: &str| {
        of.get(place).map(|said| said.1.clone())
    };
    places
        .into_iter()
        .filter(|place| words(then, place) != words(now, place))
        .filter_map(|place| {
            let title = now.get(place).or_else(|| then.get(place))?.0.clone();
            let said = (words(then, place), words(now, place));
            Some(Change { place: place.clone(), title, said })
        })
        .collect()
}
