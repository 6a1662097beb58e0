use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use xunjian::domain::{LedgerEntry, shanghai_date};
use xunjian::observe::{Policy, Window};
use xunjian::simulator::{Character, City, Fault, Faults, Venue};

use super::stage::Staged;

/// What a visit on a day can show at all, by the faults in force: told by the simulator's script,
/// not by what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// Nothing that can be relied on.
    Nothing,
    /// Posts, but not that there are no others.
    Posts,
    /// The whole truth of the moment.
    Whole,
}

/// What can be told of an account on a day by whoever visits as the daemon did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tellable {
    /// Active, silent or gone: there is a right answer within reach.
    Yes {
        /// The longest silence that can be proven, in days: 0, 10 or 14; accounts that never posted
        /// and those that are gone count as 14.
        silent_days: i64,
    },
    /// No verdict but `undetermined` is right.
    No,
}

/// One account as the simulator knows it.
pub(super) struct Oracle {
    pub(super) character: Character,
    venue: Option<Venue>,
    /// When the posts became public, oldest first, to the end of the run.
    pub(super) posts: Vec<DateTime<Utc>>,
    /// When posts were published that could not be seen at once.
    published: Vec<DateTime<Utc>>,
    /// How much later than a post's true time its page may show it to be.
    slack: Duration,
    pub(super) opened_by: DateTime<Utc>,
    pub(super) can_be_told: bool,
    claims_later: bool,
    visits: Vec<(DateTime<Utc>, Sight)>,
    /// Visits that were shown an old page as if it were new.
    lies: Vec<DateTime<Utc>>,
    /// Visits shown all times hours too early.
    early: Vec<DateTime<Utc>>,
    /// The host's canary by day; `None` where there is none or no day passed.
    trusted: Vec<bool>,
    has_canary: bool,
    /// On how many days silence takes confirmations.
    confirming_days: usize,
}

impl Oracle {
    pub(super) fn new(
        city: &City,
        entry: &LedgerEntry,
        end: DateTime<Utc>,
        (has_canary, confirming_days): (bool, usize),
        stage: Option<&Staged>,
    ) -> Self {
        let character = city.character(&entry.key).unwrap_or(Character::Active);
        let truth = city.truth(&entry.key, end);
        let opened = entry.opened_on.unwrap_or_default();
        Self {
            character,
            venue: Venue::of_platform(&entry.platform),
            can_be_told: truth.as_ref().is_some_and(|truth| truth.observable)
                && character != Character::Backdating
                && stage.is_none_or(|staged| staged.scene.is_readable()),
            published: stage.map(|staged| staged.published.clone()).unwrap_or_default(),
            posts: truth.map(|truth| truth.posts).unwrap_or_default(),
            slack: match Venue::of_platform(&entry.platform) {
                // Lists of dates, and words such as `3小时前` that become dates.
                Some(Venue::Portal | Venue::Weibo) => Duration::days(1),
                // A bridge looks every two hours.
                Some(Venue::Wechat) => Duration::hours(2),
                _ => Duration::zero(),
            },
            opened_by: xunjian::domain::shanghai_midnight(opened) + Duration::days(1),
            claims_later: false,
            visits: Vec::new(),
            lies: Vec::new(),
            early: Vec::new(),
            trusted: Vec::new(),
            has_canary,
            confirming_days,
        }
    }

    /// The account's last post claims to come from the future.
    pub(super) fn claims_later(&mut self) {
        self.claims_later = true;
    }

    /// Notes that a visit was made at an instant.
    pub(super) fn visited(&mut self, city: &City, faults: &Faults, key: &str, at: DateTime<Utc>) {
        let venue = self.venue;
        let fault = city.hindrance(faults, key, at);
        if matches!(fault, Some(Fault::Replica { .. } | Fault::Stale { with_age: false, .. })) {
            self.lies.push(at);
        }
        let is_early =
            |seconds: i64| seconds < 0 && matches!(venue, Some(Venue::Feed | Venue::Wechat));
        if matches!(fault, Some(Fault::WrongOffset { seconds }) if is_early(seconds)) {
            self.early.push(at);
        }
        let sight = match fault {
            None | Some(Fault::Slow { .. }) => Sight::Whole,
            Some(Fault::WrongClock { .. }) if venue == Some(Venue::Wechat) => Sight::Whole,
            Some(Fault::WrongClock { .. }) => Sight::Posts,
            Some(Fault::UpstreamStuck { .. }) if venue != Some(Venue::Wechat) => Sight::Whole,
            Some(Fault::WrongOffset { .. } | Fault::Undated { .. })
                if !matches!(venue, Some(Venue::Feed | Venue::Wechat)) =>
            {
                Sight::Whole
            }
            Some(Fault::FollowersOnly { since }) => {
                let unseen = self.posts.iter().any(|post| *post > since && *post <= at);
                if unseen { Sight::Nothing } else { Sight::Whole }
            }
            Some(_) => Sight::Nothing,
        };
        self.visits.push((at, sight));
        self.trusted.push(!self.has_canary);
    }

