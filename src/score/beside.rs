//! What only a comparison with other accounts tells: percentiles, places, ties, roll-ups' inputs.

use std::collections::{BTreeMap, HashMap};

use crate::scheme::{GroupKey, Peers, Rank};

use super::facts::SubjectFact;
use super::reading::{Quantity, Reading, UnknownKind, number_of};

/// One account's number in a comparison; one that cannot be told compares with nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Entrant {
    /// What its peers share with it, from [`group_of`].
    pub group: String,
    /// The number.
    pub value: Reading,
}

/// What the peers of an account share with it.
pub fn group_of(keys: &[GroupKey], subject: &SubjectFact) -> String {
    let part = |key: &GroupKey| match key {
        GroupKey::Platform => subject.platform.as_str(),
        GroupKey::Level => subject.level.as_deref().unwrap_or_default(),
        GroupKey::Category => subject.category.as_deref().unwrap_or_default(),
        GroupKey::Role => subject.role.as_deref().unwrap_or_default(),
        GroupKey::Province => subject.region.get(..2).unwrap_or_default(),
        GroupKey::City => subject.region.get(..4).unwrap_or_default(),
        GroupKey::Region => subject.region.as_str(),
    };
    keys.iter().map(part).collect::<Vec<_>>().join("/")
}

/// The ends of one group's numbers, sorted, so that each account is placed by four searches.
#[derive(Default)]
struct Field {
    values: Vec<f64>,
    lows: Vec<f64>,
    /// An open upper end is infinite.
    highs: Vec<f64>,
}

impl Field {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn below(sorted: &[f64], number: f64) -> usize {
        sorted.partition_point(|one| *one < number)
    }

    fn at_most(sorted: &[f64], number: f64) -> usize {
        sorted.partition_point(|one| *one <= number)
    }
}

fn high(quantity: &Quantity) -> f64 {
    quantity.high.unwrap_or(f64::INFINITY)
}

fn fields(entrants: &[Entrant]) -> HashMap<&str, Field> {
    let mut fields: HashMap<&str, Field> = HashMap::new();
    for entrant in entrants {
        let Ok(quantity) = entrant.value.known() else { continue };
        let field = fields.entry(&entrant.group).or_default();
        field.values.push(quantity.value);
        field.lows.push(quantity.low);
        field.highs.push(high(&quantity));
    }
    for field in fields.values_mut() {
        for numbers in [&mut field.values, &mut field.lows, &mut field.highs] {
            numbers.sort_by(f64::total_cmp);
        }
    }
    fields
}

/// Percentiles among peers, 0–1, in the order of the entrants: the share of the others that has
/// less, half of those with as much included.
///
/// The ends tell what the others' bounds and one's own allow. Without a number of one's own, or in
/// a group too small, there is none.
pub fn percentiles(peers: &Peers, entrants: &[Entrant]) -> Vec<Reading> {
    let fields = fields(entrants);
    let least = usize::try_from(peers.at_least).unwrap_or(usize::MAX).max(2);
    let of = |entrant: &Entrant| {
        // Nothing to compare for the same reason for which there is no number.
        let quantity = match entrant.value.known() {
            Ok(quantity) => quantity,
            Err(why) => return Reading::Unknown(why.clone()),
        };
        let field = &fields[entrant.group.as_str()];
        if field.len() < least {
            let reason = format!("同组可比账号 {} 个,少于 {least} 个", field.len());
            return Reading::unknown(UnknownKind::Undetermined, reason);
        }
        let others = number_of(field.len() - 1);
        let less = Field::below(&field.values, quantity.value);
        let as_much = Field::at_most(&field.values, quantity.value) - less - 1;
        let share = |count: f64| count / others;
        let value = share(number_of(less) + number_of(as_much) / 2.0);
        // Oneself is among the ends only where it has none between.
        let surely_less = Field::below(&field.highs, quantity.low);
        let surely_more = field.len() - Field::at_most(&field.lows, high(&quantity));
        let low = share(number_of(surely_less)).min(value);
        let high = share(others - number_of(surely_more)).max(value);
        let exact = quantity.high == Some(quantity.low) && {
            let known = surely_less + surely_more + as_much + 1;
            known == field.len()
        };
        if exact {
            return Reading::exact(value);
        }
        Reading::Known(Quantity { value, low, high: Some(high) })
    };
    entrants.iter().map(of).collect()
}

/// Places among peers, 1 for the most, in the order of the entrants; whose bounds overlap share a
/// place: `low` is the best that the bounds allow, `high` the worst.
pub fn places(entrants: &[Entrant]) -> Vec<Option<Quantity>> {
    let fields = fields(entrants);
    let of = |entrant: &Entrant| {
        let quantity = entrant.value.known().ok()?;
        let field = &fields[entrant.group.as_str()];
        let more = field.len() - Field::at_most(&field.values, quantity.value);
        let surely_more = field.len() - Field::at_most(&field.lows, high(&quantity));
        // Everyone whose upper end reaches beyond one's lower end may stand before.
        let mut maybe_more = field.len() - Field::at_most(&field.highs, quantity.low);
        if high(&quantity) > quantity.low {
            maybe_more -= 1;
        }
        Some(Quantity {
            value: number_of(more + 1),
            low: number_of(surely_more + 1),
            high: Some(number_of(maybe_more.max(more) + 1)),
        })
    };
    entrants.iter().map(of).collect()
}

/// The place and its run: for how many periods in a row, the current one included, it was within
/// the scheme's top. `earlier` are the places of the periods before, the newest first.
pub fn place_and_run(
    id: &str,
    rank: &Rank,
    place: Option<Quantity>,
    earlier: &[Option<Quantity>],
) -> BTreeMap<String, Reading> {
    let Some(now) = place else {
        let reason = format!("{}未知,无法排名", rank.of);
        let unknown = || Reading::unknown(UnknownKind::Undetermined, reason.clone());
        return [(id.to_owned(), unknown()), (format!("{id}_run"), unknown())].into();
    };
    let top = f64::from(rank.top);
    let all: Vec<Option<Quantity>> =
        std::iter::once(Some(now)).chain(earlier.iter().copied()).collect();
    let run = |within: &dyn Fn(&Option<Quantity>) -> bool| {
        number_of(all.iter().take_while(|place| within(place)).count())
    };
    let value = run(&|place| place.is_some_and(|place| place.value <= top));
    let low = run(&|place| place.is_some_and(|p| p.high.is_some_and(|high| high <= top)));
    // A period without a place may have been one within the top; beyond the known nothing is said.
    let high = run(&|place| place.is_none_or(|place| place.low <= top));
    let run = Quantity { value, low: low.min(value), high: Some(high.max(value)) };
    [(id.to_owned(), Reading::Known(now)), (format!("{id}_run"), Reading::Known(run))].into()
}
