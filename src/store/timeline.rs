//! The table `timeline`: the history of sessions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::timeline::TimelineEvent;
use crate::postgres::prune_step;
use crate::postgres::prune_step::PruneStep;
use crate::postgres::transaction::{Pool, Transaction};

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
    /// Who made the entry; `None`: the service itself.
    pub actor: Option<Actor>,
}

/// Returns which of these locked sessions have entries of this transaction.
pub async fn sessions_with_new_entries(tx: &mut Transaction<'_>, sessions: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT DISTINCT session_id FROM avinode_ingest.timeline WHERE session_id = ANY ($1) AND recorded_at >= now()",
        sessions
    )
    .fetch_all(tx)
    .await
}

/// Deletes timeline entries that are older than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.timeline", "recorded_at", "true", retention, from).await
}
