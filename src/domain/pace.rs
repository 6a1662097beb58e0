use chrono::{DateTime, TimeDelta, Utc};

/// At what pace a host can be asked just now: what a daemon leaves behind for the next that asks
/// it. The default is a host without any trouble.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostPace {
    /// The share of the host's limit in use, 1 where nothing is wrong.
    pub speed: f64,
    /// Troubles in a row, those that open the circuit included.
    pub troubles: u32,
    /// The host is to be left alone until then: it asked for it, it fails, or its hours are quiet.
    pub rest_until: Option<DateTime<Utc>>,
}

impl Default for HostPace {
    fn default() -> Self {
        Self { speed: 1.0, troubles: 0, rest_until: None }
    }
}

impl HostPace {
    /// Instants nearer than this are the same: each look at a running rest gives another.
    const SAME_WITHIN: TimeDelta = TimeDelta::seconds(1);

    /// Whether both say the same of a host at `now`; rests that are over say nothing.
    pub fn agrees_with(&self, other: &Self, now: DateTime<Utc>) -> bool {
        let rest = |one: &Self| one.rest_until.filter(|until| *until > now).unwrap_or(now);
        let apart = (rest(self) - rest(other)).abs();
        let numbers = |one: &Self| (one.speed.to_bits(), one.troubles);
        numbers(self) == numbers(other) && apart < Self::SAME_WITHIN
    }
}

/// How a claimed host comes to a daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HostTerms {
    /// The pace that was last told of it.
    pub pace: HostPace,
    /// Whether the daemon that asks did not hold it just before.
    pub taken: bool,
    /// Where it was taken: nobody has asked it since then; absent where nobody ever did.
    pub free_since: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_agrees_with_itself_as_time_goes_by() {
        let now: DateTime<Utc> = "2026-11-22T12:00:00Z".parse().unwrap();
        let rest = |milliseconds| HostPace {
            rest_until: Some(now + TimeDelta::milliseconds(milliseconds)),
            ..HostPace::default()
        };
        let calm = HostPace::default();
        for (one, other, agrees) in [
            (calm, calm, true),
            (rest(60_000), rest(60_300), true),
            (rest(60_000), rest(62_000), false),
            (rest(-5_000), calm, true),
            (rest(60_000), calm, false),
            (HostPace { speed: 0.5, ..calm }, calm, false),
            (HostPace { troubles: 1, ..calm }, calm, false),
        ] {
            assert_eq!(one.agrees_with(&other, now), agrees, "{one:?} {other:?}");
            assert_eq!(other.agrees_with(&one, now), agrees, "{other:?} {one:?}");
        }
    }
}
