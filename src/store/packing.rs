//! Rows of one account in a row: of each only what differs from the one before.

use super::copy_rows::{Columns, Row};

/// More columns than this no packed row has: each is a bit of a number.
const COLUMNS_MAX: usize = 32;

/// Packs rows as COPY sends them, one after the other.
///
/// A row is a number with a bit for each column that differs, then those columns: a length, one
/// more than it is and zero for null, and the bytes. Numbers are little-endian in groups of seven
/// bits.
#[derive(Debug, Default)]
pub(super) struct Packing {
    bytes: Vec<u8>,
    /// The columns of the row before; null before the first.
    before: Vec<Option<Vec<u8>>>,
}

impl Packing {
    /// Appends a row; nothing where it does not end with a column, or has too many.
    pub(super) fn push(&mut self, mut row: Row<'_>) -> Option<()> {
        let mut changed = 0_u32;
        let mut columns = Vec::new();
        let mut at = 0;
        while !row.0.is_empty() {
            let column = row.next()?;
            if self.before.len() == at {
                self.before.push(None);
            }
            let before = self.before.get_mut(at).filter(|_| at < COLUMNS_MAX)?;
            if before.as_deref() != column {
                changed |= 1 << at;
                *before = column.map(<[u8]>::to_vec);
                put(&mut columns, column.map_or(0, |bytes| bytes.len() as u64 + 1));
                columns.extend_from_slice(column.unwrap_or_default());
            }
            at += 1;
        }
        put(&mut self.bytes, u64::from(changed));
        self.bytes.append(&mut columns);
        Some(())
    }

    /// The bytes of all rows since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.before.clear();
        std::mem::take(&mut self.bytes)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Rows that [`Packing`] packed, one at a time.
#[derive(Debug)]
pub(super) struct Unpacking<'a> {
    rest: &'a [u8],
    columns: [Option<&'a [u8]>; COLUMNS_MAX],
}

impl<'a> Unpacking<'a> {
    /// Before the first row.
    pub(super) fn new(packed: &'a [u8]) -> Self {
        Self { rest: packed, columns: [None; COLUMNS_MAX] }
    }

    /// The next row, of which any number of columns is read; within, absent after the last;
    /// without, where the bytes are none that were packed.
    pub(super) fn row(&mut self) -> Option<Option<UnpackedRow<'_, 'a>>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        let mut changed = u32::try_from(self.number()?).ok()?;
        while changed != 0 {
            let at = changed.trailing_zeros() as usize;
            changed &= changed - 1;
            self.columns[at] = match self.number()? {
                0 => None,
                length => {
                    let length = usize::try_from(length - 1).ok()?;
                    let (column, rest) = self.rest.split_at_checked(length)?;
                    self.rest = rest;
                    Some(column)
                }
            };
        }
        Some(Some(UnpackedRow(&self.columns)))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// The columns of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnpackedRow<'c, 'a>(&'c [Option<&'a [u8]>]);

/// Rows as COPY sends them, one at a time, told as those that were packed are.
#[derive(Debug, Default)]
pub(super) struct Unpacked<'a>([Option<&'a [u8]>; COLUMNS_MAX]);

impl<'a> Unpacked<'a> {
    /// A row; absent where it does not end with a column, or has too many.
    pub(super) fn row(&mut self, mut row: Row<'a>) -> Option<UnpackedRow<'_, 'a>> {
        let mut count = 0;
        while !row.0.is_empty() {
            *self.0.get_mut(count)? = row.next()?;
            count += 1;
        }
        Some(UnpackedRow(&self.0[..count]))
    }
}

impl<'a> Columns<'a> for UnpackedRow<'_, 'a> {
    fn next(&mut self) -> Option<Option<&'a [u8]>> {
        let (column, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*column)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type Cells = Vec<Option<Vec<u8>>>;

