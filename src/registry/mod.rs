//! The office's ledger: reading, comparing, auditing, writing.
