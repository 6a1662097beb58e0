use chrono::NaiveDate;

use crate::domain::EvidenceClass;

/// Where one capture came to lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The segment's name.
    pub segment: String,
    /// Its day (Asia/Shanghai).
    pub day: NaiveDate,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// A closed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its name.
    pub name: String,
    /// The class of its records.
    pub class: EvidenceClass,
    /// Its day (Asia/Shanghai).
    pub day: NaiveDate,
}
