//! The server of the product without a database: the same router, verification and classification, and a sink in place of the
//! group commit. It runs as a process of its own, as the service does.

use avinode_ingest::avinode::signature::verifier::Verifier;
use avinode_ingest::clock::Clock;
use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::http::limits::{ServerLimits, WebhookLimits};
use avinode_ingest::http::readiness::Readiness;
use avinode_ingest::http::state::{DeliverySink, WebhookState};
use avinode_ingest::http::{router, server};
use avinode_ingest::ingest::memory_budget::MemoryPermit;
use avinode_ingest::ingest::new_delivery::{NewDelivery, ReceiveError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::serve::SECRET;

/// Forgets deliveries.
struct Sink;

impl DeliverySink for Sink {
    fn receive(
        &self,
        _delivery: NewDelivery,
        _memory: MemoryPermit,
    ) -> BoxFuture<'_, std::result::Result<(), ReceiveError>> {
        async { Ok(()) }.boxed()
    }
}

/// Serves until the process is ended.
pub async fn run(port: u16) -> Result<()> {
    let state = WebhookState::shared(
        Verifier::from_settings(Some(SECRET), None)?,
        Sink,
        Clock::System,
        vec!["/webhooks/avinode".to_owned()],
        WebhookLimits::default(),
        Readiness::new(HeartbeatRegistry::new(), Vec::new(), Vec::new()),
    );
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let router = router::router(state, None);
    server::run(listener, router, CancellationToken::new(), ServerLimits::default()).await;
    Ok(())
}
