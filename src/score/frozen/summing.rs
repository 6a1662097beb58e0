//! Cards summed up: roll-ups and rankings.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::scheme::{Rollup, RollupTo, Scheme, Subject};

use super::super::{
    Entrant, Points, Quantity, Reading, ScoreCard, SubjectFact, Unknown, UnknownKind, places,
    roll_up,
};
use super::summary::{Placed, Ranking, SubjectPart, SubjectScore, Summary};

/// Accounts of one ranking on one line.
const PLACES: usize = 1_000;

/// One account in the roll-ups.
struct Member {
    key: Arc<str>,
    sponsor: String,
    supervisor: Option<String>,
    subject: SubjectFact,
    card: ScoreCard,
}

/// One score in the rankings: its id and title, and the points of who may be ranked.
struct Ranked {
    id: String,
    title: String,
    points: Vec<(Arc<str>, Points)>,
}

/// What is gathered under one scheme.
struct Gathered<'a> {
    scheme: &'a Scheme,
    /// Nobody where the scheme rolls nothing up: a nation's cards would fill the memory.
    members: Vec<Member>,
    ranked: Vec<Ranked>,
}

/// Gathers cards, without their lines, and sums them up once all are in.
#[derive(Default)]
pub struct Summing<'a> {
    schemes: BTreeMap<&'a str, Gathered<'a>>,
}

impl<'a> Summing<'a> {
    /// Takes an account's card in; one that its scheme does not judge takes no part.
    pub fn take(
        &mut self,
        scheme: &'a Scheme,
        key: &str,
        (sponsor, supervisor): (&str, Option<&str>),
        subject: &SubjectFact,
        card: &ScoreCard,
    ) {
        let begun = || Gathered { scheme, members: Vec::new(), ranked: Vec::new() };
        let gathered = self.schemes.entry(&scheme.id).or_insert_with(begun);
        let key: Arc<str> = key.into();
        for score in &card.dimensions {
            let known = gathered.ranked.iter().position(|one| one.id == score.id);
            let at = known.unwrap_or_else(|| {
                let (id, title) = (score.id.clone(), score.title.clone());
                gathered.ranked.push(Ranked { id, title, points: Vec::new() });
                gathered.ranked.len() - 1
            });
            if let Some(points) = score.outcome.points().filter(|_| score.ranked) {
                gathered.ranked[at].points.push((key.clone(), points));
            }
        }
        if scheme.rollups.is_empty() {
            return;
        }
        gathered.members.push(Member {
            key,
            sponsor: sponsor.to_owned(),
            supervisor: supervisor.map(str::to_owned),
            subject: subject.clone(),
            card: card.without_lines(),
        });
    }

    /// Every roll-up and every ranking, by scheme, in the scheme's order.
    pub fn finish(&self) -> Vec<Summary> {
        let mut all = Vec::new();
        for Gathered { scheme, members, ranked } in self.schemes.values() {
            for rollup in &scheme.rollups {
                let scores = subject_scores(scheme, rollup, members);
                let points = scores.iter().filter_map(|one| {
                    one.outcome.points().map(|points| (one.subject.clone(), points))
                });
                let ranking = ranking(scheme, (&rollup.id, &rollup.title), points.collect());
                all.extend(scores.into_iter().map(Summary::Rollup));
                all.extend(ranking.into_iter().map(Summary::Ranking));
            }
            for one in ranked {
                let points = one.points.iter().map(|(key, points)| (key.to_string(), *points));
                let ranking = ranking(scheme, (&one.id, &one.title), points.collect());
                all.extend(ranking.into_iter().map(Summary::Ranking));
            }
        }
        all
    }
}

fn subject_scores(scheme: &Scheme, rollup: &Rollup, members: &[Member]) -> Vec<SubjectScore> {
    let mut subjects: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in members {
        if let Some(subject) = member.answers(rollup.to) {
            subjects.entry(subject).or_default().push(member);
        }
    }
    let score = |(subject, members): (&str, Vec<&Member>)| {
        let cards: Vec<(Subject<'_>, &ScoreCard)> =
            members.iter().map(|member| (member.subject.subject(), &member.card)).collect();
        let score = roll_up(rollup, &cards);
        let key = |at: &usize| members[*at].key.to_string();
        SubjectScore {
            scheme: scheme.id.clone(),
            id: score.id,
            title: score.title,
            clause: score.clause,
            to: rollup.to.as_str().to_owned(),
            subject: subject.to_owned(),
            accounts: members.len() as u64,
            outcome: score.outcome,
            parts: score
                .parts
                .into_iter()
                .map(|part| SubjectPart {
                    of: part.of,
                    weight: part.weight,
                    outcome: part.outcome,
                    accounts: part.accounts as u64,
                })
                .collect(),
            vetoed: score.vetoed.iter().map(key).collect(),
            left_out: score.left_out.iter().map(|(at, why)| (key(at), why.clone())).collect(),
        }
    };
    subjects.into_iter().map(score).collect()
}

impl Member {
    /// Who answers for the account; nobody where the ledger names none.
    fn answers(&self, to: RollupTo) -> Option<&str> {
        match to {
            RollupTo::Sponsor => Some(&self.sponsor),
            RollupTo::Supervisor => self.supervisor.as_deref(),
            RollupTo::Region => Some(&self.subject.region),
            RollupTo::City => self.subject.region.get(..4),
            RollupTo::Province => self.subject.region.get(..2),
        }
    }
}

/// The places by one score, the first first, those of one place by key.
fn ranking(
    scheme: &Scheme,
    (of, title): (&str, &str),
    entered: Vec<(String, Points)>,
) -> Vec<Ranking> {
    let entrants: Vec<Entrant> = entered
        .iter()
        .map(|(_, points)| Entrant { group: String::new(), value: reading(*points) })
        .collect();
    let mut placed: Vec<Placed> = entered
        .into_iter()
        .zip(places(&entrants))
        .filter_map(|((key, points), at)| {
            let at = at?;
            let (place, best) = (whole(at.value), whole(at.low));
            let worst = at.high.map_or(place, whole);
            Some(Placed { key, points, place, best, worst })
        })
        .collect();
    placed.sort_by(|a, b| (a.place, &a.key).cmp(&(b.place, &b.key)));
    let of_lines = |places: &[Placed]| Ranking {
        scheme: scheme.id.clone(),
        of: of.to_owned(),
        title: title.to_owned(),
        places: places.to_vec(),
    };
    placed.chunks(PLACES).map(of_lines).collect()
}

fn reading(points: Points) -> Reading {
    let of = |decimal: Decimal| f64::try_from(decimal).ok();
    match (of(points.points), of(points.low)) {
        (Some(value), Some(low)) => Reading::Known(Quantity { value, low, high: of(points.high) }),
        _ => Reading::Unknown(Unknown {
            unknown: UnknownKind::Undetermined,
            reason: "分值过大".into(),
        }),
    }
}

/// A place as a whole number: there are as many as accounts.
fn whole(place: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to accounts")]
    let place = place as u64;
    place
}
