use chrono::{DateTime, Days, TimeDelta, Utc};

use super::next::{TargetHistory, share};
use super::rhythm::Rhythm;
use super::settings::Settings;
use crate::domain::{shanghai_date, shanghai_midnight};

/// Confirmations of one silence lie within this time (design: at or after T − 3 days).
pub(super) const CONFIRMATIONS_WITHIN: TimeDelta = TimeDelta::days(3);

/// Interactions are compared at these ages of a post, in days.
const SAMPLE_AGES: [i64; 3] = [1, 3, 7];

/// A stretch of time in which an observation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Appointment {
    /// An observation at or after this keeps it.
    pub from: DateTime<Utc>,
    /// From here on it is too late, and the appointment lapses.
    pub until: DateTime<Utc>,
}

/// Appointments at which the remembered pushes are 1, 3 and 7 days old, within the tolerance.
pub fn samples(rhythm: &Rhythm, settings: &Settings, now: DateTime<Utc>) -> Vec<Appointment> {
    let newest_first = rhythm.pushes().iter().rev().filter(|push| !push.day_only);
    let young = newest_first.map(|push| push.at()).take_while(|at| *at > now - TimeDelta::days(10));
    let windows = young.flat_map(|at| {
        SAMPLE_AGES.map(|days| {
            let age = TimeDelta::days(days);
            let tolerance = age * i32::from(settings.sample_tolerance_percent) / 100;
            Appointment { from: at + age, until: at + age + tolerance }
        })
    });
    windows.filter(|window| window.until > now).collect()
}

/// Appointments around the cutoff of a scheme (监测时间点): one in the hours before it, and one
/// when what was published before it must have become visible.
pub fn around_cutoff(
    cutoff: DateTime<Utc>,
    visibility_lag: TimeDelta,
    settings: &Settings,
) -> [Appointment; 2] {
    let before = TimeDelta::hours(settings.cutoff_tolerance_hours.into());
    let settled = cutoff + visibility_lag;
    [
        Appointment { from: cutoff - before, until: cutoff },
        Appointment { from: settled, until: settled + CONFIRMATIONS_WITHIN },
    ]
}

/// The visit owed on the day before the next crossing, until one has confirmed.
pub(super) fn crossing_ahead(
    history: &TargetHistory,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let ahead = history.crossings.iter().filter(|at| **at > now);
    let days_before = ahead.map(|at| *at - settings.deadline_lead());
    days_before
        .filter(|before| !history.confirmations.iter().any(|at| at >= before && *at <= now))
        .min()
}

/// The visit owed at the next crossing.
pub(super) fn crossing(history: &TargetHistory, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    history.crossings.iter().copied().filter(|at| *at > now).min()
}

/// The next confirmation owed to a crossing that has passed: one at or after it, one on another
/// Shanghai day within three days, then one each interval, so that the verdict does not lapse.
///
/// Where no canary vouches three stand together: the next comes well before the last but one is
/// three days old.
pub(super) fn confirmation(
    history: &TargetHistory,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let crossed = history.crossings.iter().copied().filter(|crossing| *crossing <= now).max()?;
    let made = history.confirmations.iter().copied().filter(|at| *at <= now);
    let Some(last) = made.clone().filter(|at| *at >= crossed).max() else { return Some(crossed) };
    let on_another_day = made
        .filter(|at| *at >= last - CONFIRMATIONS_WITHIN)
        .filter(|at| shanghai_date(*at) != shanghai_date(last))
        .max();
    let next_day = shanghai_date(last).checked_add_days(Days::new(1))?;
    let next_day = shanghai_midnight(next_day).max(last);
    let interval = settings.confirmation_interval();
    Some(match on_another_day {
        None => next_day,
        Some(_) if history.vouched => last + interval,
        Some(before) => {
            let in_time = before + CONFIRMATIONS_WITHIN - interval / 3;
            (last + interval).min(in_time.max(next_day))
        }
    })
}

/// The visit that keeps the appointment which ends first, at a time that keeps as many others as
/// any: one list shows every post on it. Within what is left it is spread by account, since many
/// share a cutoff.
pub(super) fn appointment(history: &TargetHistory, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let seen = history.last_observation_at.filter(|at| *at <= now);
    let open = |one: &&Appointment| one.until > now && seen.is_none_or(|seen| seen < one.from);
    let ends = history.appointments.iter().filter(open).map(|one| one.until).min()?;
    let begins = history.appointments.iter().filter(open).map(|one| one.from);
    let at = begins.filter(|from| *from < ends).max()?;
    let slack = (ends - at.max(now)).as_seconds_f64() / 2.0;
    Some(at + TimeDelta::seconds((slack * share(history.account)) as i64))
}
