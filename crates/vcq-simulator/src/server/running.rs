//! Starts and stops the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::handler::{Shared, handle};
use super::listener::{ConnectionReset, ResettableListener};
use super::{LIST_ENDPOINTS, OPTIONAL_ENDPOINTS, Options, Stats};
use crate::model::Tenant;

/// The key by which a store app names the only tenant of a server.
pub const TENANT_KEY: &str = "73658811060f175d";

/// Why the server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("the simulator listens on loopback addresses only, not on {address}")]
    NotLoopback { address: SocketAddr },
    #[error("the simulator could not listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// A running server. Dropping it stops it without waiting; [`RunningServer::shutdown`] waits.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Serves a tenant until the returned value is shut down or dropped. Must be called within a tokio runtime.
pub async fn serve(tenant: impl Into<Arc<Tenant>>, options: Options) -> Result<RunningServer, SimulatorError> {
    serve_tenants(vec![(TENANT_KEY.to_owned(), tenant.into())], options).await
}

/// The same for the tenants that have installed a store app, at least one, with their keys.
pub async fn serve_tenants(
    tenants: Vec<(String, Arc<Tenant>)>,
    options: Options,
) -> Result<RunningServer, SimulatorError> {
    let address = options.bind;
    if !address.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback { address });
    }
    let failed = |source| SimulatorError::Listen { address, source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopping) = watch::channel(false);
    let shared = Arc::new(Shared::new(tenants, options, stopping));
    let routes = Router::new().fallback(handle).with_state(Arc::clone(&shared));
    let service = routes.into_make_service_with_connect_info::<ConnectionReset>();
    let mut stopped = stop.subscribe();
    let server = tokio::spawn(async move {
        let until = async move {
            // An error means that the sender was dropped, which stops the server too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        // Never an error: axum retries `accept`.
        let _ = axum::serve(ResettableListener(listener), service).with_graceful_shutdown(until).await;
    });
    Ok(RunningServer { address, shared, stop, server })
}

impl RunningServer {
    /// The origin of the API, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn app_id(&self) -> String {
        self.shared.state().options.app_id.clone()
    }

    pub fn app_secret(&self) -> String {
        self.shared.state().options.app_secret.clone()
    }

    pub fn tenant(&self) -> &Tenant {
        self.shared.first()
    }

    pub fn stats(&self) -> Stats {
        let state = self.shared.state();
        let mut stats = state.stats.clone();
        for endpoint in LIST_ENDPOINTS.iter().chain(OPTIONAL_ENDPOINTS) {
            stats.peak_calls_in_window.insert(
                *endpoint,
                state.limiters.iter().map(|of| of[*endpoint as usize].peak).max().unwrap_or_default(),
            );
        }
        stats
    }

    /// Clears the counts and the log; limits and tokens are kept.
    pub fn reset_stats(&self) {
        self.shared.state().stats = Stats::default();
    }

    pub fn options(&self) -> Options {
        Options::clone(&self.shared.state().options)
    }

    /// Changes the options from the next call on and restarts the counts of faults. `bind` has no effect.
    pub fn set_options(&self, options: Options) {
        self.shared.set_options(options);
    }

    /// Invalidates all tokens: the next call with one fails with 99991663.
    pub fn revoke_tokens(&self) {
        self.shared.state().grants.tenants.revoke_all();
    }

    /// Stops listening, lets calls in progress finish for five seconds, and ends.
    pub async fn shutdown(mut self) {
        // Without a receiver, the server has ended already.
        let _ = self.stop.send(true);
        if tokio::time::timeout(Duration::from_secs(5), &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}
