//! A scheme file into a scheme, or into every reason why not.

mod declared;
mod head;
mod manual;
mod overall;
mod scoring;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::domain::{Problem, SourceText};

use super::declared::Declared;
use super::reader::Reader;
use super::rules::{Scheme, Unmeasured};
use super::{Certainty, Expression, Scope};

/// What stays the same while one file is compiled.
struct Compiling<'a> {
    /// The catalogue's measures, the indices, and what the scheme declares.
    measures: Vec<&'a str>,
    certainty: Certainty,
    warnings: Vec<Problem>,
}

/// Compiles one file; `None` where a problem was added.
pub(super) fn scheme(
    source: &SourceText,
    measures: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<Scheme> {
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
    let head = head::head(&mut reader, problems);
    let mut compiling =
        Compiling { measures: Vec::new(), certainty: head.certainty, warnings: Vec::new() };
    if head.certainty == Certainty::Unverified {
        compiling.warnings.push(reader.problem("certainty", "整个方案未经核实"));
    }
    let mut own = declared::declared(&mut reader, measures, &mut compiling, problems);
    let names: Vec<String> = own.iter().flat_map(Declared::names).collect();
    compiling.measures = measures.iter().copied().chain(names.iter().map(String::as_str)).collect();
    let rules = scoring::rules(&mut reader, &mut compiling, problems);
    let overall = overall::overall(&mut reader, &rules.dimensions, &mut compiling, problems);
    declared::check_compared(&own, &compiling, &rules, &overall, &reader, problems);
    let rhythm = overall::rhythm(&mut reader, problems);
    let sampling = overall::sampling(&mut reader, problems);
    let unmeasured = unmeasured(&mut reader, problems);
    reader.finish(problems);
    let (effective_from, activity) = (head.effective_from?, head.activity?);
    own.extend(rules.manual);
    (problems.len() == before).then(|| Scheme {
        id: head.id,
        title: head.title,
        authority: head.authority,
        version: head.version,
        certainty: head.certainty,
        effective_from,
        effective_until: head.effective_until,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(&source.text))),
        text: source.text.clone(),
        judges: head.judges,
        activity,
        staleness: head.staleness,
        reply_deadline_hours: head.reply_deadline_hours,
        naming_without_approval: head.naming_without_approval,
        rhythm,
        sampling,
        declared: own,
        vetoes: rules.vetoes,
        flags: rules.flags,
        dimensions: rules.dimensions,
        composites: overall.composites,
        pass: overall.pass,
        rollups: overall.rollups,
        unmeasured,
        warnings: compiling.warnings,
    })
}

/// Whom a rule concerns, from the keys of its own table.
fn scope(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Scope {
    Scope {
        platforms: reader.texts("platforms", problems),
        except_platforms: reader.texts("except_platforms", problems),
        categories: reader.texts("categories", problems),
        except_categories: reader.texts("except_categories", problems),
        levels: reader.texts("levels", problems),
        except_note: reader.optional_text("except_note", problems).map(str::to_owned),
    }
}

fn unmeasured(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Vec<Unmeasured> {
    let mut ids = BTreeSet::new();
    let tables = reader.optional_tables("unmeasured", problems);
    let items = tables.into_iter().map(|mut table| {
        let id = table.id(problems);
        unique(&id, &table, &mut ids, problems);
        let title = table.text("title", problems);
        let clause = table.text("clause", problems);
        let reason = table.text("reason", problems);
        table.finish(problems);
        Unmeasured { id, title, clause, reason }
    });
    items.collect()
}

fn unique(id: &str, reader: &Reader<'_>, ids: &mut BTreeSet<String>, problems: &mut Vec<Problem>) {
    if !id.is_empty() && !ids.insert(id.to_owned()) {
        problems.push(reader.problem("id", format!("{id:?} stands twice")));
    }
}

impl Compiling<'_> {
    /// The certainty of a part; one that is not verified is warned about.
    fn certainty(&mut self, reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Certainty {
        let own = reader.certainty_or(self.certainty, problems);
        if own == Certainty::Unverified && self.certainty != Certainty::Unverified {
            self.warnings.push(reader.problem("certainty", "未经核实,须按正式文本核对"));
        }
        own
    }

    /// Compiles the expression of a key; `None` where it is missing or wrong.
    fn expression(
        &self,
        reader: &mut Reader<'_>,
        key: &'static str,
        compile: fn(&str, &[&str]) -> Result<Expression, Vec<String>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Expression> {
        let text = reader.text(key, problems);
        if text.is_empty() {
            return None;
        }
        compile(&text, &self.measures)
            .map_err(|reasons| {
                problems.extend(reasons.into_iter().map(|why| reader.problem(key, why)));
            })
            .ok()
    }

    /// A measure named by a key.
    fn measure(
        &self,
        reader: &mut Reader<'_>,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> String {
        let measure = reader.text(key, problems);
        if !measure.is_empty() && !self.measures.contains(&measure.as_str()) {
            let reason =
                format!("{measure:?} is no measure; known are {}", self.measures.join(", "));
            problems.push(reader.problem(key, reason));
        }
        measure
    }
}
