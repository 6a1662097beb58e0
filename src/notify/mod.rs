//! Letters to sponsors (整改通知): what they say, and how they are sent.
//!
//! A letter is written once and handed to one [`Channel`]. The ledger's 通知方式 says which: each
//! channel reads from it whether it is meant. To add one: a file with its settings and its
//! `Channel`, and its line in [`Notifier::new`].

mod channel;
mod email;
mod file;
mod letter;
mod robot;
mod settings;

pub use channel::{Channel, Notifier, Route, SendError};
pub use letter::{LetterItem, Written, write_letter};
pub use robot::{
    DingtalkSettings, FeishuSettings, Message, Misread, Notification, RobotError, RobotKind, Robots,
};
pub use settings::{EmailSecurity, EmailSettings, Settings};
