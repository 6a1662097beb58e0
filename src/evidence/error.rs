use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why evidence could not be written or read.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// Writing would take the room that the database needs.
    #[error("{free} bytes are free, evidence.free_bytes_min keeps {kept} of them for the rest")]
    NoRoom {
        /// Bytes free now.
        free: u64,
        /// Bytes that must stay free.
        kept: u64,
    },
    /// A folder of segments, open or closed.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The worker ended before its work.
    #[error("the evidence writer was cut off")]
    CutOff,
}

impl EvidenceError {
    /// The stable word, as kept with a visit that has no evidence because of it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoRoom { .. } => "no_room",
            Self::Folder { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "disk_full"
            }
            Self::Folder { .. } => "folder_failed",
            Self::CutOff => "cut_off",
        }
    }
}
