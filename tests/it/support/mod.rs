//! What integration tests share.

mod command;
mod postgres;

pub(crate) use command::{Said, program, run};
pub(crate) use postgres::{Database, OwnServer, database, empty_database, private_url, secrets};
