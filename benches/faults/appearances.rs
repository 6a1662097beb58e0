//! What is said of single posts: backdated, deleted, posted in a burst before the end.

use chrono::{DateTime, Utc};
use xunjian::domain::{IdTime, Moment};
use xunjian::observe::{DateRules, ListedPost, Presence, burst, covered, late_posts, presences};
use xunjian::platform::{PageKind, TimeSource};
use xunjian::simulator::Character;

use super::guard::Guard;
use super::run::{Simulation, Watched, days};
use super::stage::{CURTAIN, Scene};

/// Days before the end in which the stage's burst lies.
const BURST_DAYS: usize = 3;

/// A burst less likely than this under the account's own rhythm is told.
const BURST_PROBABILITY: f64 = 0.02;

impl Simulation<'_> {
    /// Weighs the posts of every account, by all that is known at the end.
    pub(super) fn look_at_posts(&mut self, watched: &[Watched<'_>]) {
        let end = self.start + days(self.run.days);
        for one in watched.iter().filter(|one| !one.is_canary) {
            self.weigh_dates(one, end);
            self.weigh_deletions(one, end);
            self.weigh_burst(one, end);
        }
    }

    fn weigh_dates(&mut self, one: &Watched<'_>, end: DateTime<Utc>) {
        let kind = |page: &str| -> Option<&PageKind> { one.platform.pages.get(page) };
        let rules = |page: &str| {
            Some(DateRules {
                author_time: kind(page)?.time_source == TimeSource::Author,
                visibility_lag: one.platform.visibility_lag,
            })
        };
        let id_time = |post: &ListedPost| {
            kind(&post.page).map_or(IdTime::Untold, |kind| kind.id_time(&post.reference))
        };
        let late = late_posts(&one.notebook.history, rules, id_time, end);
        let accused: Vec<_> =
            late.iter().filter(|late| Guard::accuses(self.run.without, late)).collect();
        self.tally.late_posts += late.len() as u64;
        let is_backdated = one.staged.is_some_and(|staged| staged.scene.is_backdated())
            || one.oracle.character == Character::Backdating;
        let name = one.name(self.run.seed);
        match (is_backdated, accused.first()) {
            (true, _) => {
                self.tally.backdated_found += accused.len() as u64;
                if accused.is_empty() && one.staged.is_some_and(|it| it.scene.is_backdated()) {
                    let told: Vec<_> = late.iter().map(|late| &late.doubts).collect();
                    if self.sees_well(one) {
                        self.tally.backdated_missed.push(format!("{name}: {told:?}"));
                    }
                }
            }
            (false, Some(late)) => self.tally.false_backdating.push(format!(
                "{name}: {} claims {} and was first seen {}",
                late.reference,
                late.claimed.to_rfc3339(),
                late.first_seen
            )),
            (false, None) => {}
        }
    }

    /// Whether the days of the stage's own scenes were clear, and long enough.
    fn sees_well(&self, one: &Watched<'_>) -> bool {
        let from = self.start + days(CURTAIN);
        self.run.days >= CURTAIN + 6 && one.oracle.saw_clearly(from, from + days(6))
    }

    /// Whether the days of the burst and the one before it were clear.
    fn saw_the_end(&self, one: &Watched<'_>) -> bool {
        let end = self.start + days(self.run.days);
        one.oracle.saw_clearly(end - chrono::Duration::days(BURST_DAYS as i64 + 1), end)
    }

    fn weigh_deletions(&mut self, one: &Watched<'_>, end: DateTime<Utc>) {
        let told = presences(&one.notebook.history, &one.notebook.marks, end);
        let deleted =
            told.iter().filter(|one| matches!(one.presence, Presence::Deleted(_))).count() as u64;
        self.tally.deletions += deleted;
        let scene = one.staged.map(|staged| staged.scene);
        let deletes = one.oracle.character == Character::Deleting
            || matches!(
                scene,
                Some(Scene::Deleted | Scene::Restored | Scene::RestoredUnseen | Scene::Unhidden)
            );
        let name = one.name(self.run.seed);
        if deleted > 0 && !deletes {
            self.tally.false_deletions.push(format!("{name}: {told:?}"));
        }
        // Of an account that is silent afterwards no newer item stands above the gap: nothing proves
        // that the list reaches over it.
        let silent = matches!(one.oracle.character, Character::Zombie | Character::Dormant);
        if deleted == 0 && scene == Some(Scene::Deleted) && !silent && self.sees_well(one) {
            self.tally.deletions_missed.push(format!("{name}: {told:?}"));
        }
    }

    fn weigh_burst(&mut self, one: &Watched<'_>, end: DateTime<Utc>) {
        let history = &one.notebook.history;
        // The last day may not be covered to its end: the visits are over before.
        let covered = covered(history, end);
        let Some(last) = covered.spans().last().map(|span| span.high) else { return };
        let claimed = history.posts.iter().filter_map(|post| {
            post.claimed.map(Moment::lower).map(|claim| claim.min(post.first_seen))
        });
        let posts: Vec<DateTime<Utc>> = claimed.collect();
        let Ok(burst) = burst(&posts, &covered, self.start, last.min(end), BURST_DAYS) else {
            return;
        };
        let is_told = burst.probability < BURST_PROBABILITY;
        match one.staged.map(|staged| staged.scene) {
            Some(Scene::Burst) if is_told => self.tally.bursts_found += 1,
            Some(Scene::Burst) if self.run.days >= 4 * BURST_DAYS && self.saw_the_end(one) => {
                self.tally.bursts_missed.push(format!("{}: {burst:?}", one.name(self.run.seed)));
            }
            _ => {
                self.tally.bursts_weighed += 1;
                self.tally.bursts_of_others += u64::from(is_told);
            }
        }
    }
}
