use chrono::{DateTime, Utc};

use super::settings::Settings;

/// How often an account posts, as far as it was observed: the Gamma posterior of its rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rhythm {
    /// Posts, prior included.
    pub posts: f64,
    /// Days watched, prior included.
    pub days: f64,
}

impl Rhythm {
    /// The probability that so many days pass without a post.
    ///
    /// The number of posts of a Poisson process whose rate is Gamma(a, b) is negative binomial;
    /// none in t days has the probability (b / (b + t))^a.
    fn quiet(self, days: f64) -> f64 {
        libm::exp(self.posts * (libm::log(self.days) - libm::log(self.days + days.max(0.0))))
    }
}

/// How unusual an account's present quiet is, and whether it will last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warning {
    /// Days since the last post, in days of 24 hours.
    pub quiet_days: f64,
    /// How surprising such a quiet is by the account's own rhythm, in bits: what warnings are
    /// ranked by. n bits is what happens once in 2^n quiet stretches.
    pub surprise_bits: f64,
    /// The probability, 0–1, that no post appears before the deadline.
    pub silent_by_deadline: f64,
}

/// Weighs the quiet of an account that is not silent yet; `None` where it is not surprising enough
/// or the deadline has passed.
///
/// `rhythm` is as the crawl has learned it, the present quiet included; the quiet is taken out of
/// it again, since it is held against the rhythm of before. With the share `stopped_share` of quiet
/// stretches being the end of an account's posting, the quiet makes it likelier that this is one.
pub fn warn(
    rhythm: Rhythm,
    last_post: DateTime<Utc>,
    deadline: DateTime<Utc>,
    now: DateTime<Utc>,
    settings: &Settings,
) -> Option<Warning> {
    let days = |span: chrono::TimeDelta| span.as_seconds_f64() / 86_400.0;
    let quiet_days = days(now - last_post);
    if quiet_days < 0.0 || deadline <= now || !(rhythm.posts > 0.0 && rhythm.days > 0.0) {
        return None;
    }
    // A rhythm learned over less than the quiet itself keeps at least a day's worth.
    let before = Rhythm { days: (rhythm.days - quiet_days).max(1.0), ..rhythm };
    let usual = before.quiet(quiet_days);
    let surprise_bits = -libm::log2(usual);
    let stopped =
        settings.stopped_share / (settings.stopped_share + (1.0 - settings.stopped_share) * usual);
    let goes_on = rhythm.quiet(days(deadline - now));
    let silent_by_deadline = stopped + (1.0 - stopped) * goes_on;
    (surprise_bits >= settings.surprise_bits_min).then_some(Warning {
        quiet_days,
        surprise_bits,
        silent_by_deadline,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Settings =
        Settings { stopped_share: 0.02, surprise_bits_min: 0.0, explanation_days: 30 };

    fn at(day: f64) -> DateTime<Utc> {
        #[expect(clippy::cast_possible_truncation, reason = "days of a test")]
        let seconds = (day * 86_400.0) as i64;
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    /// An account that posted every `interval` days for a season and is quiet for `quiet`.
    fn quiet_for(interval: f64, quiet: f64) -> Warning {
        let rhythm = Rhythm { posts: 60.0 / interval + 0.5, days: 60.5 + quiet };
        warn(rhythm, at(0.0), at(14.0), at(quiet), &ALL).unwrap()
    }

    #[test]
    fn a_daily_account_quiet_for_three_days_ranks_above_a_monthly_one_quiet_for_twelve() {
        let (daily, monthly) = (quiet_for(1.0, 3.0), quiet_for(30.0, 12.0));
        assert!(daily.surprise_bits > 4.0 && daily.surprise_bits < 4.4, "{daily:?}");
        assert!(monthly.surprise_bits < 1.0, "{monthly:?}");
        // The monthly one will cross the line, as it always does; that is not news.
        assert!(monthly.silent_by_deadline > daily.silent_by_deadline);
        let usual = warn(
            Rhythm { posts: 2.5, days: 72.5 },
            at(0.0),
            at(14.0),
            at(12.0),
            &Settings::default(),
        );
        assert_eq!(usual, None);
    }

    #[test]
    fn surprise_and_risk_grow_with_the_quiet() {
        let mut before = quiet_for(1.0, 0.5);
        for quiet in [1.0, 2.0, 4.0, 8.0, 13.0] {
            let now = quiet_for(1.0, quiet);
            assert!(now.surprise_bits > before.surprise_bits, "{now:?}");
            assert!(now.silent_by_deadline >= before.silent_by_deadline, "{now:?}");
            assert!(now.silent_by_deadline <= 1.0);
            before = now;
        }
    }

    #[test]
    fn what_has_crossed_or_is_not_known_gives_no_warning() {
        let rhythm = Rhythm { posts: 60.0, days: 60.0 };
        assert_eq!(warn(rhythm, at(0.0), at(14.0), at(14.0), &ALL), None);
        assert_eq!(warn(rhythm, at(5.0), at(14.0), at(4.0), &ALL), None);
        let unknown = Rhythm { posts: 0.0, days: 0.0 };
        assert_eq!(warn(unknown, at(0.0), at(14.0), at(4.0), &ALL), None);
    }
}
