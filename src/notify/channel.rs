use std::path::Path;

use futures::future::BoxFuture;
use thiserror::Error;

use super::email::Email;
use super::file::Printed;
use super::letter::Written;
use super::settings::Settings;

/// Why a letter was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// The same attempt may succeed later.
    #[error("{0}")]
    Temporary(String),
    /// It never will: a wrong address, a refused sender.
    #[error("{0}")]
    Permanent(String),
}

/// A way to send letters.
pub trait Channel: Send + Sync {
    /// The stable word, in the database and in metrics.
    fn word(&self) -> &'static str;

    /// Whether sending the same letter again leaves one letter only, so that an attempt of which
    /// nobody knows how it ended may be made again.
    fn is_repeatable(&self) -> bool;

    /// The address, where the ledger's 通知方式 means this channel and it can be used.
    fn address(&self, notify: Option<&str>) -> Option<String>;

    /// Sends a letter.
    fn send<'a>(
        &'a self,
        address: &'a str,
        letter: &'a Written,
    ) -> BoxFuture<'a, Result<(), SendError>>;
}

/// Where a letter goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The word of the channel.
    pub channel: &'static str,
    /// The address on it.
    pub address: String,
}

/// Every channel that is set up.
pub struct Notifier {
    channels: Vec<Box<dyn Channel>>,
}

impl Notifier {
    /// The channels of these settings, the printed letter last: it takes whatever no other does.
    ///
    /// # Errors
    /// A channel that cannot be set up, in words.
    pub fn new(settings: &Settings, data_dir: &Path) -> Result<Self, String> {
        let mut channels: Vec<Box<dyn Channel>> = Vec::new();
        if let Some(email) = Email::new(&settings.email)? {
            channels.push(Box::new(email));
        }
        let folder = match settings.letters_dir.as_os_str().is_empty() {
            true => data_dir.join("letters"),
            false => settings.letters_dir.clone(),
        };
        channels.push(Box::new(Printed::new(folder)));
        Ok(Self { channels })
    }

    /// Where a letter for this 通知方式 goes.
    pub fn route(&self, notify: Option<&str>) -> Route {
        let found = self.channels.iter().find_map(|channel| {
            Some(Route { channel: channel.word(), address: channel.address(notify)? })
        });
        found.expect("the printed letter takes every address")
    }

    /// The words of all channels.
    pub fn words(&self) -> Vec<&'static str> {
        self.channels.iter().map(|channel| channel.word()).collect()
    }

    /// The words of the channels that may send the same letter again.
    pub fn repeatable(&self) -> Vec<String> {
        let repeatable = self.channels.iter().filter(|channel| channel.is_repeatable());
        repeatable.map(|channel| channel.word().to_owned()).collect()
    }

    /// Sends a letter on the channel of this word, to the address that the 通知方式 says now.
    ///
    /// # Errors
    /// The channel is not set up any more, the address is gone, or sending failed.
    pub async fn send(
        &self,
        channel: &str,
        notify: Option<&str>,
        letter: &Written,
    ) -> Result<(), SendError> {
        let Some(found) = self.channels.iter().find(|one| one.word() == channel) else {
            return Err(SendError::Temporary(format!("channel {channel} is not set up")));
        };
        let Some(address) = found.address(notify) else {
            return Err(SendError::Permanent(format!("no address for channel {channel}")));
        };
        found.send(&address, letter).await
    }
}
