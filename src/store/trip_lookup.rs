//! Looks trips up by their facts: the trip of a document that names none, and the resources by which trips can be fetched.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::transaction::{Pool, Transaction};

/// The trips that have facts about an RFQ or a quote. `LIMIT 2`: more than one match is ambiguous.
pub async fn trips_of(
    tx: &mut Transaction<'_>,
    rfq: Option<&str>,
    quote: Option<&str>,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT coalesce(trip.merged_into, trip.key) AS "trip!"
        FROM avinode_ingest.rfqs AS rfq
        JOIN avinode_ingest.trips AS trip ON trip.key = rfq.trip_key
        WHERE avinode_ingest.normal_rfq_id(rfq.rfq_id) = avinode_ingest.normal_rfq_id($1)
        UNION
        SELECT coalesce(trip.merged_into, trip.key)
        FROM avinode_ingest.quote_facts AS quote
        JOIN avinode_ingest.trips AS trip ON trip.key = quote.trip_key
        WHERE quote.quote_id = $2
        LIMIT 2
        "#,
        rfq,
        quote,
    )
    .fetch_all(tx)
    .await
}

/// True if an active session has this trip id, in normal form.
pub async fn has_active_session(tx: &mut Transaction<'_>, id: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT
            FROM avinode_ingest.sessions_of_trips(ARRAY[$1]) AS found
            JOIN public.chat_sessions AS session ON session.id = found.session_id
            WHERE session.status::text = 'active'
        ) AS "has!"
        "#,
        id
    )
    .fetch_one(tx)
    .await
}

/// True if a trip need not be fetched to learn its other id: both are known, or facts arrive under an id that a session has.
/// `id` is one of its ids, in normal form.
pub async fn is_resolved(tx: &mut Transaction<'_>, id: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        WITH canonical AS MATERIALIZED (
            SELECT coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = $1
        )
        SELECT (
            SELECT count(DISTINCT known.key LIKE '%-%') = 2
            FROM (
                SELECT key FROM canonical
                UNION
                SELECT trip.key FROM avinode_ingest.trips AS trip WHERE trip.merged_into = (SELECT key FROM canonical)
            ) AS known
        ) OR (
            EXISTS (SELECT FROM avinode_ingest.sessions_of_trips(ARRAY[$1]))
            AND (
                EXISTS (SELECT FROM avinode_ingest.rfqs WHERE trip_key = (SELECT key FROM canonical))
                OR EXISTS (SELECT FROM avinode_ingest.quote_facts WHERE trip_key = (SELECT key FROM canonical))
            )
        ) AS "resolved!"
        "#,
        id
    )
    .fetch_one(tx)
    .await
}

/// A trip of which one id is known, by a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HalfKnownTrip {
    /// In normal form. The application may have written anything into a session: it may be no trip's.
    pub id: String,
    pub session: Uuid,
    /// The session's.
    pub agent: Uuid,
}

/// The trips of the active ones of these sessions, for trips without a stored document and without a second known id.
pub async fn half_known_trips(tx: &mut Transaction<'_>, sessions: &[Uuid]) -> Result<Vec<HalfKnownTrip>, sqlx::Error> {
    sqlx::query_as!(
        HalfKnownTrip,
        r#"
        SELECT active.id AS "id!", active.session AS "session!", active.agent AS "agent!"
        FROM (
            SELECT ids.trip_id AS id, session.id AS session, session.iso_agent_id AS agent
            FROM avinode_ingest.ids_of_sessions($1) AS ids
            JOIN public.chat_sessions AS session ON session.id = ids.session_id
            WHERE session.status::text = 'active'
        ) AS active
        LEFT JOIN avinode_ingest.trips AS known ON known.key = active.id
        WHERE active.id IS NOT NULL
            -- The canonical id may be either of the two.
            AND known.merged_into IS NULL
            AND NOT EXISTS (SELECT FROM avinode_ingest.trips AS other WHERE other.merged_into = active.id)
            AND NOT EXISTS (SELECT FROM avinode_ingest.documents AS document WHERE document.resource_id = active.id)
        "#,
        sessions
    )
    .fetch_all(tx)
    .await
}

/// The known ones of these messages.
pub async fn known_messages(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT DISTINCT message_id FROM avinode_ingest.messages WHERE message_id = ANY ($1)",
        ids
    )
    .fetch_all(tx)
    .await
}

/// Returns those of these ids, in normal form, that Avinode has shown: resources with a document, RFQs and trips with facts. The
/// others stand in sessions only.
pub async fn shown_resources(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT asked.id AS "id!"
        FROM unnest($1::text[]) AS asked (id)
        LEFT JOIN LATERAL (
            SELECT coalesce(known.merged_into, known.key) AS key
            FROM avinode_ingest.trips AS known
            WHERE known.key = asked.id
            OFFSET 0
        ) AS trip ON true
        WHERE EXISTS (SELECT FROM avinode_ingest.documents WHERE resource_id = asked.id)
            OR EXISTS (SELECT FROM avinode_ingest.rfqs WHERE avinode_ingest.normal_rfq_id(rfq_id) = avinode_ingest.normal_rfq_id(asked.id))
            OR EXISTS (SELECT FROM avinode_ingest.rfqs WHERE trip_key = trip.key)
            OR EXISTS (SELECT FROM avinode_ingest.quote_facts WHERE trip_key = trip.key)
            OR EXISTS (SELECT FROM avinode_ingest.messages WHERE trip_key = trip.key)
        "#,
        ids
    )
    .fetch_all(tx)
    .await
}

