//! `xunjian evidence`: the records behind a finding, and whether anything was altered.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Context, Misused};
use crate::domain::{RecordKey, SHANGHAI, Sha256Digest, shanghai_midnight};
use crate::evidence::bundle::{self, Verified};
use crate::evidence::{Vault, read_all};
use crate::jobs::evidence::{Selection, StoreReport, export, verify_store};
use crate::store::{EvidenceRow, PinHolder, Store};

/// A larger file is no bundle, in bytes.
const BUNDLE_BYTES_MAX: u64 = 2 << 30;

/// Shows, exports and verifies the answers that verdicts rest on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows the records that a finding has pinned, or one record.
    Show {
        /// The number of a finding, or the name of a record (`urn:uuid:…`).
        what: String,
        /// Writes the WARC records themselves to stdout.
        #[arg(long)]
        raw: bool,
    },
    /// Writes records with their proofs into one file that verifies anywhere.
    Export {
        /// Everything that this finding has pinned.
        #[arg(long, value_name = "ID", conflicts_with_all = ["account", "from", "to"])]
        finding: Option<i64>,
        /// 账号编号; with --from and --to.
        #[arg(long, value_name = "KEY", requires = "from", requires = "to")]
        account: Option<String>,
        /// First day (Asia/Shanghai) or instant (RFC 3339).
        #[arg(long, value_name = "WHEN", value_parser = first_instant)]
        from: Option<DateTime<Utc>>,
        /// Last day, the whole of it, or the instant after the last.
        #[arg(long, value_name = "WHEN", value_parser = end_instant)]
        to: Option<DateTime<Utc>>,
        /// The file to write; one that is there is left alone.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verifies a bundle, with nothing else at hand; without one, the local store.
    Verify {
        /// The bundle.
        bundle: Option<PathBuf>,
        /// A chain value as printed in a bulletin, which the bundle's chain must hold.
        #[arg(long, value_name = "HEX", requires = "bundle")]
        chain: Option<Sha256Digest>,
    },
}

fn first_instant(text: &str) -> Result<DateTime<Utc>, String> {
    instant(text, 0)
}

fn end_instant(text: &str) -> Result<DateTime<Utc>, String> {
    instant(text, 1)
}

fn instant(text: &str, days_on: u64) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = day.checked_add_days(Days::new(days_on)).ok_or("beyond the calendar")?;
        return Ok(shanghai_midnight(day));
    }
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed.map(Into::into).map_err(|_| "neither a day (2026-11-27) nor RFC 3339".to_owned())
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    // A bundle is verified without settings: they may not be at hand.
    if let Command::Verify { bundle: Some(path), chain } = &args.command {
        return verify_bundle(path, *chain);
    }
    let settings = context.settings()?;
    context.with_jobs(&settings, async |jobs| with_store(args.command, jobs).await).await
}

