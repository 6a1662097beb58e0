//! `config/indices/*.toml`: coefficient sets of the operator.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;
use toml::de::DeTable;

use crate::domain::{Problem, SourceText};

use super::super::reader::Reader;
use super::{Aggregate, BUILT_IN, Certainty, Formula, Metric, Term};

/// The shipped formulas and those of the operator, by id.
#[derive(Debug)]
pub struct IndexCatalog {
    formulas: BTreeMap<String, Formula>,
    warnings: Vec<Problem>,
    files: Vec<SourceText>,
}

impl Default for IndexCatalog {
    fn default() -> Self {
        let formulas = BUILT_IN.iter().map(|formula| (formula.id.clone(), formula.clone()));
        Self { formulas: formulas.collect(), warnings: Vec::new(), files: Vec::new() }
    }
}

impl IndexCatalog {
    /// The shipped formulas and the compiled files.
    ///
    /// # Errors
    ///
    /// Every problem of every file, in the order of the files.
    pub fn compile(sources: &[SourceText]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self { files: sources.to_vec(), ..Self::default() };
        let mut problems = Vec::new();
        for source in sources {
            let Some(formula) = coefficients(source, &mut problems) else { continue };
            if catalog.formulas.contains_key(&formula.id) {
                let reason = format!("the index {:?} is there already", formula.id);
                problems.push(source.problem("id", reason));
            }
            if formula.certainty == Certainty::Unverified {
                let reason = format!("系数未经核实:{}", formula.title);
                catalog.warnings.push(source.problem("certainty", reason));
            }
            catalog.formulas.insert(formula.id.clone(), formula);
        }
        if problems.is_empty() { Ok(catalog) } else { Err(problems) }
    }

    /// The formula of an id.
    pub fn get(&self, id: &str) -> Option<&Formula> {
        self.formulas.get(id)
    }

    /// Every formula, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Formula> {
        self.formulas.values()
    }

    /// The operator's files themselves: a freeze keeps them.
    pub fn files(&self) -> &[SourceText] {
        &self.files
    }

    /// What an operator should know: files whose coefficients are unverified.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

/// Reads one coefficient file; `None` where a problem was added.
pub fn coefficients(source: &SourceText, problems: &mut Vec<Problem>) -> Option<Formula> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        problems.extend(errors.iter().map(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            source.problem_at(offset, "", error.message())
        }));
        return None;
    }
    let before = problems.len();
    let mut reader = Reader::root(source, document.get_ref());
    let id = reader.name("id", problems);
    let title = reader.text("title", problems);
    let index = reader.text("index", problems);
    let version = reader.text("version", problems);
    let cited = reader.text("source", problems);
    let certainty = reader.certainty(problems);
    let power = reader.whole("power", problems);
    if power > 2 {
        problems.push(reader.problem("power", "is 1 or 2"));
    }
    let scale = float(&mut reader, "scale", problems);
    let terms = reader.tables("terms", problems);
    let terms = terms.into_iter().filter_map(|table| term(table, problems)).collect();
    reader.finish(problems);
    (problems.len() == before).then_some(Formula {
        id,
        title,
        index,
        version,
        source: cited,
        certainty,
        warning: None,
        terms,
        power,
        scale,
    })
}

fn term(mut reader: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Term> {
    let words: Vec<&str> = Metric::ALL.iter().map(|row| row.1).collect();
    let metric = reader
        .word("metric", &words, problems)
        .and_then(|word| Metric::ALL.into_iter().find(|row| row.1 == word));
    let words: Vec<&str> = Aggregate::ALL.iter().map(|row| row.1).collect();
    let of = reader
        .word("of", &words, problems)
        .and_then(|word| Aggregate::ALL.into_iter().find(|row| row.1 == word));
    let weight = float(&mut reader, "weight", problems);
    let gain = float(&mut reader, "gain", problems);
    reader.finish(problems);
    Some(Term { metric: metric?.0, of: of?.0, weight, gain })
}

fn float(reader: &mut Reader<'_>, key: &'static str, problems: &mut Vec<Problem>) -> f64 {
    reader.decimal(key, problems).to_f64().unwrap_or_default()
}
