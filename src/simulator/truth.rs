use chrono::{DateTime, Duration, Months, NaiveDateTime, Utc};

use crate::domain::{Activity, Reason, SHANGHAI};

use super::character::{Character, Venue};
use super::city::City;
use super::resident::Resident;

/// What is really the case with an account, whatever a visitor can see of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The activity by the true posts and the default thresholds: watch > 10 days, dormant > 14
    /// days, zombie > 3 calendar months in Asia/Shanghai. A post counts when it became public.
    pub activity: Activity,
    /// Whether a patient visitor can find out. When not, only `undetermined` is a right verdict.
    pub observable: bool,
    /// The reasons a visitor may give for `undetermined`; for observable accounts those that come
    /// and go, such as a rate limit.
    pub reasons: Vec<Reason>,
    /// When the posts became public, deleted ones included, oldest first.
    pub posts: Vec<DateTime<Utc>>,
}

impl City {
    /// The truth about an account at an instant; `None` for a key that the city does not have.
    ///
    /// Computed from the script, by other code than `observe`'s, so that the two can be compared.
    pub fn truth(&self, key: &str, now: DateTime<Utc>) -> Option<Truth> {
        let resident = self.resident(key)?;
        let script = &resident.plan.script;
        let posts = script.published(now).iter().map(|item| item.at).collect::<Vec<_>>();
        let activity = if resident.is_gone(now) {
            Activity::Gone
        } else {
            by_last_post(posts.last().copied(), script.opened_at, now)
        };
        let (observable, reasons) = visibility(resident);
        Some(Truth { activity, observable, reasons, posts })
    }
}

fn by_last_post(
    last: Option<DateTime<Utc>>,
    opened_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Activity {
    let Some(last) = last else {
        let old_enough = opened_at <= now - Duration::days(14);
        return if old_enough { Activity::Empty } else { Activity::Undetermined(Reason::TooYoung) };
    };
    let local = |at: DateTime<Utc>| -> NaiveDateTime { at.with_timezone(&SHANGHAI).naive_local() };
    let three_months_ago = local(now).checked_sub_months(Months::new(3)).unwrap_or_default();
    if local(last) < three_months_ago {
        Activity::Zombie
    } else if last < now - Duration::days(14) {
        Activity::Dormant
    } else if last < now - Duration::days(10) {
        Activity::Watch
    } else {
        Activity::Active
    }
}

/// Whether the account can be told, and the reasons why not.
fn visibility(resident: &Resident) -> (bool, Vec<Reason>) {
    use Reason::*;
    let unread: &[Reason] = &[NeverVisited, NotCovered, Unconfirmed, Provisional];
    let (observable, own): (bool, &[Reason]) = match (resident.character, resident.venue) {
        (Character::Walled, Venue::Wechat) | (Character::Cached, _) => {
            (false, &[Stale, ObservationTooOld, SourceCannotProveSilence])
        }
        (Character::Walled, _) => (false, &[Blocked]),
        (Character::Redesigned, _) => (false, &[Drifted]),
        (Character::Unreachable, _) => (false, &[Unreachable, Disallowed]),
        (Character::RobotsRefused, _) => (false, &[Disallowed]),
        (Character::HollowSuccess, _) => {
            (false, &[Blocked, Drifted, HiddenPost, SourceCannotProveSilence])
        }
        // A feed without entries has no sign of its own for "nothing published yet": it looks like
        // a hollow success.
        (Character::NeverPosted, Venue::Wechat | Venue::Feed) => {
            (false, &[Blocked, Drifted, SourceCannotProveSilence])
        }
        (Character::RateLimiting, Venue::Feed) => (true, &[Limited, SourceCannotProveSilence]),
        (Character::RateLimiting, _) => (true, &[Limited]),
        (Character::Backdating, _) => (true, &[TimeAmbiguous]),
        // A feed may say nothing newer about itself than its newest entry.
        (_, Venue::Feed) => (true, &[SourceCannotProveSilence, Stale]),
        _ => (true, &[]),
    };
    (observable, [own, unread].concat())
}
