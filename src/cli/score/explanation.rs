//! Every point of one account, line by line, in Chinese.

use std::fmt::Write;

use crate::scheme::Certainty;
use crate::score::{
    DimensionScore, FlagScore, FlagState, LineScore, Outcome, Points, Reading, ScoreCard,
};

/// Why there are no points; empty where there are.
pub(super) fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Scored(_) => "",
        Outcome::NotScored(why) => &why.reason,
    }
}

/// Title and points.
pub(super) fn short(dimension: &DimensionScore) -> String {
    match dimension.outcome.points() {
        Some(points) => format!("{} {}", dimension.title, points.points),
        None => format!("{} 未评分", dimension.title),
    }
}

/// The whole explanation.
pub(in crate::cli) fn text(key: &str, title: &str, card: &ScoreCard) -> String {
    let mut text = String::new();
    let (period, version, digest) = (&card.period, &card.version, &card.scheme_digest);
    let _ = writeln!(text, "{key}  {period}  {title} {version} ({digest}){}", mark(card.certainty));
    if let Some(row) = &card.assigned_by {
        let _ = writeln!(text, "方案依据 {row}");
    }
    if let Some(verdict) = &card.verdict {
        let _ = writeln!(text, "\n结论 {}  {}", verdict.result.title(), verdict.reasons.join(";"));
    }
    for (heading, flags) in [("单项否决", &card.vetoes), ("标记", &card.flags)] {
        if !flags.is_empty() {
            let _ = writeln!(text, "\n{heading}");
        }
        for flag in flags {
            write_flag(&mut text, flag);
        }
    }
    for dimension in &card.dimensions {
        write_dimension(&mut text, dimension);
    }
    if !card.unmeasured.is_empty() {
        text.push_str("\n未测量的项目\n");
    }
    for item in &card.unmeasured {
        let _ = writeln!(text, "  {}  {}({})", item.title, item.clause, item.reason);
    }
    let _ = writeln!(text, "\n依据 {}", card.facts_digest);
    text
}

fn mark(certainty: Certainty) -> String {
    match certainty {
        Certainty::Confirmed => String::new(),
        other => format!("[{}]", other.title()),
    }
}

fn write_flag(text: &mut String, flag: &FlagScore) {
    let state = match &flag.state {
        FlagState::Holds => "成立".to_owned(),
        FlagState::Clear => "不成立".to_owned(),
        FlagState::NotApplicable => "不适用".to_owned(),
        FlagState::Undetermined { reason, taken_as } => {
            let taken = match taken_as {
                None => "未能判定",
                Some(true) => "未能判定,按成立计",
                Some(false) => "未能判定,按不成立计",
            };
            format!("{taken}:{reason}")
        }
    };
    let (title, clause, mark) = (&flag.title, &flag.clause, mark(flag.certainty));
    let _ = writeln!(text, "  {title}  {clause}{mark}  {state}");
}

fn write_dimension(text: &mut String, dimension: &DimensionScore) {
    let coverage = dimension.coverage.map_or("-".to_owned(), |share| share.to_string());
    let bounds = dimension.outcome.points().map(interval).unwrap_or_default();
    let ranked = if dimension.ranked { "" } else { "  不参与排名" };
    let _ = writeln!(
        text,
        "\n{}/{}{bounds}  覆盖率 {coverage}{ranked}",
        short(dimension),
        dimension.max
    );
    if let Some(why) = &dimension.closed {
        let _ = writeln!(text, "  {why}");
    } else if dimension.outcome.points().is_none() {
        let _ = writeln!(text, "  {}", reason(&dimension.outcome));
    }
    if let Some(from) = dimension.rescaled_from {
        let _ = writeln!(text, "  有项目不计分,由 {from} 折算");
    }
    for line in &dimension.lines {
        write_line(text, line);
    }
}

fn write_line(text: &mut String, line: &LineScore) {
    let points = match line.outcome.points() {
        Some(points) => format!("{}/{}{}", points.points, line.max, interval(points)),
        None => format!("未评分/{}", line.max),
    };
    let mark = mark(line.certainty);
    let _ = writeln!(text, "  {points:>14}  {}  {}{mark}", line.title, line.clause);
    if line.outcome.points().is_none() {
        let _ = writeln!(text, "                  {}", reason(&line.outcome));
    }
    if let Some(assumed) = &line.assumed {
        let _ = writeln!(text, "                  {assumed}");
    }
    for loss in &line.losses {
        let lost = match &loss.outcome {
            Outcome::Scored(points) if points.high.is_zero() => "不扣分".to_owned(),
            Outcome::Scored(points) => format!("扣 {}{}", points.points, interval(*points)),
            Outcome::NotScored(why) => format!("未能判定:{}", why.reason),
        };
        let mark = self::mark(loss.certainty);
        let _ = writeln!(text, "                  {lost}  {}{mark}", loss.clause);
    }
    for (measure, reading) in &line.inputs {
        let shown = match reading {
            Reading::Known(quantity) if quantity.high == Some(quantity.low) => {
                number(quantity.value)
            }
            Reading::Known(quantity) => {
                let high = quantity.high.map_or("不限".to_owned(), number);
                format!("{}({}–{high})", number(quantity.value), number(quantity.low))
            }
            Reading::Unknown(why) => why.reason.to_string(),
        };
        let _ = writeln!(text, "                    {measure} = {shown}");
    }
}

/// The bounds, where they leave room.
fn interval(points: Points) -> String {
    if points.low == points.high {
        String::new()
    } else {
        format!("({}–{})", points.low, points.high)
    }
}

/// At most four decimals, without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
