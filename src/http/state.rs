//! State shared by the handlers of the webhook and health endpoints.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::FromRef;
use futures_util::future::BoxFuture;

use super::limits::WebhookLimits;
use super::peer_bodies::PeerBodies;
use super::readiness::Readiness;
use super::rejection_log::RejectionLog;
use super::rejection_sample::RejectionSample;
use super::reloadable::Reloadable;
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::ingest::group_commit::Receiver;
use crate::ingest::memory_budget::{MemoryBudget, MemoryPermit};
use crate::ingest::new_delivery::{NewDelivery, ReceiveError};

/// Stores verified deliveries. A trait only so that the endpoint can be tested without a database.
pub trait DeliverySink: Send + Sync + 'static {
    /// Stores a delivery, also if the future is dropped after its first poll. `Ok` means that it is durable.
    fn receive(&self, delivery: NewDelivery, memory: MemoryPermit) -> BoxFuture<'_, Result<(), ReceiveError>>;
}

impl DeliverySink for Receiver {
    fn receive(&self, delivery: NewDelivery, memory: MemoryPermit) -> BoxFuture<'_, Result<(), ReceiveError>> {
        Box::pin(Receiver::receive(self, delivery, memory))
    }
}

/// The handlers' state; clones share it.
pub type AppState = Arc<WebhookState>;

pub struct WebhookState {
    pub verifier: Reloadable<Verifier>,
    pub receiver: Box<dyn DeliverySink>,
    pub clock: Clock,
    /// Paths of the webhook endpoint.
    pub paths: Vec<String>,
    pub limits: WebhookLimits,
    /// Memory for the bodies of deliveries.
    pub memory: MemoryBudget,
    /// The share of each client in bodies that are not verified.
    pub unfinished: PeerBodies,
    pub rejections: RejectionLog,
    /// Refused requests to store.
    pub sample: Arc<RejectionSample>,
    /// Deliveries that were answered 503.
    pub refused: Arc<AtomicU64>,
    pub readiness: Readiness,
}

impl WebhookState {
    pub fn shared(
        verifier: impl Into<Reloadable<Verifier>>,
        receiver: impl DeliverySink,
        clock: Clock,
        paths: Vec<String>,
        limits: WebhookLimits,
        readiness: Readiness,
    ) -> AppState {
        Arc::new(Self {
            verifier: verifier.into(),
            receiver: Box::new(receiver),
            clock,
            paths,
            memory: MemoryBudget::new(limits.memory),
            unfinished: PeerBodies::new(limits.bodies_per_client, limits.memory / 2),
            rejections: RejectionLog::default(),
            sample: Arc::default(),
            refused: Arc::default(),
            limits,
            readiness,
        })
    }
}

impl FromRef<AppState> for Readiness {
    fn from_ref(state: &AppState) -> Self {
        state.readiness.clone()
    }
}
