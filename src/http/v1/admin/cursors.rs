//! The positions that cursors of these lists hold.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::http::v1::cursor::CursorKey;
use crate::queue::admin::JobPosition;

/// The page begins before this delivery.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryCursor(pub Uuid);

impl CursorKey for DeliveryCursor {
    const LIST: &'static str = "deliveries";
}

/// The page begins after this job.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobCursor(pub JobPosition);

impl CursorKey for JobCursor {
    const LIST: &'static str = "jobs";
}

/// The page begins before this batch.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchCursor(pub Uuid);

impl CursorKey for BatchCursor {
    const LIST: &'static str = "batches";
}

/// The page begins before this row of the audit log.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditCursor(pub i64);

impl CursorKey for AuditCursor {
    const LIST: &'static str = "audit";
}

/// The page begins before this document.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentCursor(pub i64);

impl CursorKey for DocumentCursor {
    const LIST: &'static str = "documents";
}
