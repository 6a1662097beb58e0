//! The daemon's answers without its work, in a process whose memory can be watched.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use xunjian::app::App;
use xunjian::app::clock::SystemClock;
use xunjian::settings::Settings;

use crate::Place;

/// More accounts than there are: the cap of `/metrics/accounts` is lifted.
const ACCOUNTS_MAX: u32 = 1_000_000;

/// Settings of a daemon on the scratch server.
pub(crate) fn settings(place: &Place) -> Settings {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: place.folder.join("daemon"),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        indices_dir: config.join("indices"),
        calendar_dir: config.join("calendar"),
        rules_dir: config.join("rules"),
        imports_dir: config.join("imports"),
        ..Settings::default()
    };
    settings.database.url.clone_from(&place.url);
    settings.http.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    settings.http.anonymous_loopback = true;
    settings.metrics.accounts_max = ACCOUNTS_MAX;
    // A machine that is shared may take long; what it took is measured.
    settings.http.database_timeout_seconds = 60;
    settings.http.request_timeout_seconds = 120;
    settings
}

/// Answers until the standard input ends; the first line of the output is the address.
pub(crate) async fn serve(place: &Place) -> anyhow::Result<()> {
    let mut app = App::build(&settings(place), Arc::new(SystemClock)).await?;
    app.serve();
    println!("{}", app.address());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await?
        .context("standard input")?;
    Ok(())
}