/// The sessions to reconcile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconcileScope {
    /// Those of one trip, by any of its ids in normal form; the trip itself even if no session has it.
    Trip(String),
    Active,
    /// Those with activity since then, whatever their status.
    Since(DateTime<Utc>),
}

/// A trip, and the resources by which it can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileTarget {
    /// One session of the trip, and its agent.
    pub session: Option<Uuid>,
    pub agent: Option<Uuid>,
    /// An id in normal form; `None` for a session that only has an RFQ.
    pub trip: Option<String>,
    /// The trip's resource ids (`atrip-…`), else its short id, and its RFQs, since a trip may not list them all. Some may be
    /// no resource's ids, as the application wrote them.
    pub resources: Vec<String>,
}

/// The trips of sessions, with the resource ids and RFQs that the sessions and the facts have.
pub async fn reconcile_targets(pool: &Pool, scope: &ReconcileScope) -> Result<Vec<ReconcileTarget>, sqlx::Error> {
    let (trip, active, since) = match scope {
        ReconcileScope::Trip(trip) => (Some(trip.as_str()), false, None),
        ReconcileScope::Active => (None, true, None),
        ReconcileScope::Since(since) => (None, false, Some(*since)),
    };
    let query = sqlx::query!(
        r#"
        WITH canonical AS MATERIALIZED (
            SELECT coalesce(trip.merged_into, trip.key) AS key
            FROM avinode_ingest.trips AS trip
            WHERE trip.key = $1
        ), found AS MATERIALIZED (
            SELECT session_id AS id
            FROM avinode_ingest.sessions_of_trips(ARRAY(
                SELECT $1
                UNION
                SELECT trip.key
                FROM canonical
                JOIN avinode_ingest.trips AS trip ON trip.key = canonical.key OR trip.merged_into = canonical.key
            ))
            WHERE $1::text IS NOT NULL
            UNION
            SELECT session.id
            FROM public.chat_sessions AS session
            WHERE $1 IS NULL
                AND CASE WHEN $2 THEN session.status::text = 'active' ELSE session.last_activity_at >= $3 END
        ), session AS MATERIALIZED (
            SELECT ids.session_id AS id, ids.trip_id AS trip, rfq.id AS rfq
            FROM avinode_ingest.ids_of_sessions(ARRAY(SELECT id FROM found)) AS ids
            LEFT JOIN LATERAL unnest(ids.rfq_ids) AS rfq (id) ON true
        ), target AS MATERIALIZED (
            -- One row per trip, or per session that has only an RFQ.
            SELECT coalesce(trip.merged_into, trip.key, session.trip) AS trip,
                min(session.id::text) AS session, array_agg(DISTINCT session.rfq) AS rfqs,
                array_agg(DISTINCT session.trip) AS trips
            FROM session
            LEFT JOIN avinode_ingest.trips AS trip ON trip.key = session.trip
            WHERE session.trip IS NOT NULL OR session.rfq IS NOT NULL
            GROUP BY coalesce(trip.merged_into, trip.key, session.trip),
                CASE WHEN session.trip IS NULL THEN session.rfq END
            UNION ALL
            SELECT coalesce((SELECT key FROM canonical), $1), NULL, '{}', ARRAY[$1]
            WHERE $1 IS NOT NULL AND NOT EXISTS (SELECT FROM session)
        )
        SELECT target.session, target.trip,
            (SELECT iso_agent_id FROM public.chat_sessions WHERE id = target.session::uuid) AS agent,
            ARRAY(
                SELECT known.id
                FROM (
                    SELECT unnest(target.trips || target.trip) AS id
                    UNION
                    SELECT trip.key FROM avinode_ingest.trips AS trip WHERE trip.merged_into = target.trip
                ) AS known
                WHERE known.id IS NOT NULL
                ORDER BY 1
            ) AS "trips!",
            ARRAY(
                SELECT known.id
                FROM (
                    SELECT unnest(target.rfqs) AS id
                    UNION
                    SELECT rfq_id FROM avinode_ingest.rfqs WHERE trip_key = target.trip
                ) AS known
                WHERE known.id IS NOT NULL
                ORDER BY 1
            ) AS "rfqs!"
        FROM target
        ORDER BY target.trip, target.session
        "#,
        trip,
        active,
        since,
    );
    let targets = pool.fetch_all(query).await?.into_iter().map(|row| {
        let has_resource_id = row.trips.iter().any(|id| id.starts_with("atrip-"));
        let trips = row
            .trips
            .into_iter()
            .filter(|id| !has_resource_id || id.starts_with("atrip-"));
        ReconcileTarget {
            session: row.session.and_then(|id| id.parse().ok()),
            agent: row.agent,
            trip: row.trip,
            resources: trips.chain(row.rfqs).collect(),
        }
    });
    Ok(targets.collect())
}
