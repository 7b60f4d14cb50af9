//! What the handlers share, behind one `Arc`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use futures_util::future::BoxFuture;

use super::memory_budget::MemoryBudget;
use super::readiness::Readiness;
use super::rejection_log::RejectionLog;
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::ingest::group_commit::{NewDelivery, ReceiveError, Receiver};

/// Where verified deliveries go. A trait for one reason: the tests of every answer need no database.
pub trait DeliverySink: Send + Sync + 'static {
    /// Keeps a delivery; `Ok` means that it is durable.
    fn receive(&self, arrival: NewDelivery) -> BoxFuture<'_, Result<(), ReceiveError>>;
}

impl DeliverySink for Receiver {
    fn receive(&self, arrival: NewDelivery) -> BoxFuture<'_, Result<(), ReceiveError>> {
        Box::pin(Receiver::receive(self, arrival))
    }
}

/// What the webhook takes at most.
#[derive(Debug, Clone)]
pub struct WebhookLimits {
    /// Bytes of one body.
    pub body: usize,
    /// Time for one body to come.
    pub body_time: Duration,
    /// Bytes of all bodies that are being read or kept.
    pub memory: usize,
    /// Lines about refusals a second.
    pub refusals_logged: u32,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            body: 256 * 1024,
            body_time: Duration::from_secs(10),
            memory: 64 * 1024 * 1024,
            refusals_logged: 10,
        }
    }
}

/// The handlers' state.
#[derive(Clone)]
pub struct AppState(Arc<AppShared>);

/// What [`AppState`] holds.
pub struct AppShared {
    /// Proves the sender.
    pub verifier: Verifier,
    /// Keeps deliveries. Shared with the tasks that outlive a request.
    pub receiver: Arc<dyn DeliverySink>,
    /// Tells when a delivery was received.
    pub clock: Clock,
    /// What is taken at most.
    pub limits: WebhookLimits,
    /// The memory that bodies share.
    pub memory: MemoryBudget,
    /// Where refusals are logged.
    pub refusals: RejectionLog,
    /// Asked by `/readyz`, told by the shutdown.
    pub readiness: Readiness,
}

impl AppState {
    /// The state of one process.
    pub fn new(
        verifier: Verifier,
        receiver: impl DeliverySink,
        clock: Clock,
        limits: WebhookLimits,
        readiness: Readiness,
    ) -> Self {
        Self(Arc::new(AppShared {
            verifier,
            receiver: Arc::new(receiver),
            clock,
            memory: MemoryBudget::new(limits.memory),
            refusals: RejectionLog::new(limits.refusals_logged),
            limits,
            readiness,
        }))
    }
}

impl std::ops::Deref for AppState {
    type Target = AppShared;

    fn deref(&self) -> &AppShared {
        &self.0
    }
}

impl FromRef<AppState> for Readiness {
    fn from_ref(state: &AppState) -> Self {
        state.readiness.clone()
    }
}
