//! What only a comparison of all accounts tells, before any of them is scored.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use futures::TryStreamExt;
use rust_decimal::prelude::ToPrimitive;

use crate::domain::{Account, AccountId};
use crate::scheme::{Declared, DeclaredKind, GroupKey, Scheme};
use crate::score::{
    DimensionScore, Entrant, Outcome, Period, PeriodFacts, Quantity, Reading, Unknown, UnknownKind,
    group_of, percentiles, place_and_run, places, readings_alone, score,
};

use super::super::Context;
use super::{ACCOUNTS, Judging, facts, tables};

/// The numbers of each account that come from a comparison.
pub type Beside = HashMap<AccountId, BTreeMap<String, Reading>>;

/// How many periods back a run of places is followed.
const PERIODS_BACK: usize = 12;

/// One comparison of a scheme, with those who take part.
struct Field<'a> {
    declared: &'a Declared,
    accounts: Vec<AccountId>,
    entrants: Vec<Entrant>,
}

fn compared(declared: &Declared) -> Option<(&str, &[GroupKey])> {
    match &declared.kind {
        DeclaredKind::Peers(peers) => Some((&peers.of, &peers.group)),
        DeclaredKind::Rank(rank) => Some((&rank.of, &rank.group)),
        _ => None,
    }
}

/// Reads every account once and compares those of each scheme with their peers; does nothing where
/// no scheme compares.
///
/// Only a number an account is kept, so that a nation fits into memory.
///
/// # Errors
/// The database does not answer; a scheme compiled over other measures than this program's.
pub async fn compare(context: &Context, judging: &Judging<'_>) -> anyhow::Result<Beside> {
    let schemes: Vec<&Scheme> = match judging.scheme {
        Some(scheme) => vec![scheme],
        None => context.schemes.iter().collect(),
    };
    let mut fields: HashMap<&str, Vec<Field<'_>>> = HashMap::new();
    for scheme in &schemes {
        let declared = scheme.declared.iter().filter(|one| one.needs_others());
        let empty = declared.map(|declared| Field { declared, accounts: vec![], entrants: vec![] });
        fields.insert(&scheme.id, empty.collect());
    }
    if fields.values().all(Vec::is_empty) {
        return Ok(Beside::new());
    }
    let inputs = context.store.score_inputs(judging.facts()).try_chunks(ACCOUNTS);
    let mut inputs = std::pin::pin!(inputs);
    while let Some(inputs) = inputs.try_next().await.context("reading facts to compare")? {
        for (account, facts) in facts::of(context, judging, inputs).await? {
            let Some((scheme, _)) = judging.scheme_of(context, &account) else { continue };
            let Some(fields) = fields.get_mut(scheme.id.as_str()) else { continue };
            enter(context, scheme, &account, &facts, fields)?;
        }
    }
    let mut beside = Beside::new();
    for (scheme, fields) in fields {
        for field in fields {
            told(context, judging, scheme, &field, &mut beside).await?;
        }
    }
    Ok(beside)
}

/// Enters one account into every comparison of its scheme.
fn enter(
    context: &Context,
    scheme: &Scheme,
    account: &Account,
    facts: &PeriodFacts,
    fields: &mut [Field<'_>],
) -> anyhow::Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    let measures = readings_alone(facts, scheme, tables(context));
    let is_score = |of: &str| !measures.contains_key(of);
    let compares_scores =
        fields.iter().filter_map(|field| compared(field.declared)).any(|(of, _)| is_score(of));
    let card = match compares_scores {
        true => Some(score(scheme, facts, &BTreeMap::new(), tables(context))?),
        false => None,
    };
    for field in fields {
        let Some((of, group)) = compared(field.declared) else { continue };
        let value = match measures.get(of) {
            Some(reading) => reading.clone(),
            None => as_reading(card.as_ref().and_then(|card| card.score(of))),
        };
        field.accounts.push(account.id);
        field.entrants.push(Entrant { group: group_of(group, &facts.subject), value });
    }
    Ok(())
}

fn as_reading(score: Option<&DimensionScore>) -> Reading {
    let points = match score.map(|score| &score.outcome) {
        Some(Outcome::Scored(points)) => quantity(points.points, points.low, points.high),
        _ => None,
    };
    let why = match score.map(|score| &score.outcome) {
        Some(Outcome::NotScored(why)) => Unknown { unknown: why.kind, reason: why.reason.clone() },
        _ => Unknown { unknown: UnknownKind::Undetermined, reason: "没有得分".to_owned() },
    };
    points.map_or(Reading::Unknown(why), Reading::Known)
}

fn quantity(
    value: rust_decimal::Decimal,
    low: rust_decimal::Decimal,
    high: rust_decimal::Decimal,
) -> Option<Quantity> {
    Some(Quantity { value: value.to_f64()?, low: low.to_f64()?, high: high.to_f64() })
}

/// What a comparison tells each of its accounts.
async fn told(
    context: &Context,
    judging: &Judging<'_>,
    scheme: &str,
    field: &Field<'_>,
    beside: &mut Beside,
) -> anyhow::Result<()> {
    let id = &field.declared.id;
    match &field.declared.kind {
        DeclaredKind::Peers(peers) => {
            let readings = percentiles(peers, &field.entrants);
            for (account, reading) in field.accounts.iter().zip(readings) {
                beside.entry(*account).or_default().insert(id.clone(), reading);
            }
        }
        DeclaredKind::Rank(rank) => {
            let now = places(&field.entrants);
            let earlier = earlier(context, judging, scheme, &rank.of, field).await?;
            for (at, account) in field.accounts.iter().enumerate() {
                let before: Vec<Option<Quantity>> =
                    earlier.iter().map(|places| places[at]).collect();
                let readings = place_and_run(id, rank, now[at], &before);
                beside.entry(*account).or_default().extend(readings);
            }
        }
        _ => {}
    }
    Ok(())
}

/// The places of the periods before, the newest first, as far back as there is one; each in the
/// order of the field's accounts.
async fn earlier(
    context: &Context,
    judging: &Judging<'_>,
    scheme: &str,
    of: &str,
    field: &Field<'_>,
) -> anyhow::Result<Vec<Vec<Option<Quantity>>>> {
    let mut all = Vec::new();
    let mut period: Period = judging.period;
    for _ in 0..PERIODS_BACK {
        period = period.previous();
        let past = context
            .store
            .past_scores(&period.to_string(), scheme, of, judging.known_at)
            .await
            .context("reading earlier scores")?;
        if past.is_empty() {
            break;
        }
        let points: HashMap<AccountId, Option<Quantity>> = past
            .into_iter()
            .map(|one| (one.account, quantity(one.points, one.low, one.high)))
            .collect();
        let entrants: Vec<Entrant> = field
            .accounts
            .iter()
            .zip(&field.entrants)
            .map(|(account, entrant)| Entrant {
                group: entrant.group.clone(),
                value: match points.get(account).copied().flatten() {
                    Some(quantity) => Reading::Known(quantity),
                    None => as_reading(None),
                },
            })
            .collect();
        all.push(places(&entrants));
    }
    Ok(all)
}
