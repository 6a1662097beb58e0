//! `xunjian simulate`: the platform simulator alone, for load tests.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::Context;
use crate::app::clock::SystemClock;
use crate::app::lifecycle::{Notice, signals};
use crate::simulator::{City, simulate};

/// Serves a made-up city's platforms on loopback until it is told to stop.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The city is the same for the same seed, number of accounts and starting day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many accounts.
    #[arg(long, default_value_t = 240)]
    accounts: usize,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9612")]
    listen: SocketAddr,
    /// Prints the ledger of the sample city instead of serving one.
    #[arg(long)]
    sample_ledger: bool,
}

pub(super) async fn run(args: Args, _context: &Context) -> anyhow::Result<()> {
    if args.sample_ledger {
        print!("{}", City::sample().ledger_csv());
        return Ok(());
    }
    let stop = CancellationToken::new();
    let mut notices = std::pin::pin!(signals()?);
    let clock = Arc::new(SystemClock);
    let serving = simulate(args.seed, args.accounts, clock, args.listen, stop.clone(), |city| {
        println!("{}", city.address());
        for host in city.city().hosts() {
            println!("{host}");
        }
    });
    let waiting = async {
        while let Some(notice) = notices.next().await {
            if notice == Notice::Stop {
                break;
            }
        }
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serving, waiting);
    Ok(served?)
}
