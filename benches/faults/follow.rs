use chrono::{DateTime, Utc};
use xunjian::observe::{Judgement, Observation, Outcome, Visit};

use super::run::{Run, Simulation, Watched, days};

impl Run<'_> {
    /// Whether an account is asked for and judged; canaries are asked for alone.
    pub(super) fn judges(&self, one: &Watched<'_>) -> bool {
        !one.is_canary && self.follow.is_none_or(|key| key == one.entry.key)
    }
}

impl Simulation<'_> {
    /// Prints what a day brought of the account followed, and what was made of it.
    pub(super) fn tell(
        &self,
        one: &Watched<'_>,
        judgement: &Judgement,
        frozen: &[Judgement],
        day: usize,
    ) {
        let (history, from) = (&one.notebook.history, self.start + days(day));
        let today = |at: DateTime<Utc>| at >= from && at < from + days(1);
        println!("-- day {day}, {}", one.name(self.run.seed));
        for post in one.oracle.posts.iter().filter(|post| today(**post)) {
            println!("   truth {}", short(*post));
        }
        for visit in history.visits.iter().filter(|visit| today(visit.started_at)) {
            let faults = self.weather.on(day);
            let fault = self.city.hindrance(faults, &one.entry.key, visit.started_at);
            println!("   {} {fault:?}", line(visit));
        }
        for post in history.posts.iter().filter(|post| today(post.recorded_at)) {
            println!(
                "   post {} claims {:?}, missed by {:?}, seen before {:?}",
                post.reference, post.claimed, post.missed_by, post.seen_before
            );
        }
        for look in history.canaries.iter().filter(|look| today(look.at)) {
            println!("   canary {} healthy {}", look.page, look.healthy);
        }
        for mark in one.notebook.marks.iter().filter(|mark| today(mark.recorded_at)) {
            println!("   mark {mark:?}");
        }
        for said in std::iter::once(judgement).chain(frozen) {
            println!("   => {:?} at {} {:?}", said.activity, short(said.cutoff), said.explanation);
        }
    }
}

fn line(visit: &Visit) -> String {
    let outcome = match &visit.outcome {
        Outcome::Observed(seen) => observed(seen),
        other => format!("{other:?}"),
    };
    format!("{} {} {} items: {outcome}", short(visit.started_at), visit.page, visit.items)
}

fn observed(seen: &Observation) -> String {
    let span = seen.span.map(|span| format!("({}, {}]", short(span.low), short(span.high)));
    let bracket =
        seen.bracket.map(|bracket| format!("{}..{}", short(bracket.older), short(bracket.newer)));
    format!(
        "as of {}, span {span:?}, bracket {bracket:?}, confirming {}, total {:?}, new {}, shift {}",
        short(seen.as_of),
        seen.confirming,
        seen.posts_total,
        seen.new_items,
        seen.claims_shift_seconds
    )
}

fn short(at: DateTime<Utc>) -> String {
    at.format("%m-%d %H:%M:%S").to_string()
}
