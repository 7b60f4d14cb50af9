//! The table `timeline`: the history of sessions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::timeline::TimelineEvent;
use crate::postgres::prune_step;
use crate::postgres::prune_step::PruneStep;
use crate::postgres::transaction::Pool;

/// An event in the timeline of one session.
#[derive(Debug, Clone)]
pub struct TimelineRow {
    /// Locked by this transaction.
    pub session: Uuid,
    /// Higher than all earlier numbers of the session. The number of an event that is left out stays unused.
    pub seq: i64,
    pub event: TimelineEvent,
    /// The delivery that reported the event.
    pub delivery_id: Option<Uuid>,
}

/// Deletes timeline entries that are older than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.timeline", "recorded_at", "true", retention, from).await
}
