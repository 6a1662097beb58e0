//! `xunjian backup`: the whole state in one file.

use std::path::PathBuf;
use std::sync::Arc;

use super::Context;
use crate::app::backup::{BackupOptions, back_up};
use crate::app::clock::SystemClock;

/// Writes the whole state into one file: database, evidence, and on demand the key.
///
/// A running daemon is not disturbed; the file holds the state of the instant it was begun at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write; one that is there is left alone.
    file: PathBuf,
    /// Puts `installation.key` into the file: whoever has the file can then read what the ledger
    /// says of persons.
    #[arg(long)]
    with_key: bool,
    /// Leaves out evidence that cannot be read, and lists it, instead of failing.
    #[arg(long)]
    incomplete: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    let Args { file, with_key, incomplete } = args;
    let options = BackupOptions { with_key, incomplete };
    let made = back_up(&settings, Arc::new(SystemClock), &file, options).await?;
    for missing in &made.missing {
        eprintln!("not in it: {}: {}", missing.segment, missing.reason);
    }
    if !with_key {
        let key = settings.data_dir.join("installation.key");
        eprintln!(
            "{} is not in it; keep a copy elsewhere: without it nobody can read what the ledger \
             says of persons",
            key.display()
        );
    }
    println!(
        "{}: schema {}, {} rows of {} tables, {} segments of evidence",
        file.display(),
        made.schema,
        made.rows,
        made.tables,
        made.segments
    );
    println!("digest {}", made.digest);
    Ok(())
}
