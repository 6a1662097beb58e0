//! Rows of accounts, as they came or packed, read alike.

use super::StoreError;
use super::columns::misread;
use super::copy_rows::Columns;
use super::gathered::Gathered;
use super::packing::{Unpacked, UnpackedRow, Unpacking};

/// Rows, and such as are packed by account and month.
#[derive(Default)]
pub(super) struct Packed {
    pub(super) packed: Gathered,
    pub(super) others: Gathered,
}

impl From<Gathered> for Packed {
    fn from(others: Gathered) -> Self {
        Self { packed: Gathered::default(), others }
    }
}

impl Packed {
    /// Hands over the columns of each row of an account, in no order.
    pub(super) fn each<'a>(
        &'a self,
        account: i64,
        what: &str,
        mut take: impl FnMut(UnpackedRow<'_, 'a>) -> Option<()>,
    ) -> Result<(), StoreError> {
        self.any(account, what, |columns| take(columns).map(|()| false)).map(|_| ())
    }

    /// Whether something holds for a row of an account; the others are not looked at then.
    pub(super) fn any<'a>(
        &'a self,
        account: i64,
        what: &str,
        mut holds: impl FnMut(UnpackedRow<'_, 'a>) -> Option<bool>,
    ) -> Result<bool, StoreError> {
        let mut unpacked = Unpacked::default();
        for row in self.others.of(account) {
            let columns = unpacked.row(row);
            if columns.and_then(&mut holds).ok_or_else(|| misread(what, row.0))? {
                return Ok(true);
            }
        }
        for month in self.packed.of(account) {
            let misread = || misread(what, month.0);
            let packed = { month }.next().flatten().ok_or_else(misread)?;
            let mut rows = Unpacking::new(packed);
            while let Some(columns) = rows.row().ok_or_else(misread)? {
                if holds(columns).ok_or_else(misread)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Room for the rows of an account, if each takes at least so many bytes packed: what grows row
    /// by row is moved again and again.
    pub(super) fn room<T>(&self, account: i64, bytes_each: usize) -> Vec<T> {
        let packed: usize = self.packed.of(account).map(|row| row.0.len() / bytes_each).sum();
        Vec::with_capacity(packed + self.others.of(account).count())
    }

    /// The bytes of its rows.
    pub(super) fn size(&self) -> usize {
        self.packed.size() + self.others.size()
    }
}
