//! The daemon watches itself through every stage, over its own HTTP and a real database.

use std::path::Path;
use std::sync::Arc;

use xunjian::app::App;
use xunjian::app::clock::SystemClock;
use xunjian::app::lifecycle::Notice;
use xunjian::domain::Clock;
use xunjian::jobs::heartbeat::beat;
use xunjian::jobs::platforms::tell_platforms;
use xunjian::settings::Settings;

use crate::support;

struct Daemon {
    app: App,
    folder: tempfile::TempDir,
}

/// A daemon on a database of its own, with the shipped platform files.
async fn daemon() -> Daemon {
    let (store, database) = support::database().await;
    store.close().await;
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut settings = Settings { data_dir: folder.path().to_owned(), ..Settings::default() };
    settings.database.url = database.url;
    settings.platforms_dir = root.join("config/platforms");
    settings.schemes_dir = root.join("config/schemes");
    settings.http.listen = "127.0.0.1:0".parse().unwrap();
    let app = App::build(&settings, Arc::new(SystemClock)).await.unwrap();
    Daemon { app, folder }
}

/// Beats twice while HTTP answers, then looks around.
#[tokio::test(flavor = "multi_thread")]
async fn a_beat_goes_through_every_stage_and_shows_no_account() {
    let Daemon { app, folder: _folder } = daemon().await;
    let context = app.jobs().clone();
    let (stop, notices) = tokio::sync::oneshot::channel::<()>();
    let notices = Box::pin(futures::stream::once(async move {
        let _ended = notices.await;
        Notice::Stop
    }));
    let mut running = tokio::task::JoinSet::new();
    running.spawn(app.run_until_stopped(notices));
    assert!(!context.metrics.render().contains("xunjian_heartbeat_timestamp_seconds "));
    let began_at = SystemClock.now();
    beat(&context).await.unwrap();
    beat(&context).await.unwrap();
    let page = context.metrics.render();
    let line = page.lines().find(|line| line.starts_with("xunjian_heartbeat_timestamp_seconds "));
    let at: f64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(at >= began_at.timestamp() as f64, "{at}");
    assert!(page.contains(r#"xunjian_fetches_total{outcome="observed",platform="feed"} 0"#));
    let store = &context.store;
    assert_eq!(store.accounts().await.unwrap(), []);
    assert_eq!(store.standings(10, None, None).await.unwrap(), []);
    assert_eq!(store.to_judge(None, SystemClock.now(), 10).await.unwrap(), []);
    assert_eq!(store.due_counts(SystemClock.now()).await.unwrap(), []);
    tell_platforms(&context).await.unwrap();
    assert!(!context.metrics.render().contains("xunjian_platform_up{"));
    stop.send(()).unwrap();
    running.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_fails_is_named_and_the_metric_stays() {
    let Daemon { app, folder: _folder } = daemon().await;
    let context = app.jobs().clone();
    // Nobody answers any more.
    drop(app);
    let error = beat(&context).await.unwrap_err();
    assert_eq!(format!("{error:#}"), "stage fetch: unreachable");
    context.store.close().await;
    let error = format!("{:#}", beat(&context).await.unwrap_err());
    assert!(error.starts_with("stage ledger: "), "{error}");
    assert!(!context.metrics.render().contains("xunjian_heartbeat_timestamp_seconds "));
}
