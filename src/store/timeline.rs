//! The table `timeline`: the history of sessions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::timeline::TimelineEvent;
use crate::postgres::columns::column;
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
}

/// Appends rows. An event is left out if the session's timeline already has its dedup key, so appending is idempotent.
pub async fn append(tx: &mut Transaction<'_>, rows: &[TimelineRow]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.timeline (session_id, seq, happened_at, kind, dedup_key, delivery_id, detail)
        SELECT session_id, seq, happened_at, kind, dedup_key, delivery_id, detail
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::jsonb[])
            AS new (session_id, seq, happened_at, kind, dedup_key, delivery_id, detail)
        ORDER BY session_id, seq
        ON CONFLICT (session_id, dedup_key) DO NOTHING
        "#,
        &column(rows, |row| row.session),
        &column(rows, |row| row.seq),
        &column(rows, |row| row.event.at) as &[Option<DateTime<Utc>>],
        &column(rows, |row| row.event.kind.as_str()) as &[&str],
        &column(rows, |row| row.event.dedup_key.as_str()) as &[&str],
        &column(rows, |row| row.delivery_id) as &[Option<Uuid>],
        &column(rows, |row| row.event.detail.clone()),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes timeline entries that are older than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.timeline", "recorded_at", "true", retention, from).await
}
