//! A verified delivery that is not stored yet, and the reasons for which it may not be stored.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::avinode::notification::DeliveryKind;

/// A verified delivery on its way to the database.
#[derive(Debug)]
pub struct NewDelivery {
    /// UUIDv7, returned to the sender.
    pub id: Uuid,
    /// Time at which the body was complete.
    pub received_at: DateTime<Utc>,
    /// The exact bytes of the body.
    pub body: Bytes,
    /// Headers of the allow list.
    pub headers: Vec<(&'static str, String)>,
    /// Scheme and ordinal of the secret that verified the sender.
    pub verified_by: String,
    pub route: DeliveryKind,
}

/// Why a delivery was not stored. The sender gets 503 and sends the delivery again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    #[error("the receive queue is full")]
    Overloaded,
    /// The commit failed, or its result is unknown.
    #[error("the database did not confirm the commit")]
    Unavailable,
    #[error("the process is shutting down")]
    Draining,
}
