//! Locks the trips of a batch in the usual case, in which no other trip or session is related to them.

use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::trips::{LockedTrips, TripRow};

/// Locks trips and the RFQs that events name under them in the usual case: sessions have all of these trips by their ids, and hold no
/// RFQ. Then no other trip or session is related, and the RFQs of the trips, which may be thousands, need not be read. Returns the trips;
/// `None`, with nothing locked or a part of the trips, in any other case.
pub async fn lock_unrelated(
    tx: &mut Transaction<'_>,
    trips: &[String],
    named_rfqs: &[(String, String)],
) -> Result<Option<LockedTrips>, sqlx::Error> {
    let rows = sqlx::query_as!(
        TripRow,
        r#"
        WITH own AS MATERIALIZED (
            SELECT own.id, coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = own.id), own.id
            ) AS trip
            FROM unnest($1::text[]) AS own (id)
        ), trip_id AS MATERIALIZED (
            SELECT trip, trip AS id FROM own
            UNION
            SELECT merged_into, key
            FROM avinode_ingest.trips
            WHERE merged_into = ANY (ARRAY(SELECT trip FROM own))
        ), session AS MATERIALIZED (
            -- A trip that was withheld from a session is another agent's, who may have it through an RFQ.
            SELECT found.trip_id, cardinality(found.rfq_ids) > 0 OR EXISTS (
                SELECT FROM avinode_ingest.session_state AS state
                WHERE state.session_id = found.session_id AND state.withheld_trip IS NOT NULL
            ) AS holds_rfqs
            FROM avinode_ingest.sessions_of_trips(ARRAY(SELECT id FROM trip_id)) AS found
        ), owned AS MATERIALIZED (
            SELECT trip_id.trip, bool_or(session.holds_rfqs) AS holds_rfqs
            FROM trip_id
            JOIN session ON session.trip_id = trip_id.id
            GROUP BY trip_id.trip
        ), usual AS MATERIALIZED (
            SELECT DISTINCT trip
            FROM own
            WHERE NOT EXISTS (
                SELECT FROM own WHERE NOT EXISTS (SELECT FROM owned WHERE owned.trip = own.trip AND NOT owned.holds_rfqs)
            )
                -- Another agent may hold an RFQ of a trip that a session only names.
                AND NOT EXISTS (SELECT FROM avinode_ingest.sessions_of_rfqs($2::text[]))
        ), locked AS MATERIALIZED (
            SELECT trip.*
            FROM avinode_ingest.trips AS trip
            WHERE trip.key = ANY (ARRAY(SELECT trip FROM usual))
            ORDER BY trip.key
            FOR UPDATE OF trip
        ), inserted AS (
            INSERT INTO avinode_ingest.trips (key)
            SELECT trip
            FROM usual
            WHERE (SELECT count(*) FROM locked) < (SELECT count(*) FROM usual)
                AND NOT EXISTS (SELECT FROM avinode_ingest.trips AS known WHERE known.key = usual.trip)
            ORDER BY trip
            ON CONFLICT (key) DO NOTHING
            RETURNING trips.*
        ), trip AS MATERIALIZED (
            SELECT * FROM locked
            UNION ALL
            SELECT * FROM inserted
        ), locked_rfqs AS MATERIALIZED (
            -- After the trips. Also the RFQs that are known: a look-up would read pages for each event, a lock none.
            SELECT count(pg_advisory_xact_lock(sorted.key)) AS count
            FROM (
                SELECT DISTINCT hashtextextended('avinode_ingest.rfq ' || rfq, 0) AS key
                FROM unnest($2::text[]) AS rfqs (rfq)
                WHERE (SELECT count(*) FROM trip) = (SELECT count(*) FROM usual) AND EXISTS (SELECT FROM usual)
                ORDER BY key
            ) AS sorted
        )
        SELECT trip.key AS "key!", trip.merged_into, trip.status, trip.status_at, trip.status_source, trip.status_digest,
            trip.status_seen_at, trip.statuses, trip.status_first_seen_at, trip.last_activity_at,
            ARRAY(SELECT own.id FROM own WHERE own.trip = trip.key) AS "ids!"
        FROM trip, locked_rfqs
        "#,
        trips,
        &column(named_rfqs, |(_, rfq)| rfq.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    let locked = LockedTrips::of(rows);
    Ok(locked.filter(|locked| trips.iter().all(|id| locked.key_of.contains_key(id))))
}
