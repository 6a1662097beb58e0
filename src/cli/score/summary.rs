//! Roll-ups and rankings for people.

use std::fmt::Write;

use crate::score::frozen::{Placed, Ranking, SubjectScore, Summary};

/// One line a subject, or a place.
pub(in crate::cli) fn summary_text(summary: &Summary) -> String {
    match summary {
        Summary::Rollup(score) => rollup(score),
        Summary::Ranking(ranking) => {
            ranking.places.iter().map(|place| one_place(ranking, place)).collect()
        }
    }
}

fn rollup(score: &SubjectScore) -> String {
    let (scheme, title, subject) = (&score.scheme, &score.title, &score.subject);
    let mut text =
        format!("{scheme}\t{title}\t{subject}\t{} 个账号\t{}", score.accounts, score.outcome);
    if !score.vetoed.is_empty() {
        let _ = write!(text, "\t单项否决:{}", score.vetoed.join("、"));
    }
    for (key, why) in &score.left_out {
        let _ = write!(text, "\t未计入 {key}:{why}");
    }
    text + "\n"
}

fn one_place(ranking: &Ranking, one: &Placed) -> String {
    // Whose bounds overlap share places: no order is claimed within them.
    let place = match one.best == one.worst {
        true => format!("第 {} 名", one.place),
        false => format!("第 {}–{} 名", one.best, one.worst),
    };
    let (scheme, title) = (&ranking.scheme, &ranking.title);
    format!("{scheme}\t{title}\t{place}\t{}\t{} 分\n", one.key, one.points.points)
}
