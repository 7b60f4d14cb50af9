//! Sessions: found by trip after the trip is locked, locked by id.

pub mod state;
pub mod write;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::chat_session::status::SessionStatus;
use crate::domain::session::SessionSnapshot;
use crate::postgres::transaction::Transaction;

/// A session that this transaction has locked.
#[derive(Debug, Clone)]
pub struct LockedSession {
    /// What the rules read.
    pub session: SessionSnapshot,
    /// The key of its trip among those locked; `None` when it has no trip.
    pub trip: Option<String>,
    /// Its trip id in normal form.
    pub trip_id: Option<String>,
    /// The request it belongs to.
    pub request_id: Option<Uuid>,
    /// When it was made: the oldest session of a trip gives its request to the projection.
    pub created_at: DateTime<Utc>,
    /// The primary quote as it stands in the column.
    pub primary_quote_id: Option<Uuid>,
    /// The quote elected last.
    pub elected: Option<String>,
    /// The trip id it was last matched by.
    pub matched_trip: Option<String>,
    /// The RFQ that it holds, in normal form.
    pub rfq: Option<String>,
    /// The RFQ it was last matched by.
    pub matched_rfq: Option<String>,
    /// Other trips that are its own as well, because of the RFQ that it or a session of its trip holds.
    pub borrowed: Vec<String>,
    /// The last number of its timeline.
    pub seq: i64,
}

impl LockedSession {
    /// The keys of all trips that are its own: the one by its trip id first.
    pub fn trips(&self) -> impl Iterator<Item = &String> {
        self.trip.iter().chain(&self.borrowed)
    }
}

/// Locks all sessions of the locked trips `keys`, those that hold an RFQ known of the trips `asked` or one of `rfqs`, and the
/// sessions in `also`, by id.
///
/// This statement must begin after the trips are locked: only then does it see every session whose match could
/// otherwise miss a fact of ours.
///
/// Only the first session is waited for. Whoever holds one and waits for the next, and the next, may be waiting still
/// when the application, which wants the first, has waited for `deadlock_timeout` and is made the victim.
pub async fn lock(
    tx: &mut Transaction<'_>,
    keys: &[String],
    asked: &[String],
    rfqs: &[String],
    also: &[Uuid],
) -> Result<Vec<LockedSession>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH matching AS MATERIALIZED (
            SELECT session.id
            FROM avinode_ingest.trips AS trip
            JOIN public.chat_sessions AS session ON avinode_ingest.normal_trip_id(session.avinode_trip_id) = trip.key
            WHERE trip.key = ANY ($1) OR trip.merged_into = ANY ($1)
            UNION
            SELECT session.id
            FROM public.chat_sessions AS session
            WHERE avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = ANY ($3)
            UNION
            SELECT session.id
            FROM avinode_ingest.requests AS request
            JOIN public.chat_sessions AS session
                ON avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = avinode_ingest.normal_rfq_id(request.request_id)
            WHERE request.trip_key = ANY ($4)
            UNION
            SELECT unnest($2::uuid[])
        ), first AS MATERIALIZED (
            SELECT id
            FROM public.chat_sessions
            WHERE id = (SELECT id FROM matching ORDER BY id LIMIT 1)
            FOR NO KEY UPDATE
        )
        SELECT session.id, session.status::text AS "status!", session.current_step,
            -- What the application keeps there that is no moment (infinity) is not to be raised.
            CASE WHEN isfinite(session.last_activity_at) THEN session.last_activity_at END AS last_activity_at,
            coalesce(session.quotes_expected_count, 0) AS "quotes_expected_count!",
            coalesce(session.operators_contacted_count, 0) AS "operators_contacted_count!",
            session.workflow_state #>> '{avinode_trip,status}' AS trip_status,
            session.workflow_state #>> '{avinode_trip,at}' AS trip_status_at,
            session.request_id, session.primary_quote_id,
            CASE WHEN isfinite(session.created_at) THEN session.created_at END AS created_at,
            coalesce(jsonb_typeof(session.workflow_state), 'object') = 'object' AS "takes_trip_status!",
            avinode_ingest.normal_trip_id(session.avinode_trip_id) AS trip_id,
            avinode_ingest.normal_rfq_id(session.avinode_rfq_id) AS rfq,
            (
                SELECT coalesce(trip.merged_into, trip.key)
                FROM avinode_ingest.trips AS trip
                WHERE trip.key = avinode_ingest.normal_trip_id(session.avinode_trip_id)
            ) AS trip
        FROM public.chat_sessions AS session
        WHERE (SELECT count(*) FROM first) >= 0 -- that is: once the first one is locked
            AND session.id = ANY (ARRAY(SELECT id FROM matching))
        ORDER BY session.id
        FOR NO KEY UPDATE OF session NOWAIT
        "#,
        keys,
        also,
        rfqs,
        asked,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut beside = state::load(tx, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let record = beside.remove(&row.id).unwrap_or_default();
            let trip_status_at = row.trip_status_at.as_deref();
            LockedSession {
                session: SessionSnapshot {
                    id: row.id,
                    is_closed: SessionStatus::from_word(&row.status).is_some_and(SessionStatus::is_closed),
                    current_step: row.current_step,
                    quotes_expected_count: row.quotes_expected_count,
                    operators_contacted_count: row.operators_contacted_count,
                    last_activity_at: row.last_activity_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                    takes_trip_status: row.takes_trip_status,
                    trip_status: row.trip_status,
                    trip_status_at: trip_status_at
                        .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
                        .map(|at| at.to_utc()),
                    pinned: record.pinned,
                    ledger: record.ledger,
                },
                trip: row.trip,
                trip_id: row.trip_id,
                request_id: row.request_id,
                created_at: row.created_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                primary_quote_id: row.primary_quote_id,
                elected: record.elected,
                matched_trip: record.matched_trip,
                rfq: row.rfq,
                matched_rfq: record.matched_rfq,
                borrowed: Vec::new(),
                seq: record.seq,
            }
        })
        .collect())
}