    fn row(cells: &[Option<Vec<u8>>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for cell in cells {
            let length = cell.as_ref().map_or(-1, |cell| i32::try_from(cell.len()).unwrap());
            bytes.extend(length.to_be_bytes());
            bytes.extend(cell.iter().flatten());
        }
        bytes
    }

    fn packed(rows: &[Cells]) -> Vec<u8> {
        let mut packing = Packing::default();
        for cells in rows {
            packing.push(Row(&row(cells))).unwrap();
        }
        packing.take()
    }

    fn unpacked(bytes: &[u8], columns: usize) -> Option<Vec<Cells>> {
        let mut unpacking = Unpacking::new(bytes);
        let mut rows = Vec::new();
        while let Some(mut row) = unpacking.row()? {
            let cells = (0..columns).map(|_| row.next().unwrap().map(<[u8]>::to_vec));
            rows.push(cells.collect());
        }
        Some(rows)
    }

    #[test]
    fn a_row_that_was_not_packed_is_read_alike() {
        let rows = [vec![text("list"), None, text("")], vec![None], vec![]];
        let bytes = rows.each_ref().map(|cells| row(cells));
        let too_many = row(&vec![None; COLUMNS_MAX + 1]);
        let mut unpacked = Unpacked::default();
        for (bytes, cells) in bytes.iter().zip(&rows) {
            let mut columns = unpacked.row(Row(bytes)).unwrap();
            for cell in cells {
                assert_eq!(columns.next(), Some(cell.as_deref()));
            }
            assert_eq!(columns.next(), None, "what an earlier row had is not this one's");
        }
        assert!(unpacked.row(Row(&too_many)).is_none());
        assert!(unpacked.row(Row(&[0, 0])).is_none());
    }

    fn text(text: &str) -> Option<Vec<u8>> {
        Some(text.as_bytes().to_vec())
    }

    #[test]
    fn what_is_as_before_takes_no_room() {
        let rows = vec![
            vec![text("list"), None, text("1")],
            vec![text("list"), None, text("1")],
            vec![text("list"), text(""), text("2")],
            vec![text("list"), None, text("2")],
        ];
        let bytes = packed(&rows);
        assert_eq!(bytes, b"\x05\x05list\x021\x00\x06\x01\x022\x02\x00");
        assert_eq!(unpacked(&bytes, 3), Some(rows));
        assert_eq!(unpacked(b"", 3), Some(Vec::new()));
    }

    #[test]
    fn a_row_that_cannot_be_packed_is_none() {
        let most = vec![text("x"); COLUMNS_MAX];
        assert_eq!(unpacked(&packed(std::slice::from_ref(&most)), COLUMNS_MAX), Some(vec![most]));
        let too_many = row(&vec![text("x"); COLUMNS_MAX + 1]);
        assert_eq!(Packing::default().push(Row(&too_many)), None);
        assert_eq!(Packing::default().push(Row(&[0, 0, 0, 9, 1])), None);
    }

    #[test]
    fn accounts_do_not_rest_on_one_another() {
        let mut packing = Packing::default();
        let cells = [text("list"), text("7")];
        packing.push(Row(&row(&cells))).unwrap();
        let first = packing.take();
        packing.push(Row(&row(&cells))).unwrap();
        assert_eq!(packing.take(), first);
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(
            rows in (1_usize..=COLUMNS_MAX).prop_flat_map(|columns| {
                let cell = prop_oneof![
                    Just(None), Just(Some(Vec::new())), Just(Some(vec![7; 200])),
                    vec(any::<u8>(), 0..12).prop_map(Some),
                ];
                vec(vec(cell, columns), 0..12)
            })
        ) {
            let columns = rows.first().map_or(0, Vec::len);
            prop_assert_eq!(unpacked(&packed(&rows), columns), Some(rows));
        }

        #[test]
        fn other_bytes_end_without_a_panic(bytes in vec(any::<u8>(), 0..60)) {
            let _ = unpacked(&bytes, COLUMNS_MAX);
        }
    }
}
