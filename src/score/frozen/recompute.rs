use std::collections::{BTreeMap, HashMap};

use crate::scheme::Scheme;

use super::super::{Comparison, Measured, PeriodFacts, Points, ScoreCard, SilenceFact, Told, card};
use super::bundle::FrozenAccount;
use super::rules::FrozenRules;

/// What is said of a silence that was proven under other tiers than a draft's.
const OTHER_TIERS: &str = "草案的静默时限与定格时不同,静默须由原始观察重新判定";

/// The cards of a bundle, computed again in two passes: every account is entered, then each card.
pub struct Recomputation<'a> {
    rules: &'a FrozenRules,
    /// The id of a frozen scheme, and the draft that judges in its stead.
    draft: Option<(&'a str, &'a Scheme)>,
    comparisons: BTreeMap<&'a str, Entered<'a>>,
    told: Vec<Told>,
    /// By 账号编号, which of those tells of the account, and where.
    places: HashMap<String, (usize, usize)>,
}

struct Entered<'a> {
    comparison: Comparison<'a>,
    keys: Vec<String>,
    earlier: Vec<BTreeMap<String, Vec<Option<Points>>>>,
}

impl<'a> Recomputation<'a> {
    /// Under the bundle's own rules, or with a draft in the stead of one scheme.
    pub fn new(rules: &'a FrozenRules, draft: Option<(&'a str, &'a Scheme)>) -> Self {
        let comparisons = BTreeMap::new();
        Self { rules, draft, comparisons, told: Vec::new(), places: HashMap::new() }
    }

    fn scheme(&self, account: &FrozenAccount) -> Result<(&'a Scheme, bool), String> {
        if let Some((_, draft)) = self.draft.filter(|(instead, _)| *instead == account.scheme) {
            return Ok((draft, true));
        }
        let scheme = self.rules.scheme(&account.scheme);
        let scheme = scheme.ok_or_else(|| {
            format!("{}: the scheme {:?} is not in the head", account.key, account.scheme)
        })?;
        Ok((scheme, false))
    }

    /// The facts, less what was proven under tiers that the draft does not share.
    fn facts(&self, account: &FrozenAccount, scheme: &Scheme, is_draft: bool) -> PeriodFacts {
        let mut facts = account.facts.clone();
        let subject = account.facts.subject.subject();
        let frozen = self.rules.scheme(&account.scheme).map(|one| one.activity_of(&subject));
        if is_draft && frozen != Some(scheme.activity_of(&subject)) && facts.silence.is_some() {
            facts.silence = Some(SilenceFact::Undetermined { reason: OTHER_TIERS.to_owned() });
        }
        facts
    }

    /// First pass: lets an account take part in the comparisons.
    ///
    /// # Errors
    /// Its scheme is not in the head, or uses measures that this program does not have.
    pub fn enter(&mut self, account: &FrozenAccount) -> Result<(), String> {
        let (scheme, is_draft) = self.scheme(account)?;
        let tables = self.rules.tables();
        let facts = self.facts(account, scheme, is_draft);
        let entered = self.comparisons.entry(&scheme.id).or_insert_with(|| Entered {
            comparison: Comparison::new(scheme, tables),
            keys: Vec::new(),
            earlier: Vec::new(),
        });
        if entered.comparison.is_needed() {
            let measured = Measured::of(scheme, &facts, tables);
            let entered_now = entered.comparison.enter(&measured, &facts.subject);
            entered_now.map_err(|error| error.to_string())?;
            entered.keys.push(account.key.clone());
            entered.earlier.push(account.earlier.clone());
        }
        Ok(())
    }

    /// Between the passes: tells every account what the comparisons say of it.
    pub fn compare(&mut self) {
        for entered in self.comparisons.values() {
            let own = self.told.len();
            self.told.push(entered.comparison.told(|of| entered.periods(of)));
            let places = entered.keys.iter().enumerate();
            self.places.extend(places.map(|(at, key)| (key.clone(), (own, at))));
        }
    }

    /// Second pass: the account's card, computed from its facts.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub fn card(&self, account: &FrozenAccount) -> Result<ScoreCard, String> {
        let (scheme, is_draft) = self.scheme(account)?;
        let facts = self.facts(account, scheme, is_draft);
        let place = self.places.get(&account.key);
        let beside = place.map(|(told, at)| self.told[*told].of(*at)).unwrap_or_default();
        let tables = self.rules.tables();
        let measured = Measured::of(scheme, &facts, tables);
        let card = card(scheme, &measured, &facts.subject, &beside, tables);
        let mut card = card.map_err(|error| format!("{}: {error}", account.key))?;
        card.assigned_by.clone_from(&account.card.assigned_by);
        Ok(card)
    }
}

impl Entered<'_> {
    /// The points of the periods before, the newest first, each in the order of the accounts.
    fn periods(&self, of: &str) -> Vec<Vec<Option<Points>>> {
        let own =
            |earlier: &BTreeMap<String, Vec<Option<Points>>>| earlier.get(of).map_or(0, Vec::len);
        let count = self.earlier.iter().map(own).max().unwrap_or(0);
        let at = |earlier: &BTreeMap<String, Vec<Option<Points>>>, period: usize| {
            earlier.get(of).and_then(|points| points.get(period).copied()).flatten()
        };
        (0..count)
            .map(|period| self.earlier.iter().map(|earlier| at(earlier, period)).collect())
            .collect()
    }
}
