//! What integration tests share.

mod postgres;

pub(crate) use postgres::{database, empty_database};
