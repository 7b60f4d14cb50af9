//! Timelines: what happened to a session, a line once.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::trip::TimelineEvent;
use crate::postgres::transaction::Transaction;

/// A line for a session's timeline.
#[derive(Debug, Clone)]
pub struct TimelineRow {
    /// `chat_sessions.id`, locked by this transaction.
    pub session: Uuid,
    /// Its number, above all earlier ones; numbers of lines that were there already are left out.
    pub seq: i64,
    /// What happened.
    pub happening: TimelineEvent,
    /// The delivery that told.
    pub delivery_id: Option<Uuid>,
}

/// Appends lines. One with a cause that the session's timeline has already is left out, which makes it idempotent.
pub async fn append(tx: &mut Transaction<'_>, lines: &[TimelineRow]) -> Result<(), sqlx::Error> {
    let sessions: Vec<Uuid> = lines.iter().map(|line| line.session).collect();
    let seqs: Vec<i64> = lines.iter().map(|line| line.seq).collect();
    let at: Vec<Option<DateTime<Utc>>> = lines.iter().map(|line| line.happening.at).collect();
    let kinds: Vec<String> = lines.iter().map(|line| line.happening.kind.to_owned()).collect();
    let causes: Vec<String> = lines.iter().map(|line| line.happening.cause.clone()).collect();
    let deliveries: Vec<Option<Uuid>> = lines.iter().map(|line| line.delivery_id).collect();
    let details: Vec<Value> = lines.iter().map(|line| line.happening.detail.clone()).collect();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.timeline (session_id, seq, happened_at, kind, cause, delivery_id, detail)
        SELECT session_id, seq, happened_at, kind, cause, delivery_id, detail
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::jsonb[])
            AS new (session_id, seq, happened_at, kind, cause, delivery_id, detail)
        ORDER BY session_id, seq
        ON CONFLICT (session_id, cause) DO NOTHING
        "#,
        &sessions,
        &seqs,
        &at as &[Option<DateTime<Utc>>],
        &kinds,
        &causes,
        &deliveries as &[Option<Uuid>],
        &details,
    )
    .execute(tx)
    .await?;
    Ok(())
}
