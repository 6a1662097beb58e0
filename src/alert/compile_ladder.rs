//! The parts of a rules file that sort accounts rather than find faults.

use super::exit::ExitRule;
use super::ladder::{Ladder, LadderWindow, Reset};
use super::limit::Operator;
use super::table::Table;
use super::triage::TriageRule;

pub(super) fn ladder(table: Table<'_>) -> Option<Ladder> {
    let counts = [(Operator::Over, ">"), (Operator::AtLeast, ">=")];
    let limit = |key: &'static str| {
        let one = table.table(key)?;
        let operator = one.word("operator", &counts);
        let value = one.whole("value", 1, 100);
        let windows = LadderWindow::ALL.map(|(window, word, _)| (window, word));
        let window = one.word("window", &windows);
        one.finish();
        Some((operator?, value, window?))
    };
    let (missed, namings) = (limit("missed"), limit("namings"));
    let reset = table.word("reset", &Reset::ALL);
    table.finish();
    Some(Ladder { missed: missed?.into(), namings: namings?.into(), reset: reset? })
}

pub(super) fn exit(table: Table<'_>) -> ExitRule {
    let rule = ExitRule {
        clause: table.text("clause"),
        followers_share_over: table.number("followers_share_over", 1.0),
        rank_at_most: table.whole("rank_at_most", 1, 10_000),
        dimension: table.text("dimension"),
    };
    table.finish();
    rule
}

pub(super) fn triage(table: Table<'_>) -> TriageRule {
    let rule = TriageRule {
        clause: table.text("clause"),
        weak_followers_below: table.whole("weak_followers_below", 1, 1_000_000),
        weak_posts_per_week_below: table.number("weak_posts_per_week_below", 1000.0),
    };
    table.finish();
    rule
}
