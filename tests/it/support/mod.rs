//! What integration tests share.

mod browser;
mod command;
mod mailbox;
mod postgres;
mod receiver;
mod shipped;
mod watching;

pub(crate) use browser::Browser;
pub(crate) use command::{Said, program, run};
pub(crate) use mailbox::Mailbox;
pub(crate) use postgres::{Database, OwnServer, database, empty_database, private_url, secrets};
pub(crate) use receiver::Receiver;
pub(crate) use shipped::shipped;
pub(crate) use watching::watching;