    /// Notes that the canary of the account's host was seen healthy after the last visit.
    pub(super) fn trusted(&mut self) {
        if let Some(last) = self.trusted.last_mut() {
            *last = true;
        }
    }

    /// Whether any post lies in a window of silence that was frozen.
    pub(super) fn has_published_in(&self, window: &Window) -> bool {
        let mut posts = self.posts.iter().chain(&self.published);
        posts.any(|post| window.meets(*post, *post))
    }

    /// Whether any post was public in the days before an instant; a list of dates may show it to be
    /// a day younger.
    pub(super) fn was_active(&self, at: DateTime<Utc>, days: i64) -> bool {
        let from = at - Duration::days(days) - self.slack - Duration::days(1);
        self.posts.iter().any(|post| *post >= from && *post <= at)
    }

    /// Whether every visit of some days was made and showed the whole truth, and a canary stands
    /// behind the last.
    pub(super) fn saw_clearly(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let told = self.visits.iter().zip(&self.trusted);
        let mut told = told.filter(|((at, _), _)| *at >= from && *at < to).peekable();
        told.peek().is_some()
            && told.all(|((_, sight), trusted)| *sight == Sight::Whole && *trusted)
    }

    /// The last post before an instant.
    pub(super) fn last_post(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let upto = self.posts.partition_point(|post| *post < now);
        upto.checked_sub(1).map(|last| self.posts[last])
    }

    /// What can be told at an instant. `frozen`: the host's canary was last seen in trouble.
    pub(super) fn tellable(&self, now: DateTime<Utc>, frozen: bool, policy: &Policy) -> Tellable {
        if !self.can_be_told {
            return Tellable::No;
        }
        let last = self.last_post(now);
        let seen = |post: DateTime<Utc>| {
            let mut visits = self.visits.iter();
            visits.any(|(at, sight)| *sight >= Sight::Posts && *at >= post + Duration::hours(2))
        };
        let recent = now - Duration::days(10) + self.slack;
        let is_active = self.posts.iter().rev().take_while(|post| **post > recent);
        if self.character != Character::Cancelled
            && !self.claims_later
            && is_active.into_iter().any(|post| *post < now && seen(*post))
        {
            return Tellable::Yes { silent_days: 0 };
        }
        let silent = [14, 10].into_iter().find(|days| {
            let quiet_from = match (self.character, last) {
                (Character::Cancelled, _) => Some(DateTime::UNIX_EPOCH),
                (Character::NeverPosted, _) if *days == 14 => Some(self.opened_by),
                (_, last) if self.claims_later => self.first_sight().max(last),
                (_, Some(last)) => Some(self.seems_posted_by(last) + self.slack),
                (_, None) => None,
            };
            let crossed = quiet_from.map(|from| from + Duration::days(*days));
            crossed.is_some_and(|crossed| !frozen && self.is_provable(now, crossed, policy))
        });
        match silent {
            Some(silent_days) => Tellable::Yes { silent_days },
            None => Tellable::No,
        }
    }

    /// A post that an old page did not show, before it was ever seen, seems to have appeared late: it
    /// counts when it was first seen. So does one that was first seen while the source wrote its
    /// times too early: the list before it seems to have missed it.
    fn seems_posted_by(&self, post: DateTime<Utc>) -> DateTime<Utc> {
        let later = |at: &&(DateTime<Utc>, Sight)| at.0 >= post && at.1 >= Sight::Posts;
        let first_seen = self.visits.iter().find(later).map(|(at, _)| *at);
        if let Some(early) = self.early.iter().find(|early| **early >= post)
            && first_seen.is_none_or(|seen| *early < seen)
        {
            return *early;
        }
        match first_seen {
            Some(seen) if self.lies.iter().any(|lie| *lie >= post && *lie < seen) => seen,
            _ => post,
        }
    }

    fn first_sight(&self) -> Option<DateTime<Utc>> {
        self.visits.iter().find(|(_, sight)| *sight >= Sight::Posts).map(|(at, _)| *at)
    }

    /// Whether enough whole views stand behind a silence that began to count at `crossed`.
    fn is_provable(&self, now: DateTime<Utc>, crossed: DateTime<Utc>, policy: &Policy) -> bool {
        let whole = self.visits.iter().zip(&self.trusted);
        let whole: Vec<DateTime<Utc>> = whole
            .filter(|((_, sight), trusted)| *sight == Sight::Whole && **trusted)
            .map(|((at, _), _)| *at)
            .collect();
        let recent = now - Duration::hours(i64::from(policy.max_age_hours) - 2);
        let window = Duration::hours(i64::from(policy.confirm_within_hours));
        whole.iter().any(|last| {
            let near = whole.iter().filter(|at| **at <= *last && **at > *last - window);
            let days: BTreeSet<NaiveDate> = near.map(|at| shanghai_date(*at)).collect();
            *last > recent && *last >= crossed && days.len() >= self.confirming_days
        })
    }
}
