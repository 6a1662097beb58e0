use std::ops::Range;

use chrono::{DateTime, Duration, Utc};
use xunjian::simulator::{Character, City, Fault, Planted, Venue};

/// What an account of the stage is made for: most have one guard that alone keeps them right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    /// A date six days before the post appears.
    Backdated,
    /// The same by moderation: the id is as old as the date.
    Moderated,
    /// Published by schedule the day after the next, with the date of its draft.
    Scheduled,
    /// A site that reviews for days, and whose file says so.
    Reviewed,
    /// A replica that stands still for three days.
    Stalled,
    /// The old platform file left such posts out.
    Upgraded,
    /// Another page of the site leaves such posts out.
    OtherPage,
    /// Put back under a new address.
    Restored,
    /// The same, and what it was before was never seen.
    RestoredUnseen,
    /// Taken from sight for days, and back.
    Unhidden,
    /// A feed whose calendar falls back by three days.
    FellBack,
    /// A bridge that brings a post days later.
    Backfilled,
    /// A post deleted after days.
    Deleted,
    /// Half of its posts in three days before the end.
    Burst,
    /// Two days of an old page without a sign at first sight, from a host without a canary.
    OldAtFirst,
    /// An old page after a week behind a wall.
    OldAfterWall,
    /// Silent, then behind a wall for good.
    WalledLater,
    /// A page kind that was never verified, and always shows an old page.
    Unverified,
    /// A page kind without a cache buster, and a cache.
    Uncached,
    /// A feed that stops giving times.
    Undated,
    /// Opened three days ago, has not posted.
    NeverSpoke,
    /// Another account's page in the place of its own, always.
    Mistaken,
    /// Posts for followers alone, which the counter still counts.
    ForFollowers,
    /// Two lists, of which one rests for weeks.
    InParts,
    /// Two lists, of which the one it posts to is never visited again.
    PartUnseen,
    /// Visible a day after it was published, at a cutoff.
    Lagging,
    /// The platform says for a day that it is gone.
    SaidGone,
    /// Its last post claims next year.
    NextYear,
    /// Dates in a gap that was silent.
    FilledGap,
    /// A success without content, always.
    Hollow,
    /// A wall, lifted for one day on which an old page is shown as new, and so many posts
    /// afterwards that no list reaches back over it.
    GlimpsedOnce,
    /// A list of what is popular, which new posts are not, in order by chance for three days.
    Popular,
    /// A post after weeks, and for a day, before anyone sees it, an old page without either.
    Relapsed,
    /// Long silent, and for one day in an order that is not that of time.
    Stirred,
}

/// An account of the stage.
pub(super) struct Staged {
    pub(super) scene: Scene,
    pub(super) key: String,
    /// The platform file that reads it, and from which day on another does.
    pub(super) platform: &'static str,
    pub(super) later: Option<(usize, &'static str)>,
    /// The page kinds visited before and from a day on; all where there is none.
    pub(super) kinds: Option<(usize, &'static str, &'static str)>,
    /// Days and what stands in the way.
    pub(super) faults: Vec<(Range<usize>, Fault)>,
    /// When the platform says that its posts were published, where they could not be seen at once.
    pub(super) published: Vec<DateTime<Utc>>,
}

/// The day on which most scenes begin; the daemon is never down from here on.
pub(super) const CURTAIN: usize = 13;

/// Days before the start from which the accounts of the stage post once a day, at 02:30.
const REHEARSAL_DAYS: i64 = 60;

/// More posts than the pages of a column that are read show.
const MORE_THAN_A_LIST: i64 = 60;

struct Stage<'c> {
    city: &'c mut City,
    start: DateTime<Utc>,
    days: usize,
}

/// Adds one account for every scene.
pub(super) fn set(city: &mut City, start: DateTime<Utc>, days: usize) -> Vec<Staged> {
    use Scene::*;
    use Venue::{Feed, Portal, Wechat, Weibo};
    let mut stage = Stage { city, start, days };
    [
        (Backdated, Portal),
        (Backdated, Feed),
        (Moderated, Portal),
        (Moderated, Feed),
        (Scheduled, Feed),
        (Reviewed, Portal),
        (Stalled, Portal),
        (Upgraded, Portal),
        (OtherPage, Portal),
        (Restored, Feed),
        (RestoredUnseen, Portal),
        (Unhidden, Portal),
        (Unhidden, Wechat),
        (FellBack, Feed),
        (Backfilled, Wechat),
        (Deleted, Feed),
        (Deleted, Portal),
        (Burst, Feed),
        (OldAtFirst, Portal),
        (OldAfterWall, Portal),
        (WalledLater, Portal),
        (Unverified, Portal),
        (Uncached, Portal),
        (Undated, Feed),
        (NeverSpoke, Weibo),
        (NeverSpoke, Portal),
        (Mistaken, Portal),
        (Mistaken, Feed),
        (ForFollowers, Weibo),
        (InParts, Feed),
        (PartUnseen, Feed),
        (Lagging, Portal),
        (SaidGone, Portal),
        (SaidGone, Weibo),
        (NextYear, Feed),
        (FilledGap, Portal),
        (Hollow, Portal),
        (GlimpsedOnce, Portal),
        (Popular, Portal),
        (Relapsed, Portal),
        (Stirred, Portal),
    ]
    .into_iter()
    .map(|(scene, venue)| stage.cast(scene, venue))
    .collect()
}

