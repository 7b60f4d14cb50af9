//! The sessions of a trace.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::postgres::transaction::Transaction;

#[derive(Debug, Clone, Serialize)]
pub struct TracedSession {
    pub id: Uuid,
    pub agent: Uuid,
    pub status: String,
    pub step: Option<String>,
    /// Its own, else that of its request, in normal form.
    pub trip: Option<String>,
    /// In normal form.
    pub rfqs: Vec<String>,
    pub request: Option<Uuid>,
    pub quotes_received: i32,
    pub quotes_expected: i32,
    /// Avinode's id of the quote that was selected last.
    pub selected_quote: Option<String>,
    /// The trip that it names and that belongs to another agent.
    pub withheld_trip: Option<String>,
    /// The time at which the timeline says so.
    pub withheld_at: Option<DateTime<Utc>>,
    pub created_at: Option<DateTime<Utc>>,
}

/// Reads sessions, oldest first.
pub async fn read(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<Vec<TracedSession>, sqlx::Error> {
    sqlx::query_as!(
        TracedSession,
        r#"
        SELECT session.id AS "id!", session.iso_agent_id AS "agent!", session.status::text AS "status!",
            left(session.current_step, 200) AS step, found.trip_id AS trip, found.rfq_ids AS "rfqs!",
            session.request_id AS request, coalesce(session.quotes_received_count, 0) AS "quotes_received!",
            coalesce(session.quotes_expected_count, 0) AS "quotes_expected!", state.selected_quote AS "selected_quote?",
            state.withheld_trip AS "withheld_trip?", withheld.recorded_at AS "withheld_at?",
            CASE WHEN session.created_at > '-infinity' AND session.created_at < '10000-01-01 00:00Z'
                THEN session.created_at::timestamptz END AS created_at
        FROM avinode_ingest.ids_of_sessions($1) AS found
        JOIN public.chat_sessions AS session ON session.id = found.session_id
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        LEFT JOIN avinode_ingest.timeline AS withheld
            ON withheld.session_id = session.id AND withheld.dedup_key = 'withheld/' || found.trip_id
        ORDER BY session.created_at, session.id
        "#,
        ids
    )
    .fetch_all(tx)
    .await
}
