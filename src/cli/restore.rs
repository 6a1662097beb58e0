//! `xunjian restore`: a backup in the place of these settings.

use std::path::PathBuf;

use super::Context;
use crate::app::backup::{RestoreOptions, restore};
use crate::archive::Checked;
use crate::domain::Sha256Digest;

/// Puts a backup into an empty database and its evidence into place; no daemon may run there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file that `xunjian backup` wrote.
    file: PathBuf,
    /// Only looks whether the file is whole, and says what it is; needs nothing else.
    #[arg(long, conflicts_with_all = ["replace", "without_key"])]
    check: bool,
    /// Takes the place of what is there.
    #[arg(long)]
    replace: bool,
    /// Goes on without the key it was made under: what the ledger says of persons is lost.
    #[arg(long)]
    without_key: bool,
    /// The digest that was printed when it was made.
    #[arg(long, value_name = "HEX")]
    digest: Option<Sha256Digest>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    if args.check {
        let checked = Checked::open(&args.file)?;
        if let Some(wanted) = args.digest.filter(|wanted| *wanted != checked.digest) {
            anyhow::bail!("its digest is {}, not {wanted}", checked.digest);
        }
        tell(&checked);
        return Ok(());
    }
    let settings = context.settings()?;
    let Args { file, replace, without_key, digest, .. } = args;
    let options = RestoreOptions { replace, without_key, digest };
    let (restored, differences) = restore(&settings, &file, options).await?;
    for difference in differences {
        eprintln!("configuration: {difference}");
    }
    println!("{} rows and {} segments of evidence restored", restored.rows, restored.segments);
    println!("now run: xunjian evidence verify");
    Ok(())
}

fn tell(checked: &Checked) {
    let head = &checked.head;
    let rows: u64 = checked.tail.rows.iter().map(|one| one.rows).sum();
    println!("made {} by {} on Postgres {}", head.made_at, head.software, head.postgres);
    println!("schema {}, {rows} rows of {} tables", head.schema, head.tables.len());
    let key = if head.key_inside { "inside" } else { "not inside" };
    println!("key {} ({key})", head.key);
    for missing in &checked.tail.missing {
        println!("not in it: {}: {}", missing.segment, missing.reason);
    }
    println!("digest {}", checked.digest);
}
