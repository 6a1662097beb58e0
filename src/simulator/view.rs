use chrono::{DateTime, Duration, Utc};

use super::script::Item;

/// How a page is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Usual,
    Walled,
    Redesigned,
    Hollow,
    /// In an order that has nothing to do with time.
    Hot,
    /// Its top only.
    Shallow,
    /// Without what is later than this instant.
    Until(DateTime<Utc>),
    /// With every time moved by so many seconds.
    Shifted(i64),
    /// Without the times of what is later than this instant.
    Undated(DateTime<Utc>),
}

/// How many items the top of a list without pins is.
const TOP: usize = 3;

/// Of so many items a list that is not ordered by time is made.
pub(super) const HOT: usize = 200;

impl View {
    /// An item with the time that this view shows for it.
    pub(super) fn dated(self, item: Item) -> Item {
        match self {
            Self::Shifted(seconds) => {
                Item { shown_at: item.shown_at + Duration::seconds(seconds), ..item }
            }
            _ => item,
        }
    }

    /// A list's items in the order of its pages: the pinned ones, then the rest, newest first as it
    /// comes.
    pub(super) fn arranged<'a>(
        self,
        pins: Vec<Item>,
        rest: impl Iterator<Item = Item> + 'a,
    ) -> Box<dyn Iterator<Item = Item> + 'a> {
        match self {
            Self::Hot => {
                let mut hot = pins.into_iter().chain(rest.take(HOT)).collect::<Vec<_>>();
                let heat = |item: &Item| item.at.timestamp().cast_unsigned();
                hot.sort_by_key(|item| heat(item).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                Box::new(hot.into_iter())
            }
            Self::Shallow if pins.is_empty() => Box::new(rest.take(TOP)),
            Self::Shallow => Box::new(pins.into_iter()),
            Self::Until(last) => {
                Box::new(pins.into_iter().chain(rest).filter(move |item| item.at <= last))
            }
            _ => Box::new(pins.into_iter().chain(rest)),
        }
    }
}
