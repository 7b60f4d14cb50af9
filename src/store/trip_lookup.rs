//! Whose a document is that names no trip, and how the trips of sessions can be fetched: by what facts know.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::transaction::{Pool, Transaction};

/// The trips under which facts know an RFQ or a quote; at most two, because two are as good as none.
pub async fn trips(
    tx: &mut Transaction<'_>,
    request: Option<&str>,
    quote: Option<&str>,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT coalesce(trip.merged_into, trip.key) AS "trip!"
        FROM avinode_ingest.requests AS request
        JOIN avinode_ingest.trips AS trip ON trip.key = request.trip_key
        WHERE avinode_ingest.normal_rfq_id(request.request_id) = avinode_ingest.normal_rfq_id($1)
        UNION
        SELECT coalesce(trip.merged_into, trip.key)
        FROM avinode_ingest.quotes AS quote
        JOIN avinode_ingest.trips AS trip ON trip.key = quote.trip_key
        WHERE quote.quote_id = $2
        LIMIT 2
        "#,
        request,
        quote,
    )
    .fetch_all(tx)
    .await
}

/// Whether a trip need not be asked for its other id: both are known, or a session has it by the id by which it is told of.
/// `id` is one of its ids, in normal form.
pub async fn is_joined(tx: &mut Transaction<'_>, id: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        WITH root AS MATERIALIZED (
            SELECT coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = $1
        )
        SELECT (
            SELECT count(DISTINCT known.key LIKE '%-%') = 2
            FROM (
                SELECT key FROM root
                UNION
                SELECT trip.key FROM avinode_ingest.trips AS trip WHERE trip.merged_into = (SELECT key FROM root)
            ) AS known
        ) OR (
            EXISTS (
                SELECT FROM public.chat_sessions AS session
                WHERE avinode_ingest.normal_trip_id(session.avinode_trip_id) = $1
            )
            AND (
                EXISTS (SELECT FROM avinode_ingest.requests WHERE trip_key = (SELECT key FROM root))
                OR EXISTS (SELECT FROM avinode_ingest.quotes WHERE trip_key = (SELECT key FROM root))
            )
        ) AS "joined!"
        "#,
        id
    )
    .fetch_one(tx)
    .await
}

/// The resource ids, in normal form, of the trips of active sessions of which no document has been seen and no short id is
/// known. `ids`: the sessions that are looked at.
pub async fn half_known_trips(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT DISTINCT named.id AS "id!"
        FROM (
            SELECT avinode_ingest.normal_trip_id(session.avinode_trip_id) AS id
            FROM public.chat_sessions AS session
            WHERE session.id = ANY ($1) AND session.status::text = 'active'
        ) AS named
        LEFT JOIN avinode_ingest.trips AS known ON known.key = named.id
        WHERE named.id LIKE 'atrip-%'
            -- The id that stands for a trip is any of the two.
            AND known.merged_into IS NULL
            AND NOT EXISTS (SELECT FROM avinode_ingest.trips AS other WHERE other.merged_into = named.id)
            AND NOT EXISTS (SELECT FROM avinode_ingest.documents AS document WHERE document.resource_id = named.id)
        "#,
        ids
    )
    .fetch_all(tx)
    .await
}

/// Which of these messages facts know.
pub async fn messages(tx: &mut Transaction<'_>, ids: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT DISTINCT message_id FROM avinode_ingest.messages WHERE message_id = ANY ($1)",
        ids
    )
    .fetch_all(tx)
    .await
}

/// Which sessions' trips are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconcileScope {
    /// Those of one trip, by any of its ids in normal form; the trip also where no session has it.
    Trip(String),
    /// Those that are active.
    Active,
    /// Those in which something has happened since, whatever their status.
    Since(DateTime<Utc>),
}

/// A trip, and how it can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileTarget {
    /// A session of it, if there is one.
    pub session: Option<Uuid>,
    /// Its id in normal form, if it has one.
    pub trip: Option<String>,
    /// Its resource ids, those that begin with `atrip-`, and its RFQs: a trip may not list them all. Empty: it cannot be fetched.
    pub resources: Vec<String>,
}

/// The trips of sessions, and how they can be fetched: by the resource ids and RFQs that the session or facts know.
pub async fn targets(pool: &Pool, which: &ReconcileScope) -> Result<Vec<ReconcileTarget>, sqlx::Error> {
    let (trip, active, since) = match which {
        ReconcileScope::Trip(trip) => (Some(trip.as_str()), false, None),
        ReconcileScope::Active => (None, true, None),
        ReconcileScope::Since(since) => (None, false, Some(*since)),
    };
    let mut tx = pool.begin().await?;
    let rows = sqlx::query!(
        r#"
        WITH family AS MATERIALIZED (
            SELECT coalesce(trip.merged_into, trip.key) AS root
            FROM avinode_ingest.trips AS trip
            WHERE trip.key = $1
        ), session AS MATERIALIZED (
            SELECT session.id, avinode_ingest.normal_trip_id(session.avinode_trip_id) AS trip,
                avinode_ingest.normal_rfq_id(session.avinode_rfq_id) AS rfq
            FROM public.chat_sessions AS session
            WHERE CASE
                WHEN $1::text IS NOT NULL THEN avinode_ingest.normal_trip_id(session.avinode_trip_id) IN (
                    SELECT $1
                    UNION
                    SELECT trip.key
                    FROM family
                    JOIN avinode_ingest.trips AS trip ON trip.key = family.root OR trip.merged_into = family.root
                )
                WHEN $2 THEN session.status::text = 'active'
                ELSE session.last_activity_at >= $3
            END
        ), asked AS MATERIALIZED (
            -- One row a trip, or a session that knows its RFQ only.
            SELECT coalesce(trip.merged_into, trip.key, session.trip) AS root,
                min(session.id::text) AS session, array_agg(DISTINCT session.rfq) AS rfqs,
                array_agg(DISTINCT session.trip) AS trips
            FROM session
            LEFT JOIN avinode_ingest.trips AS trip ON trip.key = session.trip
            WHERE session.trip IS NOT NULL OR session.rfq IS NOT NULL
            GROUP BY coalesce(trip.merged_into, trip.key, session.trip),
                CASE WHEN session.trip IS NULL THEN session.rfq END
            UNION ALL
            SELECT coalesce((SELECT root FROM family), $1), NULL, '{}', ARRAY[$1]
            WHERE $1 IS NOT NULL AND NOT EXISTS (SELECT FROM session)
        )
        SELECT asked.session, asked.root,
            ARRAY(
                SELECT known.id
                FROM (
                    SELECT unnest(asked.trips || asked.root) AS id
                    UNION
                    SELECT trip.key FROM avinode_ingest.trips AS trip WHERE trip.merged_into = asked.root
                ) AS known
                WHERE known.id LIKE 'atrip-%'
                ORDER BY 1
            ) AS "trips!",
            ARRAY(
                SELECT known.id
                FROM (
                    SELECT unnest(asked.rfqs) AS id
                    UNION
                    SELECT request_id FROM avinode_ingest.requests WHERE trip_key = asked.root
                ) AS known
                WHERE known.id IS NOT NULL
                ORDER BY 1
            ) AS "rfqs!"
        FROM asked
        ORDER BY asked.root, asked.session
        "#,
        trip,
        active,
        since,
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    let targets = rows.into_iter().map(|row| ReconcileTarget {
        session: row.session.and_then(|id| id.parse().ok()),
        trip: row.root,
        resources: row.trips.into_iter().chain(row.rfqs).collect(),
    });
    Ok(targets.collect())
}
