use std::fmt;
use std::str::FromStr;

use chrono::Duration;
use xunjian::domain::Reason;
use xunjian::observe::{
    Doubt, History, LatePost, Observation, Outcome, Policy, SetAside, Span, Unwatched, Visit,
};

macro_rules! guards {
    ($($(#[$about:meta])* $name:ident => $word:literal,)*) => {
        /// A rule of the observation calculus that can be left out, to see whether anything
        /// notices.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Guard {
            $($(#[$about])* $name,)*
        }

        impl Guard {
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

guards! {
    /// Silence and absence need observations on two days, three without a canary.
    Confirmations => "confirmations",
    /// They lie within three days before the cutoff.
    Within => "within",
    /// An observation waits for a healthy canary.
    Canary => "canary",
    /// Without a canary a third day stands in for it.
    Third => "third",
    /// And those of its host's other page kinds stand behind it.
    Beside => "beside",
    /// A failed visit says nothing.
    Failures => "failures",
    /// An answer reaches as far as it proves, and confirms only if provably fresh.
    Freshness => "freshness",
    /// A body seen before reaches no further than it did, unless it is provably fresh.
    Identical => "identical",
    /// A bridge reaches its own last success upstream.
    Upstream => "upstream",
    /// A page that covers no span proves no silence.
    Coverage => "coverage",
    /// Each instant of a silence was seen on as many days as it is confirmed on.
    Often => "often",
    /// A list that others show to be of an old page proves nothing, nor one that may be of one.
    Outdated => "outdated",
    /// A list in order among many that are not stands so by chance.
    Chance => "chance",
    /// A list ends where a marker or the counter says so.
    Exhausted => "exhausted",
    /// An empty list counts only with a counter of 0 or the platform's own sign.
    Empty => "empty",
    /// The answer proves whose page it is.
    Identity => "identity",
    /// A page kind that was never verified never confirms.
    Verified => "verified",
    /// A list out of order is not the list we know.
    Order => "order",
    /// Pinned items, marked or not, say nothing about what follows.
    Pins => "pins",
    /// The last post is the newest of all items, not the first.
    Newest => "newest",
    /// An undated item counts when it was first seen.
    Undated => "undated",
    /// A coarse time is an interval.
    Precision => "precision",
    /// A date in the future keeps nobody alive.
    Future => "future",
    /// A post that appeared late counts at its first sight too, and saves no cutoff before it.
    Late => "late",
    /// The counter tells of posts that no list shows.
    Hidden => "hidden",
    /// All parts of an account must be silent.
    Parts => "parts",
    /// The account existed before the window.
    Young => "young",
    /// At a cutoff the last confirmation lies after the visibility lag.
    Lag => "lag",
    /// A live silence does not outlive its observation.
    Age => "age",
    /// Only times that the author sets can be backdated.
    AuthorTime => "author_time",
    /// Two days must have missed a backdated post.
    TwoDays => "two_days",
    /// One of them soon after the time it claims.
    Soon => "soon",
    /// Each between an older and a newer item.
    Bracket => "bracket",
    /// It appeared after the visibility lag.
    LateLag => "late_lag",
    /// The same page was looked at.
    Viewer => "viewer",
    /// By the same version of the platform file.
    Adapter => "adapter",
    /// The id does not support the claim.
    Id => "id",
    /// The text was not seen before.
    Text => "text",
    /// The source did not shift its times.
    Offset => "offset",
}

impl Guard {
    /// The shipped policy, less the numbers of this guard.
    pub(super) fn policy(without: Option<Self>) -> Policy {
        let mut policy = Policy::default();
        match without {
            Some(Self::Confirmations) => {
                policy.confirmations = 1;
                policy.confirmations_without_canary = 1;
            }
            Some(Self::Within) => policy.confirm_within_hours = 24 * 365,
            Some(Self::Canary | Self::Third) => {
                policy.confirmations_without_canary = policy.confirmations;
            }
            Some(Self::Order) => policy.disorder_max_percent = 100,
            Some(Self::Pins) => policy.pins_max = 0,
            Some(Self::Lag) => policy.visibility_lag_hours = 0,
            Some(Self::Age) => policy.max_age_hours = 24 * 365,
            _ => {}
        }
        policy
    }

    /// What the judge is told of an account.
    pub(super) fn weaken(self, history: &mut History) {
        match self {
            Self::Canary => {
                history.canaries.clear();
                history.has_canary = false;
            }
            Self::Beside => history.unwatched.values_mut().for_each(|one| {
                *one = Unwatched::Beside { watched: Vec::new(), left: Vec::new() };
            }),
            Self::Late => history.posts.iter_mut().for_each(|post| post.missed_by = None),
            Self::Undated => history.posts.retain(|post| post.claimed.is_some()),
            Self::Future => {
                for post in &mut history.posts {
                    let claimed = post.claimed.map(|claim| claim.at);
                    post.first_seen = claimed.map_or(post.first_seen, |at| at.max(post.first_seen));
                }
            }
            Self::Parts => history.parts.truncate(1),
            Self::Often => see_often(history),
            Self::Outdated => seen_mut(history).for_each(|seen| seen.bracket = None),
            Self::Chance => history.visits.iter_mut().for_each(|visit| {
                if visit.outcome == Outcome::Failed(Reason::Drifted) {
                    visit.items = 0;
                }
            }),
            Self::Young => history.opened_at = Some(chrono::DateTime::UNIX_EPOCH),
            _ => {}
        }
    }

    /// Whether single posts are weighed as ever: only verdicts are given without it.
    pub(super) fn is_of_verdicts(self) -> bool {
        matches!(self, Self::Often | Self::Outdated | Self::Chance)
    }

    /// Whether a late post is a candidate when this guard is left out.
    pub(super) fn accuses(without: Option<Self>, late: &LatePost) -> bool {
        let aside = match without {
            Some(Self::Bracket) => Some(SetAside::Unbracketed),
            Some(Self::Viewer) => Some(SetAside::OtherViewer),
            Some(Self::Adapter) => Some(SetAside::OtherAdapter),
            _ => None,
        };
        let counted = late.missed_by.iter().chain(
            late.set_aside.iter().filter(|(_, why)| Some(*why) == aside).map(|(sight, _)| sight),
        );
        let days: std::collections::BTreeSet<_> =
            counted.map(|sight| xunjian::domain::shanghai_date(sight.as_of)).collect();
        let needed = if without == Some(Self::TwoDays) { 1 } else { 2 };
        let is_waived = |doubt: &Doubt| match doubt {
            Doubt::TooFewDays(_) => days.len() >= needed,
            Doubt::NotTheAuthorsTime => without == Some(Self::AuthorTime),
            Doubt::WithinLag => without == Some(Self::LateLag),
            Doubt::IdSupportsClaim => without == Some(Self::Id),
            Doubt::TextSeenBefore(_) => without == Some(Self::Text),
            Doubt::OffsetShifted => without == Some(Self::Offset),
            Doubt::NobodyLookedThen => without == Some(Self::Soon),
            Doubt::FirstListing => false,
        };
        late.doubts.iter().all(is_waived)
    }
}

fn seen_mut(history: &mut History) -> impl Iterator<Item = &mut Observation> {
    history.visits.iter_mut().filter_map(|visit| match &mut visit.outcome {
        Outcome::Observed(seen) => Some(seen),
        _ => None,
    })
}

/// Every list is taken to have been seen on the two days before, too.
fn see_often(history: &mut History) {
    let mut again = Vec::new();
    for visit in &history.visits {
        let Outcome::Observed(seen) = &visit.outcome else { continue };
        let Some(span) = seen.span else { continue };
        for days in 1..=2 {
            let span = Span { high: span.high - Duration::days(days), ..span };
            let seen = Observation {
                span: (span.low < span.high).then_some(span),
                bracket: None,
                posts_total: None,
                confirming: false,
                ..seen.clone()
            };
            again.push(Visit { outcome: Outcome::Observed(seen), ..visit.clone() });
        }
    }
    history.visits.extend(again);
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Guard {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|guard| guard.word() == word);
        let words = || Self::ALL.iter().map(|guard| guard.word()).collect::<Vec<_>>().join(", ");
        found.copied().ok_or_else(|| format!("no guard {word:?}; there are {}", words()))
    }
}
