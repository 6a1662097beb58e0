//! Rows of many accounts, kept as they came until each account is asked for.

use super::copy_rows::{Columns as _, Row};

/// So many bytes of rows are allocated at once: what grew by doubling would leave holes as large as
/// itself.
const CHUNK: usize = 1 << 20;

/// Rows whose first column is their account, as bytes: a third of what they take as values, and
/// read in whatever order the disk gives them.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// A length and the columns behind the first, row by row.
    chunks: Vec<Vec<u8>>,
    /// The account of each row, its chunk, and where it begins in that.
    rows: Vec<(i64, u32, u32)>,
}

impl Gathered {
    /// Keeps a row; nothing where its first column is no account.
    pub(super) fn push(&mut self, mut row: Row<'_>) -> Option<()> {
        let account = row.number()??;
        self.keep(account, row)
    }

    fn keep(&mut self, account: i64, row: Row<'_>) -> Option<()> {
        let length = u32::try_from(row.0.len()).ok()?.to_ne_bytes();
        let needed = length.len() + row.0.len();
        if self.chunks.last().is_none_or(|chunk| chunk.len() + needed > chunk.capacity()) {
            self.chunks.push(Vec::with_capacity(needed.max(CHUNK)));
        }
        let number = u32::try_from(self.chunks.len() - 1).ok()?;
        let chunk = self.chunks.last_mut()?;
        self.rows.push((account, number, u32::try_from(chunk.len()).ok()?));
        chunk.extend_from_slice(&length);
        chunk.extend_from_slice(row.0);
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

    /// Copies the rows from a place on, which are in order, of accounts up to a last one; gives the
    /// place of the first that is left.
    pub(super) fn copy_to(&self, mut place: usize, last: i64, taker: &mut Self) -> Option<usize> {
        while let Some(&(account, chunk, at)) = self.rows.get(place)
            && account <= last
        {
            taker.keep(account, self.row(chunk, at))?;
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
        self.chunks.iter().map(Vec::len).sum()
    }

    /// The bytes that it holds.
    pub(super) fn size(&self) -> usize {
        self.chunks.iter().map(Vec::capacity).sum::<usize>()
            + self.rows.capacity() * size_of::<(i64, u32, u32)>()
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
}
