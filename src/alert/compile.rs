//! A rules file into a set of rules, or into every reason why not.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::domain::{Lifecycle, Problem, Severity, SourceText};

use super::compile_ladder::{exit, ladder, triage};
use super::limit::{Limit, Operator};
use super::rule::{
    Check, Condition, Matrix, NearDuplicateRule, PeriodChoice, Rule, RuleSet, SilentTier,
};
use super::table::{Report, Table};

/// The longest time a rule may look back, in days.
const DAYS_MAX: u32 = 366;
/// Beyond this lies a slip of the pen.
const NUMBER_MAX: f64 = 1e9;

/// Compiles one file.
pub(super) fn rule_set(source: &SourceText, measures: &[&str]) -> Result<RuleSet, Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    let report = Report::new(source);
    for error in &errors {
        report.add(error.span().map_or(0, |span| span.start), "", error.message());
    }
    if !errors.is_empty() {
        return Err(report.finish());
    }
    let root = Table::root(&report, document.get_ref());
    let mut ids = BTreeSet::new();
    let set = RuleSet {
        id: identifier(&root),
        title: root.text("title"),
        authority: root.text("authority"),
        areas: areas(&root),
        digest: format!("sha256:{}", hex::encode(Sha256::digest(&source.text))),
        rules: root
            .tables("rules")
            .into_iter()
            .filter_map(|table| rule(table, measures, &mut ids))
            .collect(),
        ladder: root.optional_table("ladder").and_then(ladder),
        exit: root.optional_table("exit").map(exit),
        triage: root.optional_table("triage").map(triage),
    };
    root.finish();
    let problems = report.finish();
    if problems.is_empty() { Ok(set) } else { Err(problems) }
}

/// An id made of lower-case letters, digits, `-` and `_`.
fn identifier(table: &Table<'_>) -> String {
    let id = table.text("id");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !id.chars().all(allowed) {
        table.wrong("id", format!("{id:?} is no id: lower-case letters, digits, - and _"));
    }
    id
}

fn areas(table: &Table<'_>) -> Vec<String> {
    let areas = table.texts("areas");
    let is_area = |area: &str| {
        matches!(area.len(), 2 | 4 | 6) && area.bytes().all(|byte| byte.is_ascii_digit())
    };
    for area in areas.iter().filter(|area| !is_area(area)) {
        table.wrong("areas", format!("{area:?} is no area: 2, 4 or 6 digits of a division code"));
    }
    areas
}

fn rule(table: Table<'_>, measures: &[&str], ids: &mut BTreeSet<String>) -> Option<Rule> {
    let id = identifier(&table);
    if !id.is_empty() && !ids.insert(id.clone()) {
        table.wrong("id", format!("{id:?} stands twice"));
    }
    let severities = Severity::ALL.map(|(severity, word, _)| (severity, word));
    let severity = table.word("severity", &severities);
    let check = table.table("check").and_then(|check| read_check(check, measures));
    let needs_approval = table.flag("needs_approval");
    if matches!(check, Some(Check::Backdated { .. } | Check::Closure)) && !needs_approval {
        table.wrong("needs_approval", "must be true: only a person may say so of an account");
    }
    let lifecycles = table
        .texts("lifecycles")
        .into_iter()
        .filter_map(|word| {
            let known = Lifecycle::from_name(&word).filter(|one| one.is_judged());
            if known.is_none() {
                table.wrong("lifecycles", format!("{word:?} is no state that is judged"));
            }
            known
        })
        .collect();
    let rule = Rule {
        title: table.text("title"),
        clause: table.text("clause"),
        source: table.text("source"),
        severity: severity.unwrap_or(Severity::Minor),
        advice: table.text("advice"),
        check: check.clone().unwrap_or(Check::Person),
        deadline_days: table.whole("deadline_days", 1, DAYS_MAX),
        needs_approval,
        lifecycles,
        categories: table.texts("categories"),
        id,
    };
    table.finish();
    (severity.is_some() && check.is_some()).then_some(rule)
}

