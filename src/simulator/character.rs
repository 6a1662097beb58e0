/// Where a made-up account lives; also the id of its platform file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// A microblog on `m.weibo.cn`.
    Weibo,
    /// A WeChat official account, seen through the office's RSS bridge.
    Wechat,
    /// A column of a government site, each site a host of its own.
    Portal,
    /// A plain RSS or Atom feed.
    Feed,
}

impl Venue {
    /// Every venue.
    pub const ALL: [Self; 4] = [Self::Weibo, Self::Wechat, Self::Portal, Self::Feed];

    /// The platform id used in the ledger.
    pub fn platform(self) -> &'static str {
        match self {
            Self::Weibo => "weibo",
            Self::Wechat => "wechat",
            Self::Portal => "portal",
            Self::Feed => "feed",
        }
    }

    /// The venue of a platform id.
    pub fn of_platform(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|venue| venue.platform() == id)
    }

    /// The venue of the account at a place of the ledger: of 20 accounts, 7 are microblogs,
    /// 6 official accounts, 4 columns and 3 feeds.
    pub(super) fn of_place(place: usize) -> Self {
        use Venue::{Feed as F, Portal as P, Wechat as C, Weibo as W};
        [W, C, P, F, W, C, W, P, C, W, C, F, W, C, P, W, F, C, W, P][place % 20]
    }
}

/// What an account of the city does, or what stands between it and a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Character {
    /// Posts about every hour, day and night.
    Canary,
    /// Posts at one of several rhythms and never leaves a gap of ten days.
    Active,
    /// Last post 8 to 13 days before the given time; half of them post again before the 14th day.
    Quiet,
    /// Last post 15 to 80 days before the given time.
    Dormant,
    /// Last post 100 to 700 days before the given time.
    Zombie,
    /// Opened long ago, has never posted.
    NeverPosted,
    /// Active beneath one to three old pinned posts.
    PinnedActive,
    /// Dormant beneath one to three old pinned posts.
    PinnedDormant,
    /// Cancelled before the given time.
    Cancelled,
    /// Behind a captcha or login wall.
    Walled,
    /// The page is laid out in a way no adapter knows.
    Redesigned,
    /// The connection is closed, answered with 502, or never answered.
    Unreachable,
    /// robots.txt of its host refuses everybody.
    RobotsRefused,
    /// A cache in between serves a body a month old.
    Cached,
    /// The answer is a success without any content, though there are posts.
    HollowSuccess,
    /// Active, but each answer takes one to three seconds.
    Slow,
    /// Active, but its page answers 429 in 25 of every 75 minutes.
    RateLimiting,
    /// Opened 2 to 8 days before the given time.
    Young,
    /// Active, and deletes one post in five after some days.
    Deleting,
    /// Silent for 13 days at the given time; two days later posts with earlier dates appear.
    Backdating,
}

impl Character {
    /// Whether the page cannot be read at all, so that no verdict but `undetermined` is right.
    pub fn is_hidden(self) -> bool {
        matches!(
            self,
            Self::Walled
                | Self::Redesigned
                | Self::Unreachable
                | Self::RobotsRefused
                | Self::Cached
                | Self::HollowSuccess
        )
    }
}

/// Characters and how many accounts of a venue have each, in this order.
type Cast = &'static [(Character, usize)];

const WEIBO: Cast = &[
    (Character::Canary, 1),
    (Character::Active, 6),
    (Character::Quiet, 4),
    (Character::Dormant, 4),
    (Character::Zombie, 3),
    (Character::NeverPosted, 2),
    (Character::PinnedActive, 3),
    (Character::PinnedDormant, 3),
    (Character::Cancelled, 2),
    (Character::Walled, 4),
    (Character::Redesigned, 2),
    (Character::Cached, 2),
    (Character::HollowSuccess, 2),
    (Character::Slow, 2),
    (Character::RateLimiting, 2),
    (Character::Young, 2),
    (Character::Deleting, 2),
];

const WECHAT: Cast = &[
    (Character::Canary, 1),
    (Character::Active, 6),
    (Character::Quiet, 4),
    (Character::Dormant, 4),
    (Character::Zombie, 2),
    (Character::NeverPosted, 1),
    (Character::Cancelled, 2),
    (Character::Walled, 2),
    (Character::Redesigned, 1),
    (Character::Unreachable, 1),
    (Character::Cached, 2),
    (Character::HollowSuccess, 2),
    (Character::Slow, 1),
    (Character::RateLimiting, 1),
    (Character::Young, 2),
    (Character::Deleting, 2),
];

