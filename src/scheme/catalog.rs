use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::domain::{Problem, SourceText};

use super::expression::Expression;
use super::reader::Reader;
use super::threshold::{Activity, Limit, Operator, Threshold};

/// Every scheme of an installation.
#[derive(Debug, Default)]
pub struct Catalog {
    schemes: BTreeMap<String, Scheme>,
}

/// A versioned, dated set of rules of one authority.
#[derive(Debug)]
pub struct Scheme {
    /// The id: lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// Who issued it, with the number of the document where there is one.
    pub authority: String,
    /// The version of the rules, as their authority counts.
    pub version: String,
    /// The first day on which it judges.
    pub effective_from: NaiveDate,
    /// The last day on which it judges; open where absent.
    pub effective_until: Option<NaiveDate>,
    /// `sha256:…` of the file: what a result names as its rules.
    pub digest: String,
    /// The tiers of silence.
    pub activity: Activity,
    /// A message is overdue when it is not answered this long after it was asked.
    pub reply_deadline_hours: u32,
    /// The dimensions, in the order of the file.
    pub dimensions: Vec<Dimension>,
}

/// One score, such as 勤勉度.
#[derive(Debug)]
pub struct Dimension {
    /// The id, unique in the scheme.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The least covered share of the period, 0–1, below which nothing is scored.
    pub coverage_min: Decimal,
    /// Where lines cannot be scored because the platform does not show what they need, or there is
    /// nothing to judge: the least sum of the others' maxima from which those are scaled up to the
    /// full sum. Absent: one line that is not scored leaves the dimension not scored.
    pub rescale_from: Option<Decimal>,
    /// When the result may stand in a ranking; absent: always.
    pub ranking: Option<Ranking>,
    /// The lines, in the order of the file.
    pub lines: Vec<Line>,
}

/// A result rests on enough only from here on.
#[derive(Debug)]
pub struct Ranking {
    /// The measure counted.
    pub measure: String,
    /// The least count.
    pub at_least: Decimal,
}

/// One indicator: what earns points and under which clause.
#[derive(Debug)]
pub struct Line {
    /// The id, unique in the dimension.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause it follows, or why it is there.
    pub clause: String,
    /// The points; results are cut to 0 and `max`.
    pub points: Expression,
    /// The most points.
    pub max: Decimal,
    /// Whether nothing to judge earns 0 points (no post, no interaction) rather than none being
    /// given; `not_applicable = "zero"` in the file.
    pub zero_where_not_applicable: bool,
}

impl Catalog {
    /// Compiles scheme files over the known measures.
    ///
    /// # Errors
    ///
    /// Every problem of every file, in the order of the files.
    pub fn compile(sources: &[SourceText], measures: &[&str]) -> Result<Self, Vec<Problem>> {
        let mut catalog = Self::default();
        let mut problems = Vec::new();
        for source in sources {
            let Some(scheme) = scheme(source, measures, &mut problems) else { continue };
            if catalog.schemes.contains_key(&scheme.id) {
                let reason = format!("another file has the scheme {:?} already", scheme.id);
                problems.push(source.problem("id", reason));
            }
            catalog.schemes.insert(scheme.id.clone(), scheme);
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
}

fn scheme(source: &SourceText, measures: &[&str], problems: &mut Vec<Problem>) -> Option<Scheme> {
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
    let id = identifier(&mut reader, problems);
    let title = reader.text("title", problems);
    let authority = reader.text("authority", problems);
    let version = reader.text("version", problems);
    let effective_from = reader.day("effective_from", problems);
    let effective_until = reader.optional_day("effective_until", problems);
    if let (Some(from), Some(until)) = (effective_from, effective_until)
        && until < from
    {
        problems.push(reader.problem("effective_until", format!("lies before {from}")));
    }
    let activity = reader.table("activity", problems).and_then(|table| activity(table, problems));
    let reply_deadline_hours = reader.whole("reply_deadline_hours", problems);
    let tables = reader.tables("dimensions", problems);
    let mut ids = BTreeSet::new();
    let dimensions =
        tables.into_iter().map(|table| dimension(table, measures, &mut ids, problems)).collect();
    reader.finish(problems);
    let (effective_from, activity) = (effective_from?, activity?);
    (problems.len() == before).then(|| Scheme {
        id,
        title,
        authority,
        version,
        effective_from,
        effective_until,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(&source.text))),
        activity,
        reply_deadline_hours,
        dimensions,
    })
}

