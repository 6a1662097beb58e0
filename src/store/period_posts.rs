//! Posts of a period in the order of the disk, for measures over a whole nation.

use chrono::{DateTime, SecondsFormat, Utc};
use futures::stream::TryStreamExt;

use super::columns::{StoredCount, misread};
use super::copying::{Copying, EPOCH_MICROS, HEADER, TRAILER};
use super::score_inputs::FactsOf;
use super::{Store, StoreError};
use crate::domain::{AccountId, Count, Form, Moment, Origin, Precision};

/// How many shares the accounts are cut into: the partitions of the table.
pub const SHARES: usize = 8;

/// A post as measures need it, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodPost {
    /// The account.
    pub account: AccountId,
    /// The time the page claims.
    pub claimed: Option<Moment>,
    /// As-of time of the first observation that listed it.
    pub first_seen: DateTime<Utc>,
    /// As-of time of the last observation before.
    pub seen_before: Option<DateTime<Utc>>,
    /// Whether it appeared late.
    pub late: bool,
    /// Own work or a repost.
    pub origin: Origin,
    /// The kind of content.
    pub form: Option<Form>,
    /// Reads or plays, newest known.
    pub reads: Option<Count>,
    /// Likes, newest known.
    pub likes: Option<Count>,
    /// Comments, newest known.
    pub comments: Option<Count>,
    /// Shares, newest known.
    pub shares: Option<Count>,
}

/// The columns in the order in which [`PeriodPost::read`] takes them.
const COLUMNS: &str = "account_id, claimed_at, claimed_precision, first_seen, seen_before,
    missed_by is not null, origin, form, reads, likes, comments, shares";

/// The columns of one row of binary COPY: a length, −1 for null, and so many bytes each.
struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    /// The next column; the outer absence is a row cut short.
    fn next(&mut self) -> Option<Option<&'a [u8]>> {
        let (length, rest) = self.0.split_first_chunk()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (column, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(column))
    }

    fn number(&mut self) -> Option<Option<i64>> {
        let Some(bytes) = self.next()? else { return Some(None) };
        Some(Some(i64::from_be_bytes(bytes.try_into().ok()?)))
    }

    fn time(&mut self) -> Option<Option<DateTime<Utc>>> {
        let Some(micros) = self.number()? else { return Some(None) };
        DateTime::from_timestamp_micros(micros.checked_add(EPOCH_MICROS)?).map(Some)
    }

    /// The first letter of a word, which tells the words of one column apart.
    fn letter(&mut self) -> Option<u8> {
        Some(self.next()?.and_then(|word| word.first().copied()).unwrap_or_default())
    }

    fn count(&mut self) -> Option<Option<Count>> {
        let Some((_version, text)) = self.next()?.map(<[u8]>::split_first).unwrap_or_default()
        else {
            return Some(None);
        };
        // Nearly every count is exact: plain digits, too few to be more than 64 bits hold.
        if text.len() < 19 && text.iter().all(u8::is_ascii_digit) {
            let value = text.iter().fold(0, |all, digit| all * 10 + u64::from(digit - b'0'));
            return Some(Some(Count::Exact(value)));
        }
        Some(Some(serde_json::from_slice::<StoredCount>(text).ok()?.0))
    }
}

impl PeriodPost {
    /// Reads a row of [`COLUMNS`]; nothing where it does not read as they are declared.
    fn read(mut row: Row<'_>) -> Option<Self> {
        let account = AccountId(row.number()??);
        let claimed_at = row.time()?;
        let precision = match row.letter()? {
            b's' => Some(Precision::Second),
            b'm' => Some(Precision::Minute),
            b'h' => Some(Precision::Hour),
            b'd' => Some(Precision::Day),
            0 => None,
            _ => return None,
        };
        Some(Self {
            account,
            claimed: claimed_at.zip(precision).map(|(at, precision)| Moment { at, precision }),
            first_seen: row.time()??,
            seen_before: row.time()?,
            late: row.next()? == Some(&[1]),
            origin: match row.letter()? {
                b'o' => Origin::Original,
                b'r' => Origin::Repost,
                b'u' => Origin::Unknown,
                _ => return None,
            },
            form: match row.letter()? {
                b't' => Some(Form::Text),
                b'i' => Some(Form::Image),
                b'v' => Some(Form::Video),
                b'a' => Some(Form::Article),
                b'l' => Some(Form::Live),
                0 => None,
                _ => return None,
            },
            reads: row.count()?,
            likes: row.count()?,
            comments: row.count()?,
            shares: row.count()?,
        })
    }
}

impl Store {
    /// Hands over the posts of one share of the accounts in a stretch of time, by claimed time or
    /// first sight, in no order; together the shares 0 to [`SHARES`] − 1 are all.
    ///
    /// Only one row is in memory at a time. They come by COPY in binary, which costs neither side
    /// a description, a buffer and a decoder for each row.
    ///
    /// # Errors
    /// The database does not answer; a row that does not read as the table declares it.
    pub async fn period_posts(
        &self,
        of: FactsOf,
        share: usize,
        mut take: impl FnMut(PeriodPost),
    ) -> Result<(), StoreError> {
        let [from, to, known_at] = [of.from, of.to, of.known_at].map(|at| {
            format!("'{}'::timestamptz", at.to_rfc3339_opts(SecondsFormat::Micros, true))
        });
        let share = share % SHARES;
        let statement = format!(
            "copy (select {COLUMNS} from posts_{share}
                 where ((claimed_at >= {from} and claimed_at < {to})
                     or (first_seen >= {from} and first_seen < {to})) and recorded_at <= {known_at}
             ) to stdout (format binary)"
        );
        let mut connection = Copying::acquire(&self.pool).await?;
        let mut rows = connection.copy_out_raw(&statement).await?;
        while let Some(message) = rows.try_next().await? {
            let rest = message.strip_prefix(HEADER).unwrap_or(&message);
            let Some((columns, row)) = rest.split_first_chunk() else { continue };
            if *columns != TRAILER {
                let post = PeriodPost::read(Row(row));
                take(post.ok_or_else(|| misread("a post", row))?);
            }
        }
        drop(rows);
        connection.end();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(bytes: &[u8]) -> Vec<u8> {
        let length = i32::try_from(bytes.len()).unwrap();
        [&length.to_be_bytes()[..], bytes].concat()
    }

    #[test]
    fn counts_are_read_whether_exact_bounded_or_absent() {
        let read = |text: &str| Row(&column(format!("\u{1}{text}").as_bytes())).count();
        assert_eq!(read("0"), Some(Some(Count::Exact(0))));
        assert_eq!(read("18446744073709551615"), Some(Some(Count::Exact(u64::MAX))));
        assert_eq!(read("-1"), None);
        let bounded = r#"{"value": 100001, "low": 100001}"#;
        let capped = Count::Bounded { value: 100_001, low: 100_001, high: None };
        assert_eq!(read(bounded), Some(Some(capped)));
        assert_eq!(Row(&(-1_i32).to_be_bytes()).count(), Some(None));
    }

    #[test]
    fn a_row_cut_short_is_no_post() {
        assert_eq!(Row(&column(&[0; 8])[..7]).number(), None);
        assert_eq!(PeriodPost::read(Row(&column(&[0; 8]))), None);
        assert_eq!(
            Row(&column(&0_i64.to_be_bytes())).time().flatten().unwrap().timestamp(),
            946_684_800
        );
    }
}
