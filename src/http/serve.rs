use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::access::Peer;
use super::settings::Settings;
use super::site::Site;

/// Rest after a failed accept, which usually means that file descriptors have run out.
const ACCEPT_REST: Duration = Duration::from_millis(200);

/// Why the pages cannot be served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Others could reach the address, and there is nothing to tell friend from stranger.
    #[error(
        "http.listen = {0} can be reached from outside and no token is valid; give one out \
         (`xunjian token create`) or use a loopback address such as 127.0.0.1:9611"
    )]
    NoToken(SocketAddr),
    /// The address is taken or not ours.
    #[error("http.listen = {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

/// Opens the address of the settings. Whether it may be answered on, [`may_answer`] says.
pub async fn bind(settings: &Settings) -> Result<TcpListener, ServeError> {
    let address = settings.listen;
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}

/// Answers until `shutdown` completes, then lets answers under way end, for at most the time one
/// request may take.
///
/// # Errors
/// [`ServeError::Bind`] where the listener has no address.
pub async fn serve(
    listener: TcpListener,
    site: Site,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let address = site.settings.listen;
    listener.local_addr().map_err(|source| ServeError::Bind { address, source })?;
    let settings = site.settings.clone();
    let router = site.router();
    let stop = CancellationToken::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => log_panic(ended),
            accepted = listener.accept(), if connections.len() < settings.connections_max => {
                match accepted {
                    Ok((stream, peer)) => {
                        let router = router.clone().layer(Extension(Peer(peer)));
                        let answered = converse(stream, router, settings.clone(), stop.clone());
                        connections.spawn(answered);
                    }
                    Err(error) => {
                        warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_REST).await;
                    }
                }
            }
        }
    }
    drop(listener);
    stop.cancel();
    let patience = Duration::from_secs(settings.request_timeout_seconds);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    };
    // What has not ended by then is dropped with the set.
    let _ = tokio::time::timeout(patience, drained).await;
    Ok(())
}

/// Refuses an address that others can reach while no token is valid: nobody could be let in.
///
/// # Errors
/// [`ServeError::NoToken`].
pub fn may_answer(address: SocketAddr, has_token: bool) -> Result<(), ServeError> {
    let may = has_token || address.ip().is_loopback();
    if may { Ok(()) } else { Err(ServeError::NoToken(address)) }
}

async fn converse(stream: TcpStream, router: Router, settings: Settings, stop: CancellationToken) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(settings.request_timeout_seconds))
            .max_header_size(settings.header_bytes_max)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a connection's task failed");
    }
}
