//! Ports and the servers on them, until the process is asked to stop.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vestibule_web::ClientAddress;

/// How long requests that are under way may take to finish after the signal.
const GRACE: Duration = Duration::from_secs(5);

/// Takes a port. `what` names the server and `flag` the way out, should it be taken.
pub(crate) async fn bind(address: SocketAddr, what: &str, flag: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{what} cannot listen on {address} (another address: {flag} ADDRESS)"))
}

/// The origin of a listener as browsers should see it: `localhost` for loopback, so that all of a demo is one site
/// with cookies that work over http.
pub(crate) fn origin(listener: &TcpListener) -> Result<String> {
    let address = listener.local_addr().context("the listener has no address")?;
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        return Ok(format!("http://localhost:{}", address.port()));
    }
    Ok(format!("http://{address}"))
}

/// Servers that stop together.
pub(crate) struct Servers {
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Servers {
    pub(crate) fn new() -> Self {
        Self { stop: watch::Sender::new(false), running: Vec::new() }
    }

    /// Serves `router` from now on.
    pub(crate) fn start(&mut self, listener: TcpListener, router: Router) {
        let mut stop = self.stop.subscribe();
        // An answer is written whole: waiting to fill a packet only delays it.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let service = router.layer(map_request(peer)).into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
        self.running.push(tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "a server ended");
            }
        }));
    }

    /// Serves until SIGINT or SIGTERM, then lets requests finish for [`GRACE`].
    pub(crate) async fn until_signal(self) -> Result<()> {
        signal().await?;
        tracing::info!("stopping");
        self.stop.send_replace(true);
        let finished = async {
            for server in self.running {
                let _ = server.await;
            }
        };
        if tokio::time::timeout(GRACE, finished).await.is_err() {
            tracing::warn!("requests were cut off");
        }
        Ok(())
    }
}

/// Whoever opened the connection.
async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(ClientAddress(peer.ip().to_string()));
    request
}

/// Returns when the process is asked to stop.
pub(crate) async fn signal() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("signals cannot be watched")?;
        tokio::select! {
            interrupt = tokio::signal::ctrl_c() => interrupt.context("signals cannot be watched"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("signals cannot be watched")
}
