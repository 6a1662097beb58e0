//! Rows of accounts, as they came or packed, read alike.

use super::StoreError;
use super::columns::misread;
use super::copy_rows::Columns;
use super::gathered::Gathered;
use super::packing::Unpacking;

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
        mut take: impl FnMut(&mut dyn Columns<'a>) -> Option<()>,
    ) -> Result<(), StoreError> {
        for row in self.others.of(account) {
            take(&mut row.clone()).ok_or_else(|| misread(what, row.0))?;
        }
        for month in self.packed.of(account) {
            let misread = || misread(what, month.0);
            let packed = month.clone().next().flatten().ok_or_else(misread)?;
            let mut rows = Unpacking::new(packed);
            while let Some(mut columns) = rows.row().ok_or_else(misread)? {
                take(&mut columns).ok_or_else(misread)?;
            }
        }
        Ok(())
    }

    /// Room for the rows of an account, if each takes at least so many bytes packed: what grows row
    /// by row is moved again and again.
    pub(super) fn room<T>(&self, account: i64, bytes_each: usize) -> Vec<T> {
        let packed: usize = self.packed.of(account).map(|row| row.0.len() / bytes_each).sum();
        Vec::with_capacity(packed + self.others.of(account).count())
    }

    /// The bytes that it holds.
    pub(super) fn size(&self) -> usize {
        self.packed.size() + self.others.size()
    }
}