/// The kinds of checks, by their word in files.
const KINDS: [(u8, &str); 19] = [
    (0, "silence"),
    (1, "gone"),
    (2, "closing_silent"),
    (3, "measures"),
    (4, "inquiry_overdue"),
    (5, "duplicate_account"),
    (6, "main_account"),
    (7, "unfiled"),
    (8, "exemption_expired"),
    (9, "identity_drift"),
    (10, "backdated"),
    (11, "deleted"),
    (12, "burst"),
    (13, "near_duplicate"),
    (14, "missed_notices"),
    (15, "closure"),
    (16, "person"),
    (17, "never_posted"),
    (18, "assessment"),
];

fn read_check(table: Table<'_>, measures: &[&str]) -> Option<Check> {
    let kind = table.word("kind", &KINDS)?;
    let within = || table.whole("within_days", 1, DAYS_MAX);
    let check = match kind {
        0 => {
            let tiers = [
                (SilentTier::Watch, "watch"),
                (SilentTier::Dormant, "dormant"),
                (SilentTier::Zombie, "zombie"),
            ];
            Check::Silence(table.word("tier", &tiers)?)
        }
        1 => Check::Gone,
        2 => Check::ClosingSilent,
        3 => read_measures(&table, measures)?,
        4 => Check::InquiryOverdue { limit: read_limit(&table)?, within_days: within() },
        5 => Check::DuplicateAccount,
        6 => Check::MainAccount,
        7 => Check::Unfiled,
        8 => Check::ExemptionExpired,
        9 => Check::IdentityDrift { within_days: within() },
        10 => Check::Backdated { within_days: within() },
        11 => {
            Check::Deleted { within_days: within(), at_least: table.whole("at_least", 1, 10_000) }
        }
        12 => Check::Burst {
            days: table.whole("days", 1, 31),
            posts_min: table.whole("posts_min", 1, 10_000),
            share_min: table.number("share_min", 1.0),
            chance_max: table.number("chance_max", 1.0),
        },
        13 => {
            let matrices = [(Matrix::Region, "region"), (Matrix::Supervisor, "supervisor")];
            Check::NearDuplicate(NearDuplicateRule {
                matrix: table.word("matrix", &matrices)?,
                within_days: within(),
                distance_max: table.whole("distance_max", 0, 3),
                posts_min: table.whole("posts_min", 1, 10_000),
                share_min: table.number("share_min", 1.0),
            })
        }
        14 => Check::MissedNotices,
        15 => Check::Closure,
        16 => Check::Person,
        18 => Check::Assessment,
        _ => Check::Silence(SilentTier::Empty),
    };
    table.finish();
    Some(check)
}

fn read_measures(table: &Table<'_>, measures: &[&str]) -> Option<Check> {
    let period = table.word("period", &PeriodChoice::ALL);
    let coverage_min = table.number("coverage_min", 1.0);
    let tables = table.tables("conditions");
    if tables.is_empty() {
        table.wrong("conditions", "at least one is wanted");
    }
    let conditions = tables.into_iter().filter_map(|one| {
        let measure = one.text("measure");
        if !measure.is_empty() && !measures.contains(&measure.as_str()) {
            let known = measures.join(", ");
            one.wrong("measure", format!("{measure:?} is no measure; known are {known}"));
        }
        let operator = one.word("operator", &Operator::ALL);
        let value = one.number("value", NUMBER_MAX);
        let gate = one.flag("gate");
        one.finish();
        Some(Condition { measure, operator: operator?, value, gate })
    });
    let conditions = conditions.collect();
    Some(Check::Measures { period: period?, coverage_min, conditions })
}

fn read_limit(table: &Table<'_>) -> Option<Limit> {
    let value = table.whole("limit", 1, DAYS_MAX * 24);
    let units = [(Limit::Hours(value), "hours"), (Limit::Days(value), "days")];
    table.word("unit", &units)
}
