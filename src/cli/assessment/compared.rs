//! A draft beside what was frozen, for people.

use std::io::{self, Write};

use crate::score::Quantity;
use crate::score::frozen::{AccountChange, DraftComparison, ScoreChange};
use crate::score::{Outcome, VerdictWord};

pub(super) fn print(comparison: &DraftComparison, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(comparison)?)?;
        return Ok(());
    }
    let same = comparison.accounts.iter().filter(|one| one.is_same()).count();
    writeln!(out, "定格方案 {}", comparison.frozen_digest)?;
    writeln!(out, "草案     {}", comparison.draft_digest)?;
    let all = comparison.accounts.len();
    writeln!(out, "账号 {all} 个,结果不变 {same} 个,变化 {} 个", all - same)?;
    for account in comparison.accounts.iter().filter(|one| !one.is_same()) {
        write!(out, "{}", text(account))?;
    }
    Ok(())
}

fn text(account: &AccountChange) -> String {
    let mut text = format!("\n{} {}\n", account.key, account.name);
    let word = |verdict: Option<VerdictWord>| verdict.map_or("无", VerdictWord::title);
    if account.verdict.0 != account.verdict.1 {
        let (before, after) = account.verdict;
        text += &format!("  结论:{} → {}\n", word(before), word(after));
    }
    for score in account.scores.iter().filter(|score| changed(score)) {
        let points = |outcome: &Option<Outcome>| match outcome {
            Some(outcome) => outcome.to_string(),
            None => "无".to_owned(),
        };
        let (before, after) = &score.points;
        text += &format!("  {}:{} → {}", score.title, points(before), points(after));
        text += &format!(";位次 {} → {}\n", place(score.place.0), place(score.place.1));
    }
    for change in &account.changes {
        let said = |said: &Option<String>| said.clone().unwrap_or_else(|| "无".to_owned());
        let (before, after) = &change.said;
        text += &format!("    {}({}):", change.title, change.place);
        text += &format!("{} → {}\n", said(before), said(after));
    }
    text
}

fn changed(score: &ScoreChange) -> bool {
    score.points.0 != score.points.1 || score.place.0 != score.place.1
}

/// A place, with the best and worst that the bounds allow where these differ.
fn place(place: Option<Quantity>) -> String {
    match place {
        None => "不排名".to_owned(),
        Some(Quantity { low, high: Some(high), .. }) if low == high => format!("{low}"),
        Some(Quantity { low, high: Some(high), .. }) => format!("{low}–{high}(并列)"),
        Some(Quantity { low, .. }) => format!("{low}–"),
    }
}