const PORTAL: Cast = &[
    (Character::Canary, 1),
    (Character::Active, 3),
    (Character::Quiet, 3),
    (Character::Dormant, 3),
    (Character::Zombie, 2),
    (Character::NeverPosted, 2),
    (Character::PinnedActive, 2),
    (Character::PinnedDormant, 2),
    (Character::Cancelled, 1),
    (Character::Walled, 3),
    (Character::Redesigned, 2),
    (Character::Unreachable, 3),
    (Character::RobotsRefused, 2),
    (Character::Cached, 2),
    (Character::HollowSuccess, 2),
    (Character::Slow, 1),
    (Character::RateLimiting, 1),
    (Character::Young, 1),
    (Character::Deleting, 1),
    (Character::Backdating, 1),
];

const FEED: Cast = &[
    (Character::Canary, 1),
    (Character::Active, 3),
    (Character::Quiet, 2),
    (Character::Dormant, 2),
    (Character::Zombie, 2),
    (Character::NeverPosted, 1),
    (Character::Cancelled, 1),
    (Character::Walled, 1),
    (Character::Redesigned, 1),
    (Character::Unreachable, 3),
    (Character::RobotsRefused, 1),
    (Character::Cached, 2),
    (Character::HollowSuccess, 1),
    (Character::Slow, 1),
    (Character::RateLimiting, 1),
    (Character::Young, 1),
    (Character::Deleting, 1),
];

/// How many of each venue's first accounts have which character; those after them are drawn.
/// The sums stay below the venue's share of 200 accounts (70, 60, 40, 30), so that a city of 200
/// has the whole cast.
fn cast(venue: Venue) -> Cast {
    match venue {
        Venue::Weibo => WEIBO,
        Venue::Wechat => WECHAT,
        Venue::Portal => PORTAL,
        Venue::Feed => FEED,
    }
}

/// The character of the `place`-th account of a venue, and its turn among those like it: variants
/// of a character take turns. The cast returns after every 200 accounts of the city, but there is
/// one canary only; the draw decides where the cast is silent.
pub(super) fn character_at(venue: Venue, place: usize, draw_percent: u64) -> (Character, usize) {
    let period = match venue {
        Venue::Weibo => 70,
        Venue::Wechat => 60,
        Venue::Portal => 40,
        Venue::Feed => 30,
    };
    // A stride prime to every period deals the cast out: troubles of a host shall not stand in a
    // row in the ledger, where they would look like an outage.
    let mut left = place % period * 17 % period;
    for (character, count) in cast(venue) {
        if left < *count {
            let first = place < period || *character != Character::Canary;
            return (if first { *character } else { Character::Active }, left);
        }
        left -= count;
    }
    let character = match draw_percent {
        0..6 => Character::Quiet,
        6..14 => Character::Dormant,
        14..19 => Character::Zombie,
        _ => Character::Active,
    };
    (character, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_venues_share_twenty_places_as_said() {
        let count = |venue| (0..20).filter(|place| Venue::of_place(*place) == venue).count();
        assert_eq!(Venue::ALL.map(count), [7, 6, 4, 3]);
    }

    #[test]
    fn the_cast_fits_into_two_hundred_accounts() {
        for (venue, share) in Venue::ALL.into_iter().zip([70, 60, 40, 30]) {
            let cast = cast(venue).iter().map(|row| row.1).sum::<usize>();
            assert!(cast < share, "{venue:?}: {cast} of {share}");
        }
    }

    #[test]
    fn each_venue_has_one_canary() {
        for venue in Venue::ALL {
            let canaries = (0..500).filter(|n| character_at(venue, *n, 50).0 == Character::Canary);
            assert_eq!(canaries.collect::<Vec<_>>(), [0]);
        }
    }

    #[test]
    fn troubles_do_not_stand_in_a_row() {
        for (venue, period) in Venue::ALL.into_iter().zip([70, 60, 40, 30]) {
            let cast = (0..period).map(|place| character_at(venue, place, 50).0);
            let cast = cast.collect::<Vec<_>>();
            for pair in cast.windows(2) {
                assert!(pair.iter().any(|one| !one.is_hidden()), "{venue:?}: {pair:?}");
            }
            let whole = super::cast(venue).iter().map(|row| row.0);
            assert!(whole.into_iter().all(|one| cast.contains(&one)), "{venue:?}");
        }
    }
}
