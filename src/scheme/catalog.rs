use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{LedgerEntry, Problem, SourceText};

use super::assign::{ASSIGN_FILE, Assignment, assignments, choose};
use super::compile::scheme;
use super::rules::Scheme;

/// The scheme that judges where no row of the assignments says otherwise.
pub const DEFAULT_SCHEME: &str = "default";

/// Every scheme of an installation, and which accounts each judges.
#[derive(Debug, Default)]
pub struct Catalog {
    schemes: BTreeMap<String, Scheme>,
    assignments: Vec<Assignment>,
}

impl Catalog {
    /// Compiles scheme files, and the file of assignments, over the known measures.
    ///
    /// # Errors
    ///
    /// Every problem of every file, in the order of the files.
    pub fn compile(sources: &[SourceText], measures: &[&str]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self::default();
        let mut problems = Vec::new();
        let is_assign = |source: &&SourceText| {
            std::path::Path::new(&source.file).file_name().is_some_and(|name| name == ASSIGN_FILE)
        };
        for source in sources.iter().filter(|source| !is_assign(source)) {
            let Some(scheme) = scheme(source, measures, &mut problems) else { continue };
            if catalog.schemes.contains_key(&scheme.id) {
                let reason = format!("another file has the scheme {:?} already", scheme.id);
                problems.push(source.problem("id", reason));
            }
            catalog.schemes.insert(scheme.id.clone(), scheme);
        }
        for source in sources.iter().filter(is_assign) {
            let rows = assignments(source, &mut problems);
            let known: Vec<&str> = catalog.schemes.keys().map(String::as_str).collect();
            // A scheme that did not compile is told once, by its own problems.
            let unknown = |row: &&Assignment| !known.contains(&row.scheme.as_str());
            let all_compiled = problems.is_empty();
            for row in rows.iter().filter(|_| all_compiled).filter(unknown) {
                let heads = source.text.match_indices("[[assign]]");
                let uncommented = heads.filter(|(at, _)| {
                    let line = source.text[..*at].rsplit('\n').next().unwrap_or_default();
                    line.trim().is_empty()
                });
                let place = uncommented.map(|(at, _)| at).nth(row.row - 1);
                let reason =
                    format!("{:?} is no scheme; known are {}", row.scheme, known.join(", "));
                let field = format!("assign[{}].scheme", row.row - 1);
                problems.push(source.problem_at(place.unwrap_or(0), &field, reason));
            }
            catalog.assignments.extend(rows);
        }
        if problems.is_empty() { Ok(catalog) } else { Err(problems) }
    }

    /// The scheme of an id.
    pub fn get(&self, id: &str) -> Option<&Scheme> {
        self.schemes.get(id)
    }

    /// Every scheme, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.schemes.values()
    }

    /// The rows that say which scheme judges which account.
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// The cutoffs in `[from, to]` of every scheme that may judge an account of a platform, each
    /// once, in order: those of its rhythm where it has one.
    pub fn cutoffs(
        &self,
        platform: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Vec<DateTime<Utc>> {
        let rows = self.assignments.iter();
        let named = rows.filter(|row| row.platform.as_deref().is_none_or(|one| one == platform));
        let ids = named.map(|row| row.scheme.as_str()).chain([DEFAULT_SCHEME]);
        let rhythms = ids.filter_map(|id| self.get(id)?.rhythm);
        let all: BTreeSet<DateTime<Utc>> =
            rhythms.flat_map(|rhythm| rhythm.cutoffs(from, to)).collect();
        all.into_iter().collect()
    }

    /// The scheme that judges an account on a day, with the row that says so; without a row, the
    /// default scheme. A row whose scheme is not in effect on that day is passed over.
    pub fn of(
        &self,
        entry: &LedgerEntry,
        day: NaiveDate,
    ) -> Option<(&Scheme, Option<&Assignment>)> {
        let effective =
            |row: &Assignment| self.get(&row.scheme).is_some_and(|one| one.is_effective(day));
        match choose(&self.assignments, entry, day, effective) {
            Some(row) => Some((self.get(&row.scheme)?, Some(row))),
            None => Some((self.get(DEFAULT_SCHEME)?, None)),
        }
    }

    /// What an operator should know of every scheme.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.iter().flat_map(|scheme| &scheme.warnings)
    }
}
