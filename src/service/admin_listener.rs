//! The admin listener: health checks, metrics and the console.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::settings::ServiceSettings;
use crate::http::console::state::Console;
use crate::http::limits::ServerLimits;
use crate::http::readiness::Readiness;
use crate::http::router;
use crate::http::server::{self, ShutdownReport};
use crate::http::v1::state::ApiState;

/// Connections of the listener: streams of the console, its pages, and health checks.
const CONNECTIONS: usize = 128;

/// Serves with connections of its own, until the end: it answers while the main listener is full, or drains.
pub(super) fn spawn(
    listener: TcpListener,
    readiness: &Readiness,
    settings: &ServiceSettings,
    api: ApiState,
) -> JoinHandle<ShutdownReport> {
    let limits = ServerLimits {
        connections: CONNECTIONS,
        connections_per_peer: CONNECTIONS,
        ..settings.server.clone()
    };
    let console = Console::shared(
        api,
        settings.server.proxies.clone(),
        settings.console_user.clone(),
        settings.checks(),
        settings.clock,
    );
    let router = router::admin(readiness.clone(), settings.metrics.clone(), console);
    tokio::spawn(server::run(listener, router, CancellationToken::new(), limits))
}