/// An id made of lower-case letters, digits, `-` and `_`.
fn identifier(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> String {
    let id = reader.text("id", problems);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !id.chars().all(allowed) {
        let reason = format!("{id:?} is no id: lower-case letters, digits, - and _");
        problems.push(reader.problem("id", reason));
    }
    id
}

fn unique(id: &str, reader: &Reader<'_>, ids: &mut BTreeSet<String>, problems: &mut Vec<Problem>) {
    if !id.is_empty() && !ids.insert(id.to_owned()) {
        problems.push(reader.problem("id", format!("{id:?} stands twice")));
    }
}

fn activity(mut reader: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Activity> {
    let mut tier = |key| {
        let table = reader.table(key, problems)?;
        threshold(table, problems)
    };
    let tiers = (tier("watch"), tier("dormant"), tier("zombie"));
    reader.finish(problems);
    Some(Activity { watch: tiers.0?, dormant: tiers.1?, zombie: tiers.2? })
}

fn threshold(mut reader: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Threshold> {
    let operator = match reader.text("operator", problems).as_str() {
        ">" => Some(Operator::Over),
        ">=" => Some(Operator::AtLeast),
        "" => None,
        other => {
            let reason = format!("{other:?} is no operator; > (超过) or >= (以上, 含) is wanted");
            problems.push(reader.problem("operator", reason));
            None
        }
    };
    let value = reader.whole("value", problems);
    let limit = match reader.text("unit", problems).as_str() {
        "hours" => Some(Limit::Hours(value)),
        "days" => Some(Limit::Days(value)),
        "months" => Some(Limit::Months(value)),
        "" => None,
        other => {
            let reason = format!("{other:?} is no unit; hours, days or months is wanted");
            problems.push(reader.problem("unit", reason));
            None
        }
    };
    reader.finish(problems);
    Some(Threshold { operator: operator?, limit: limit? })
}

fn dimension(
    mut reader: Reader<'_>,
    measures: &[&str],
    ids: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Dimension {
    let id = identifier(&mut reader, problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let coverage_min = reader.decimal("coverage_min", problems);
    if coverage_min > Decimal::ONE {
        problems.push(reader.problem("coverage_min", "is a share, 0 to 1"));
    }
    let rescale_from = reader.optional_decimal("rescale_from", problems);
    let ranking = reader.optional_table("ranking", problems).map(|mut table| {
        let measure = table.text("measure", problems);
        if !measure.is_empty() && !measures.contains(&measure.as_str()) {
            let reason = format!("{measure:?} is no measure; known are {}", measures.join(", "));
            problems.push(table.problem("measure", reason));
        }
        let at_least = table.decimal("at_least", problems);
        table.finish(problems);
        Ranking { measure, at_least }
    });
    let mut line_ids = BTreeSet::new();
    let lines: Vec<Line> = reader
        .tables("lines", problems)
        .into_iter()
        .filter_map(|table| line(table, measures, &mut line_ids, problems))
        .collect();
    let sum: Decimal = lines.iter().map(|line| line.max).sum();
    if let Some(least) = rescale_from.filter(|least| problems.is_empty() && *least > sum) {
        let reason = format!("{least} is more than the lines' maxima together, {sum}");
        problems.push(reader.problem("rescale_from", reason));
    }
    reader.finish(problems);
    Dimension { id, title, coverage_min, rescale_from, ranking, lines }
}

fn line(
    mut reader: Reader<'_>,
    measures: &[&str],
    ids: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Option<Line> {
    let id = identifier(&mut reader, problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let clause = reader.text("clause", problems);
    let max = reader.decimal("max", problems);
    let text = reader.text("points", problems);
    let points = if text.is_empty() {
        None
    } else {
        Expression::compile(&text, measures)
            .map_err(|reasons| {
                problems.extend(reasons.into_iter().map(|why| reader.problem("points", why)));
            })
            .ok()
    };
    let zero_where_not_applicable = match reader.optional_text("not_applicable", problems) {
        None => false,
        Some("zero") => true,
        Some("not_scored") => false,
        Some(other) => {
            let reason = format!("{other:?} is neither \"zero\" nor \"not_scored\"");
            problems.push(reader.problem("not_applicable", reason));
            false
        }
    };
    reader.finish(problems);
    Some(Line { id, title, clause, points: points?, max, zero_where_not_applicable })
}