impl Stage<'_> {
    fn day(&self, day: i64, hour: i64) -> DateTime<Utc> {
        self.start + Duration::days(day) + Duration::hours(hour)
    }

    fn cast(&mut self, scene: Scene, venue: Venue) -> Staged {
        let character = match scene {
            Scene::NeverSpoke => Character::NeverPosted,
            Scene::FilledGap => Character::Backdating,
            // Long silent by itself; what it posts lately is planted.
            _ => Character::Zombie,
        };
        let key = self.city.add(venue, character, 0);
        let mut staged = Staged {
            scene,
            key,
            platform: venue.platform(),
            later: None,
            kinds: None,
            faults: Vec::new(),
            published: Vec::new(),
        };
        self.rehearse(&staged);
        self.play(&mut staged);
        self.obstruct(&mut staged);
        staged
    }

    /// One post a day, as long as the scene wants it.
    fn rehearse(&mut self, staged: &Staged) {
        let end = i64::try_from(self.days).unwrap_or(0);
        let (until, step) = match staged.scene {
            Scene::NeverSpoke | Scene::FilledGap | Scene::WalledLater | Scene::SaidGone => return,
            Scene::OldAfterWall | Scene::Popular => (-12, 1),
            Scene::Stirred => (-15, 1),
            Scene::Lagging => (-6, 1),
            Scene::Relapsed => (4, 1),
            Scene::NextYear => (-2, 1),
            Scene::Burst => (end, 4),
            _ => (end, 1),
        };
        for day in (-REHEARSAL_DAYS..until).step_by(step) {
            let at = self.day(day, 2) + Duration::minutes(30);
            self.city.plant(&staged.key, Planted::at(at));
        }
    }

    /// The posts of the scene itself.
    fn play(&mut self, staged: &mut Staged) {
        let first = CURTAIN as i64;
        let (noon, appears) = (self.day(first, 12), self.day(first + 4, 12));
        let backdated = Planted { claims: noon, ..Planted::at(appears) };
        let planted: Vec<Planted> = match staged.scene {
            Scene::Backdated | Scene::Reviewed => vec![backdated],
            Scene::Moderated | Scene::Backfilled => {
                vec![Planted { id_given_at: noon, ..backdated }]
            }
            Scene::Scheduled => {
                let claims = self.day(first, 22) + Duration::minutes(5);
                vec![Planted { claims, ..Planted::at(self.day(first + 2, 2)) }]
            }
            Scene::Upgraded | Scene::OtherPage => vec![Planted::at(left_out(noon))],
            Scene::Restored => {
                // Seen on one day and missed from the next, within two days of its date.
                let shown = self.day(first, 0) + Duration::minutes(30);
                restored(shown, self.day(first + 1, 1), backdated)
            }
            Scene::RestoredUnseen => restored(self.day(first - 3, 10), noon, backdated),
            Scene::Unhidden => {
                let away = Some((self.day(first - 5, 0), appears));
                vec![Planted { away, ..Planted::at(self.day(2, 10)) }]
            }
            Scene::Deleted => {
                let away = Some((noon, self.day(3650, 0)));
                vec![Planted { away, ..Planted::at(self.day(first - 3, 10)) }]
            }
            Scene::Burst => {
                let end = i64::try_from(self.days).unwrap_or(0);
                let hours = (1..=3).flat_map(|back| (8..16).map(move |hour| (end - back, hour)));
                hours.map(|(day, hour)| Planted::at(self.day(day, hour))).collect()
            }
            Scene::OldAfterWall => vec![Planted::at(self.day(5, 12))],
            Scene::Lagging => {
                let claims = self.day(first, 22) + Duration::minutes(30);
                staged.published.push(claims);
                vec![Planted { claims, ..Planted::at(claims + Duration::days(1)) }]
            }
            Scene::GlimpsedOnce => {
                let flood = self.day(first + 2, 12);
                (0..MORE_THAN_A_LIST)
                    .map(|minute| Planted::at(flood + Duration::minutes(minute)))
                    .collect()
            }
            Scene::Popular => {
                let end = i64::try_from(self.days).unwrap_or(0);
                let unpopular =
                    |at| Planted { away: Some((at, self.day(3650, 0))), ..Planted::at(at) };
                (-12..end).map(|day| unpopular(self.day(day, 2))).collect()
            }
            Scene::Relapsed => vec![Planted::at(self.day(first + 2, 23))],
            Scene::NextYear => {
                let claims = self.day(400, 0);
                vec![Planted { claims, ..Planted::at(self.day(-1, 10)) }]
            }
            _ => Vec::new(),
        };
        planted.into_iter().for_each(|post| self.city.plant(&staged.key, post));
        if staged.scene == Scene::NeverSpoke {
            self.city.open(&staged.key, self.day(-3, 0));
        }
    }

    /// Platform files and faults of the scene.
    fn obstruct(&self, staged: &mut Staged) {
        let first = CURTAIN;
        let replica = |day: i64| Fault::Replica { since: self.day(day, 0) };
        match staged.scene {
            Scene::Reviewed => staged.platform = "portal_reviewed",
            Scene::Stalled => {
                staged.faults.push((first + 1..first + 4, replica(first as i64)));
            }
            Scene::Upgraded => {
                staged.platform = "portal_old";
                staged.later = Some((first + 3, "portal"));
            }
            Scene::OtherPage => {
                staged.platform = "portal_two";
                staged.kinds = Some((first + 3, "column", "list"));
            }
            Scene::RestoredUnseen => staged.faults.push((first - 4..first, Fault::Blocked)),
            Scene::FellBack => {
                let seconds = -3 * 86_400;
                staged.faults.push((first + 3..first + 6, Fault::WrongOffset { seconds }));
            }
            Scene::OldAtFirst => staged.faults.push((0..2, replica(-20))),
            Scene::OldAfterWall => {
                staged.faults.push((2..10, Fault::Blocked));
                staged.faults.push((10..11, Fault::Replica { since: self.day(1, 23) }));
            }
            Scene::WalledLater => staged.faults.push((6..self.days, Fault::Blocked)),
            Scene::Unverified => {
                staged.platform = "portal_unverified";
                staged.faults.push((1..self.days, replica(1)));
            }
            Scene::Uncached => {
                staged.platform = "portal_uncached";
                staged.faults.push((1..self.days, replica(1)));
            }
            Scene::Undated => {
                let since = self.day(3, 0);
                staged.faults.push((3..self.days, Fault::Undated { since }));
            }
            Scene::Mistaken => staged.faults.push((0..self.days, Fault::OtherAccount)),
            Scene::ForFollowers => {
                staged.faults.push((1..self.days, Fault::FollowersOnly { since: self.day(1, 0) }));
            }
            Scene::Hollow => staged.faults.push((0..self.days, Fault::HollowSuccess)),
            Scene::InParts => staged.platform = "feed_parts",
            Scene::PartUnseen => {
                staged.platform = "feed_parts";
                staged.kinds = Some((3, "feed_1", "feed_0"));
            }
            Scene::SaidGone => staged.faults.push((first..first + 1, Fault::SaysGone)),
            Scene::Stirred => staged.faults.push((first..first + 1, Fault::HotOrder)),
            Scene::Relapsed => staged.faults.push((first + 3..first + 4, replica(-5))),
            Scene::GlimpsedOnce => {
                staged.faults.push((0..first, Fault::Blocked));
                staged.faults.push((first..first + 1, replica(-20)));
                staged.faults.push((first + 1..first + 3, Fault::Blocked));
            }
            Scene::Popular => {
                staged.faults.push((0..first, Fault::HotOrder));
                staged.faults.push((first + 3..self.days, Fault::HotOrder));
            }
            _ => {}
        }
    }
}

/// A post shown from one instant to another, and put back under a new address, where and when `again`
/// appears.
fn restored(shown: DateTime<Utc>, hidden: DateTime<Utc>, again: Planted) -> Vec<Planted> {
    let away = Some((hidden, shown + Duration::days(3650)));
    let before = Planted { away, ..Planted::at(shown) };
    vec![before, Planted { claims: before.claims, text_of: before.text_of, ..again }]
}

/// An instant whose address one version of the platform file leaves out: it ends in `4444`.
fn left_out(from: DateTime<Utc>) -> DateTime<Utc> {
    let second = from.timestamp();
    from + Duration::seconds((4_444 - second).rem_euclid(10_000))
}

impl Scene {
    /// Whether its page can be read as it is, so that a verdict is within reach.
    pub(super) fn is_readable(self) -> bool {
        !matches!(
            self,
            Self::Unverified
                | Self::Uncached
                | Self::FilledGap
                | Self::Lagging
                | Self::Hollow
                | Self::Mistaken
                | Self::PartUnseen
                | Self::Popular
        )
    }

    /// Whether a finding of backdating is right.
    pub(super) fn is_backdated(self) -> bool {
        matches!(self, Self::Backdated)
    }
}
