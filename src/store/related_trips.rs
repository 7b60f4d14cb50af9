//! Which trips belong together because a session holds an RFQ: what an event under an unknown trip id is found by.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

/// What a batch touches beyond the trips that it names. Read before anything is locked.
#[derive(Debug, Default)]
pub struct RelatedTrips {
    /// All trips to be locked, in normal form: those asked about, and those that belong with them.
    pub trips: BTreeSet<String>,
    /// The keys of the trips asked about: whoever holds an RFQ of theirs is to be decided with them.
    pub asked: Vec<String>,
    /// The RFQs, in normal form, that the sessions to be decided hold: every trip that they borrow by them is among those to
    /// be locked.
    pub held: Vec<String>,
    /// The RFQs to be locked: a session may be about to hold one, and a fact about to name it.
    pub unsettled: Vec<String>,
}

/// Finds what belongs together: sessions by the RFQs that they hold, and trips by the RFQs that facts name under them.
///
/// `named`: the pairs of trip and RFQ, in normal form, that events name; `sessions`: those that are to be matched again.
pub async fn related(
    tx: &mut Transaction<'_>,
    trips: &[String],
    named: &[(String, String)],
    sessions: &[Uuid],
) -> Result<RelatedTrips, sqlx::Error> {
    let (named_trips, named_rfqs): (Vec<String>, Vec<String>) = named.iter().cloned().unzip();
    let rows = sqlx::query!(
        r#"
        WITH asked AS MATERIALIZED (
            SELECT session.id, avinode_ingest.normal_trip_id(session.avinode_trip_id) AS trip,
                avinode_ingest.normal_rfq_id(session.avinode_rfq_id) AS rfq
            FROM public.chat_sessions AS session
            WHERE session.id = ANY ($4)
        ), given AS MATERIALIZED (
            SELECT unnest($1::text[]) AS id
            UNION
            SELECT trip FROM asked WHERE trip IS NOT NULL
            UNION
            -- A trip that a session had and has no more may be another's by its RFQ.
            SELECT state.matched_trip
            FROM avinode_ingest.session_state AS state
            WHERE state.session_id = ANY ($4) AND state.matched_trip IS NOT NULL
        ), base AS MATERIALIZED (
            -- Facts stand under the id that stands for the trip, sessions have any of its ids.
            -- No table is joined here: a join with what the planner takes for many rows would read all of its index.
            SELECT DISTINCT coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = given.id), given.id
            ) AS trip
            FROM given
        ), named AS MATERIALIZED (
            SELECT coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = named.trip), named.trip
            ) AS trip, named.rfq
            FROM unnest($2::text[], $3::text[]) AS named (trip, rfq)
        ), told AS MATERIALIZED (
            SELECT rfq FROM named
            UNION
            SELECT avinode_ingest.normal_rfq_id(request_id)
            FROM avinode_ingest.requests
            WHERE trip_key = ANY (ARRAY(SELECT trip FROM base))
        ), found AS MATERIALIZED (
            SELECT avinode_ingest.normal_trip_id(avinode_trip_id) AS trip, avinode_ingest.normal_rfq_id(avinode_rfq_id) AS rfq
            FROM public.chat_sessions
            WHERE avinode_ingest.normal_rfq_id(avinode_rfq_id) = ANY (ARRAY(SELECT rfq FROM told))
        ), decided AS MATERIALIZED (
            SELECT trip FROM base
            UNION
            SELECT coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = found.trip), found.trip
            )
            FROM found
            WHERE found.trip IS NOT NULL
        ), ids AS MATERIALIZED (
            SELECT trip AS id FROM decided
            UNION
            SELECT key FROM avinode_ingest.trips WHERE merged_into = ANY (ARRAY(SELECT trip FROM decided))
        ), held AS MATERIALIZED (
            SELECT rfq FROM asked WHERE rfq IS NOT NULL
            UNION
            SELECT rfq FROM found
            UNION
            -- What one session holds, the others of its trip have as well.
            SELECT avinode_ingest.normal_rfq_id(avinode_rfq_id)
            FROM public.chat_sessions
            WHERE avinode_ingest.normal_trip_id(avinode_trip_id) = ANY (ARRAY(SELECT id FROM ids))
                AND avinode_ingest.normal_rfq_id(avinode_rfq_id) IS NOT NULL
        ), reached AS MATERIALIZED (
            SELECT DISTINCT trip_key AS trip
            FROM avinode_ingest.requests
            WHERE avinode_ingest.normal_rfq_id(request_id) = ANY (ARRAY(SELECT rfq FROM held))
        ), reached_ids AS MATERIALIZED (
            SELECT trip, trip AS id FROM reached
            UNION ALL
            SELECT merged_into, key
            FROM avinode_ingest.trips
            WHERE merged_into = ANY (ARRAY(SELECT trip FROM reached))
        ), had AS MATERIALIZED (
            SELECT DISTINCT avinode_ingest.normal_trip_id(avinode_trip_id) AS id
            FROM public.chat_sessions
            WHERE avinode_ingest.normal_trip_id(avinode_trip_id) = ANY (ARRAY(SELECT id FROM reached_ids))
        )
        SELECT 'trip' AS "what!", id AS "id!" FROM given
        UNION
        SELECT 'trip', trip FROM decided
        UNION
        -- A trip that a session has is that session's alone.
        (
            SELECT 'trip', trip FROM reached
            EXCEPT
            SELECT 'trip', reached_ids.trip FROM reached_ids JOIN had ON had.id = reached_ids.id
        )
        UNION
        SELECT 'asked', trip FROM base
        UNION
        SELECT 'held', rfq FROM held
        UNION
        SELECT 'unsettled', rfq FROM asked WHERE rfq IS NOT NULL
        UNION
        SELECT 'unsettled', named.rfq
        FROM named
        WHERE (
            SELECT true
            FROM avinode_ingest.requests AS request
            WHERE request.trip_key = named.trip AND avinode_ingest.normal_rfq_id(request.request_id) = named.rfq
            LIMIT 1
        ) IS NULL
        "#,
        trips,
        &named_trips,
        &named_rfqs,
        sessions,
    )
    .fetch_all(tx)
    .await?;
    let mut related = RelatedTrips::default();
    for row in rows {
        match row.what.as_str() {
            "trip" => drop(related.trips.insert(row.id)),
            "asked" => related.asked.push(row.id),
            "held" => related.held.push(row.id),
            _ => related.unsettled.push(row.id),
        }
    }
    Ok(related)
}

/// Locks RFQs for the length of the transaction, after its trips and before its sessions. Between a session that is given
/// an RFQ and a fact that names it under a trip there is no row that both know of.
pub async fn lock(tx: &mut Transaction<'_>, rfqs: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        SELECT count(pg_advisory_xact_lock(key)) AS locked
        FROM (
            SELECT DISTINCT hashtextextended('avinode_ingest.rfq ' || rfq, 0) AS key
            FROM unnest($1::text[]) AS asked (rfq)
            ORDER BY key
        ) AS sorted
        "#,
        rfqs
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}
