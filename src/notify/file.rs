use std::io::Write;
use std::path::PathBuf;

use futures::future::BoxFuture;

use super::channel::{Channel, SendError};
use super::letter::Written;

/// Letters as text files, to be printed and handed over by a person.
pub(super) struct Printed {
    folder: PathBuf,
}

impl Printed {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whole or not at all, so that a second attempt leaves one letter.
    fn put(&self, letter: &Written) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let name = format!("{}-{}.txt", letter.day, letter.key);
        let draft = self.folder.join(format!(".{name}"));
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(letter.subject.as_bytes())?;
        file.write_all(b"\n\n")?;
        file.write_all(letter.body.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(draft, self.folder.join(name))
    }
}

impl Channel for Printed {
    fn word(&self) -> &'static str {
        "file"
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn address(&self, _notify: Option<&str>) -> Option<String> {
        Some("print".to_owned())
    }

    fn send<'a>(
        &'a self,
        _address: &'a str,
        letter: &'a Written,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            // A few kilobytes onto a disk of this machine.
            self.put(letter).map_err(|error| {
                SendError::Temporary(format!("{}: {error}", self.folder.display()))
            })
        })
    }
}