async fn with_store(command: Command, jobs: &crate::jobs::Context) -> anyhow::Result<()> {
    let vault = jobs.evidence.as_ref();
    let vault = vault.map_err(|reason| anyhow::anyhow!("evidence cannot be read: {reason}"))?;
    let store = &jobs.store;
    match command {
        Command::Show { what, raw } => show(store, vault, &what, raw).await,
        Command::Export { finding, account, from, to, out } => {
            let selection = match (finding, account, from, to) {
                (Some(number), ..) => Selection::Finding(number),
                (None, Some(key), Some(from), Some(to)) => Selection::Account { key, from, to },
                _ => {
                    let reason = "name --finding ID, or --account KEY with --from and --to";
                    return Err(Misused(reason.to_owned()).into());
                }
            };
            let bytes = export(store, vault, &selection, jobs.clock.now()).await?;
            // What would not verify elsewhere is not handed out.
            let verified = bundle::verify(&bytes).map_err(anyhow::Error::msg)?;
            write_new(&out, &bytes).with_context(|| out.display().to_string())?;
            tell_bundle(&verified);
            Ok(())
        }
        Command::Verify { .. } => tell_store(&verify_store(store, vault, jobs.clock.now()).await?),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

async fn show(store: &Store, vault: &Vault, what: &str, raw: bool) -> anyhow::Result<()> {
    let ids = match (what.parse::<i64>(), what.parse::<RecordKey>()) {
        (Ok(finding), _) => store.pinned_evidence(PinHolder::Finding(finding)).await?,
        (_, Ok(name)) => store.evidence_named(name).await?.into_iter().collect(),
        _ => {
            let reason = format!("{what:?} is neither a finding's number nor a record's name");
            return Err(Misused(reason).into());
        }
    };
    ensure!(!ids.is_empty(), "no evidence is kept under {what}");
    for row in store.evidence_rows(&ids).await? {
        let range = row.offset..row.offset + row.length;
        let bytes = match row.dropped {
            true => None,
            false => vault.read(&row.segment, Some(range)).await?,
        };
        if raw {
            let bytes = bytes.with_context(|| format!("{}: its bytes are gone", row.record))?;
            io::stdout().lock().write_all(&bytes)?;
        } else {
            describe(&row, bytes.as_deref())?;
        }
    }
    Ok(())
}

/// One record for people: what the database knows, then what the record says of itself.
fn describe(row: &EvidenceRow, bytes: Option<&[u8]>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let local = |at: DateTime<Utc>| at.with_timezone(&SHANGHAI).to_rfc3339();
    writeln!(out, "{}", row.record)?;
    writeln!(out, "  {} ({}), {} bytes", row.form.as_str(), row.class.as_str(), row.length)?;
    if let (Some(account), Some(page), Some(at)) = (&row.account, &row.page, row.visited_at) {
        writeln!(out, "  account {account}, page {page}, visited {}", local(at))?;
    }
    writeln!(out, "  leaf {}", row.leaf)?;
    match row.leaf_of {
        Some((day, index)) => writeln!(out, "  leaf {index} of {day}")?,
        None => writeln!(out, "  its day is not sealed yet")?,
    }
    let Some(bytes) = bytes else {
        writeln!(
            out,
            "  its bytes are not here: {}",
            if row.dropped { "dropped" } else { "elsewhere" }
        )?;
        return Ok(());
    };
    let read = read_all(bytes).map_err(|(at, reason)| anyhow::anyhow!("byte {at}: {reason}"))?;
    for placed in read {
        let record = placed.record;
        let field = |name| record.field(name).unwrap_or("-");
        writeln!(out, "  {} {}", field("WARC-Type"), field("WARC-Target-URI"))?;
        if field("Content-Type") == "application/warc-fields" {
            let text = String::from_utf8_lossy(&record.block).into_owned();
            text.lines().try_for_each(|line| writeln!(out, "    {line}"))?;
        }
    }
    Ok(())
}

fn verify_bundle(path: &Path, chain: Option<Sha256Digest>) -> anyhow::Result<()> {
    let shown = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(shown)?;
    file.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(shown)?;
    ensure!(bytes.len() as u64 <= BUNDLE_BYTES_MAX, "{}: too large for a bundle", shown());
    let verified = bundle::verify(&bytes).map_err(anyhow::Error::msg).with_context(shown)?;
    if let Some(chain) = chain.filter(|chain| !verified.chain.contains(chain)) {
        bail!("{}: the chain value {chain} is not in its chain", shown());
    }
    tell_bundle(&verified);
    Ok(())
}

fn tell_bundle(verified: &Verified) {
    println!("{}: {} records, all as they were recorded", verified.about, verified.records);
    if verified.dropped > 0 {
        println!("{} more were dropped by retention; their leaves stand", verified.dropped);
    }
    if verified.missing > 0 {
        println!("{} visits left no evidence; the manifest says why", verified.missing);
    }
    if verified.unsealed > 0 {
        println!("{} records are not chained yet: their day is not sealed", verified.unsealed);
    }
    if let Some((day, chain)) = verified.newest {
        println!("chain of {day}: {chain}");
    }
}

fn tell_store(report: &StoreReport) -> anyhow::Result<()> {
    for defect in &report.defects {
        eprintln!("{defect}");
    }
    println!("{} days sealed, {} leaves", report.days, report.leaves);
    println!("{} records in {} segments read", report.records, report.segments);
    if report.unreferenced > 0 {
        println!("{} records that no visit refers to", report.unreferenced);
    }
    for segment in &report.elsewhere {
        println!("{segment}: still being written on another machine, not read");
    }
    match report.newest {
        Some((day, chain)) => println!("chain of {day}: {chain}"),
        None => println!("no day is sealed yet"),
    }
    ensure!(report.defects.is_empty(), "{} things do not hold", report.defects.len());
    Ok(())
}
