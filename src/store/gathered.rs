//! Rows of many accounts, kept as they came until each account is asked for.

use std::sync::Arc;

use super::copy_rows::{Columns as _, Row};

/// So many bytes of rows are allocated at once: what grew by doubling would leave holes as large as
/// itself, and of few rows more would be empty than filled.
const CHUNK: usize = 1 << 16;

/// Rows whose first column is their account, as bytes: a third of what they take as values, and
/// read in whatever order the disk gives them.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// A length and the columns behind the first, row by row; others may hold the same.
    chunks: Vec<Arc<Vec<u8>>>,
    /// The account of each row, its chunk, and where it begins in that.
    rows: Vec<(i64, u32, u32)>,
    /// The bytes of its own rows.
    filled: usize,
}

impl Gathered {
    /// Keeps a row; nothing where its first column is no account.
    pub(super) fn push(&mut self, mut row: Row<'_>) -> Option<()> {
        let account = row.number()??;
        let length = u32::try_from(row.0.len()).ok()?.to_ne_bytes();
        let needed = length.len() + row.0.len();
        let has_room = |chunk: &mut Vec<u8>| chunk.len() + needed <= chunk.capacity();
        if !self.chunks.last_mut().and_then(Arc::get_mut).is_some_and(has_room) {
            self.chunks.push(Arc::new(Vec::with_capacity(needed.max(CHUNK))));
        }
        let number = u32::try_from(self.chunks.len() - 1).ok()?;
        let chunk = self.chunks.last_mut().and_then(Arc::get_mut)?;
        self.rows.push((account, number, u32::try_from(chunk.len()).ok()?));
        chunk.extend_from_slice(&length);
        chunk.extend_from_slice(row.0);
        self.filled += needed;
        Some(())
    }

    /// After the last row, and before any account is asked for.
    pub(super) fn sort(&mut self) {
        self.rows.sort_unstable();
    }

    /// The rows of an account without its number, in the order in which they came.
    pub(super) fn of(&self, account: i64) -> impl Iterator<Item = Row<'_>> {
        let first = self.rows.partition_point(|row| row.0 < account);
        let own = self.rows[first..].iter().take_while(move |row| row.0 == account);
        own.map(|&(_, chunk, at)| self.row(chunk, at))
    }

    fn row(&self, chunk: u32, at: u32) -> Row<'_> {
        let from = &self.chunks[chunk as usize][at as usize..];
        let (length, rest) = from.split_first_chunk().expect("a length stands before each row");
        Row(&rest[..u32::from_ne_bytes(*length) as usize])
    }

    /// Shares the rows from a place on, which are in order, of accounts up to a last one; gives the
    /// place of the first that is left.
    pub(super) fn share(&self, mut place: usize, last: i64, taker: &mut Self) -> Option<usize> {
        let mut shared = None;
        while let Some(&(account, chunk, at)) = self.rows.get(place)
            && account <= last
        {
            if shared.replace(chunk) != Some(chunk) {
                taker.chunks.push(self.chunks[chunk as usize].clone());
            }
            taker.rows.push((account, u32::try_from(taker.chunks.len() - 1).ok()?, at));
            taker.filled += size_of::<u32>() + self.row(chunk, at).0.len();
            place += 1;
        }
        Some(place)
    }

    /// All rows, each with its account.
    pub(super) fn rows(&self) -> impl Iterator<Item = (i64, Row<'_>)> {
        self.rows.iter().map(|&(account, chunk, at)| (account, self.row(chunk, at)))
    }

    /// How many rows it holds.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The bytes of its rows.
    pub(super) fn filled(&self) -> usize {
        self.filled
    }

    /// The bytes of its rows and of what tells where they are.
    pub(super) fn size(&self) -> usize {
        self.filled + self.rows.capacity() * size_of::<(i64, u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(account: i64, text: &str) -> Vec<u8> {
        let length = i32::try_from(text.len()).unwrap().to_be_bytes();
        let columns: [&[u8]; 4] =
            [&8_i32.to_be_bytes(), &account.to_be_bytes(), &length, text.as_bytes()];
        columns.concat()
    }

    #[test]
    fn rows_are_told_apart_by_account() {
        let mut gathered = Gathered::default();
        for (account, text) in [(9, "a"), (-2, ""), (9, "bc"), (4, "x"), (9, "a")] {
            gathered.push(Row(&row(account, text))).unwrap();
        }
        gathered.sort();
        let of = |account| -> Vec<&str> {
            gathered.of(account).map(|mut row| row.text().flatten().unwrap()).collect()
        };
        assert_eq!((of(9), of(-2), of(4)), (vec!["a", "bc", "a"], vec![""], vec!["x"]));
        assert!(of(5).is_empty() && of(i64::MAX).is_empty());
        assert_eq!(gathered.push(Row(&[0; 3])), None);
        // One larger than a chunk, and one behind it.
        let long = "x".repeat(CHUNK + 1);
        gathered.push(Row(&row(7, &long))).unwrap();
        gathered.push(Row(&row(7, "y"))).unwrap();
        gathered.sort();
        let lengths = gathered.of(7).map(|mut row| row.text().flatten().unwrap().len());
        assert_eq!(lengths.collect::<Vec<_>>(), [CHUNK + 1, 1]);
    }

    #[test]
    fn shared_rows_stay_as_they_are() {
        let of = |gathered: &Gathered, account| -> Vec<String> {
            let rows = gathered.of(account);
            rows.map(|mut row| row.text().flatten().unwrap().to_owned()).collect()
        };
        let long = "x".repeat(CHUNK);
        let mut gathered = Gathered::default();
        for (account, text) in [(1, "a"), (1, long.as_str()), (2, "b"), (2, "c"), (5, "d")] {
            gathered.push(Row(&row(account, text))).unwrap();
        }
        let (mut first, mut second) = (Gathered::default(), Gathered::default());
        let place = gathered.share(0, 1, &mut first).unwrap();
        let place = gathered.share(place, 4, &mut second).unwrap();
        assert_eq!((place, first.count(), second.count()), (4, 2, 2));
        assert!(first.filled() > CHUNK && second.filled() < 40, "each has its own rows alone");
        gathered.push(Row(&row(9, "e"))).unwrap();
        second.push(Row(&row(9, "f"))).unwrap();
        assert_eq!(gathered.share(place, 9, &mut second), Some(6));
        second.sort();
        assert_eq!((of(&first, 1), of(&first, 2)), (vec!["a".to_owned(), long], vec![]));
        assert_eq!(
            (of(&second, 2), of(&second, 9)),
            (vec!["b".into(), "c".into()], vec!["f".into(), "e".into()])
        );
        assert_eq!((of(&gathered, 5), of(&gathered, 9)), (vec!["d".into()], vec!["e".into()]));
    }
}
