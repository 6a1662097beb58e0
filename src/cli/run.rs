//! `xunjian run`: the daemon.

use std::sync::Arc;

use super::Context;
use crate::app::clock::SystemClock;
use crate::app::lifecycle::signals;
use crate::app::{App, systemd};

/// Runs the daemon until it is told to stop.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    let notices = signals()?;
    let mut app = App::build(&settings, Arc::new(SystemClock)).await?;
    if settings.fetch.contact.is_empty() {
        tracing::warn!(
            "fetch.contact is empty: public hosts are not asked until they can reach you"
        );
    }
    app.serve();
    app.work().start();
    systemd::accompany(&app);
    tracing::info!(address = %app.address(), "ready");
    app.run_until_stopped(notices).await
}
