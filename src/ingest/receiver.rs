//! STAND-IN.
use crate::avinode::notification::Route;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;
/// x
#[derive(Debug, Clone)]
pub struct Receiver;
/// x
#[derive(Debug)]
pub struct Arrival {
    /// x
    pub id: Uuid,
    /// x
    pub received_at: DateTime<Utc>,
    /// x
    pub body: Bytes,
    /// x
    pub headers: Vec<(&'static str, String)>,
    /// x
    pub verified_by: String,
    /// x
    pub route: Route,
}
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// x
    Overloaded,
    /// x
    Unavailable,
    /// x
    Draining,
}
impl Receiver {
    /// x
    pub async fn receive(&self, _arrival: Arrival) -> Result<(), NotKept> {
        Err(NotKept::Unavailable)
    }
}
