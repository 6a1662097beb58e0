use rust_decimal::Decimal;

use crate::domain::Problem;

use super::super::Expression;
use super::super::declared::{Declared, DeclaredKind, Manual};
use super::super::reader::Reader;
use super::Compiling;
use super::scoring::Rules;

/// An item of which a person enters a number.
pub(super) struct Entered<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) clause: &'a str,
    pub(super) max: Decimal,
    pub(super) absent: Option<Decimal>,
}

/// The number that a person enters, named like the item it stands for.
pub(super) fn entered(
    item: &Entered<'_>,
    reader: &Reader<'_>,
    compiling: &Compiling<'_>,
    rules: &mut Rules,
    problems: &mut Vec<Problem>,
) -> Option<Expression> {
    let Entered { id, title, clause, max, absent } = *item;
    let name = format!("entered_{}", id.replace('-', "_"));
    let twice = rules.manual.iter().any(|other| other.id == name);
    if twice || compiling.measures.contains(&name.as_str()) {
        let reason = format!("another item is entered as {name:?} already");
        problems.push(reader.problem("id", reason));
    }
    let kind = DeclaredKind::Manual(Manual { max, absent });
    rules.manual.push(Declared {
        id: name.clone(),
        title: title.to_owned(),
        clause: clause.to_owned(),
        certainty: compiling.certainty,
        kind,
    });
    // A flag is entered as 1 or 0, a line as its points.
    let compiled = match absent {
        Some(_) => Expression::condition(&format!("{name} >= 1.0"), &[&name]),
        None => Expression::compile(&name, &[&name]),
    };
    compiled.ok()
}
