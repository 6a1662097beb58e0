use std::collections::BTreeMap;

use crate::domain::{Problem, RegionCode, SourceText};

use super::compile::rule_set;
use super::exit::ExitRule;
use super::ladder::Ladder;
use super::rule::{Check, Rule, RuleSet};
use super::triage::TriageRule;

/// Every rule of an installation.
#[derive(Debug, Default)]
pub struct Catalog {
    sets: Vec<RuleSet>,
    /// Rule id → (set, rule).
    places: BTreeMap<String, (usize, usize)>,
}

impl Catalog {
    /// Compiles rules files over the measures that `score` knows.
    ///
    /// # Errors
    /// Every problem of every file, in the order of the files.
    pub fn compile(sources: &[SourceText], measures: &[&str]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self::default();
        let mut problems = Vec::new();
        for source in sources {
            let set = match rule_set(source, measures) {
                Ok(set) => set,
                Err(more) => {
                    problems.extend(more);
                    continue;
                }
            };
            if catalog.sets.iter().any(|other| other.id == set.id) {
                let reason = format!("another file has the rules {:?} already", set.id);
                problems.push(source.problem("id", reason));
            }
            for (place, rule) in set.rules.iter().enumerate() {
                let at = (catalog.sets.len(), place);
                if catalog.places.insert(rule.id.clone(), at).is_some() {
                    let reason = format!("another file has the rule {:?} already", rule.id);
                    problems.push(source.problem("rules", reason));
                }
            }
            catalog.sets.push(set);
        }
        if problems.is_empty() { Ok(catalog) } else { Err(problems) }
    }

    /// Every set, in the order of the files.
    pub fn sets(&self) -> &[RuleSet] {
        &self.sets
    }

    /// The rule of an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.place(id).map(|(_, rule)| rule)
    }

    /// The set and the rule of an id.
    pub fn place(&self, id: &str) -> Option<(&RuleSet, &Rule)> {
        let (set, rule) = self.places.get(id)?;
        Some((&self.sets[*set], &self.sets[*set].rules[*rule]))
    }

    /// Every rule that holds for a region, by id.
    pub fn rules_for<'a>(
        &'a self,
        region: &RegionCode,
    ) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let region = region.clone();
        let places = self.places.values().filter_map(move |(set, rule)| {
            let set = &self.sets[*set];
            set.holds_for(&region).map(|_| &set.rules[*rule])
        });
        places.collect::<Vec<_>>().into_iter()
    }

    /// The ladder of a region: that of the set which names it most closely.
    pub fn ladder_for(&self, region: &RegionCode) -> Option<&Ladder> {
        self.nearest(region, |set| set.ladder.as_ref())
    }

    /// The exit rule of a region.
    pub fn exit_for(&self, region: &RegionCode) -> Option<&ExitRule> {
        self.nearest(region, |set| set.exit.as_ref())
    }

    /// The triage of a region.
    pub fn triage_for(&self, region: &RegionCode) -> Option<&TriageRule> {
        self.nearest(region, |set| set.triage.as_ref())
    }

    /// The rule under which accounts of a region that failed an assessment are named, with its set.
    pub fn naming_rule_for(&self, region: &RegionCode) -> Option<(&RuleSet, &Rule)> {
        let set = self.nearest(region, |set| set.rules.iter().any(is_naming).then_some(set))?;
        set.rules.iter().find(|rule| is_naming(rule)).map(|rule| (set, rule))
    }

    fn nearest<'a, T>(
        &'a self,
        region: &RegionCode,
        of: impl Fn(&'a RuleSet) -> Option<&'a T>,
    ) -> Option<&'a T> {
        let holding = self.sets.iter().filter_map(|set| Some((set.holds_for(region)?, of(set)?)));
        holding.max_by_key(|(digits, _)| *digits).map(|(_, found)| found)
    }
}

fn is_naming(rule: &Rule) -> bool {
    rule.check == Check::Assessment
}
