//! Finds the trips and sessions that are related through RFQs: an event under a trip id that no session has still belongs to
//! the session that holds its RFQ.

pub mod usual;

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::trip_ownership::{ClaimEvidence, TripClaim};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;

/// The rows that a batch must lock beyond those it names. Read before anything is locked. All ids are in normal form.
#[derive(Debug, Default)]
pub struct RelatedTrips {
    /// All trips to lock: those of the batch, and those related to them.
    pub trips: BTreeSet<String>,
    /// The trips of the batch that no session has by their id, and those of rematched sessions: every session that holds an RFQ
    /// of theirs must be decided. A trip id that a session has belongs to that session alone.
    pub asked_trips: Vec<String>,
    /// The RFQs that the sessions to decide hold. Every trip that they share through an RFQ is among `trips`.
    pub held_rfqs: Vec<String>,
    /// The sessions of all agents that hold an RFQ of `held_rfqs`, where they are of several agents. Most are not locked.
    pub rfq_claims: Vec<RfqClaim>,
    /// The RFQs to lock: a session may be about to hold one, and a fact about to name it.
    pub rfqs_to_lock: Vec<String>,
}

/// A session's claim to the trips of an RFQ.
#[derive(Debug, Clone)]
pub struct RfqClaim {
    /// In normal form.
    pub rfq: String,
    pub session: Uuid,
    pub claim: TripClaim,
}

/// Finds related trips: sessions by the RFQs that they hold, and trips by the RFQs that facts name under them.
///
/// `named_rfqs`: the pairs of trip and RFQ that events name; `sessions`: the sessions to rematch.
pub async fn find(
    tx: &mut Transaction<'_>,
    trips: &[String],
    named_rfqs: &[(String, String)],
    sessions: &[Uuid],
) -> Result<RelatedTrips, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH rematched_session AS MATERIALIZED (
            SELECT trip_id, rfq_ids FROM avinode_ingest.ids_of_sessions($4)
        ), own_id AS MATERIALIZED (
            SELECT unnest($1::text[]) AS trip_id, false AS of_rematched
            UNION
            SELECT trip_id, true FROM rematched_session WHERE trip_id IS NOT NULL
            UNION
            -- A trip that a session lost may belong to another session that holds its RFQ.
            SELECT state.matched_trip, true
            FROM avinode_ingest.session_state AS state
            WHERE state.session_id = ANY ($4) AND state.matched_trip IS NOT NULL
        ), own_trip AS MATERIALIZED (
            -- Facts are stored under the canonical id, sessions have any id of the trip.
            -- Sub-selects and no join: the planner overestimates the rows, and would read a whole index for a join.
            SELECT coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = own_id.trip_id),
                own_id.trip_id
            ) AS trip, bool_or(own_id.of_rematched) AS of_rematched
            FROM own_id
            GROUP BY 1
        ), own_trip_id AS MATERIALIZED (
            SELECT trip, trip AS id FROM own_trip
            UNION
            SELECT merged_into, key
            FROM avinode_ingest.trips
            WHERE merged_into = ANY (ARRAY(SELECT trip FROM own_trip))
        ), own_session AS MATERIALIZED (
            SELECT found.trip_id, session.agent, EXISTS (
                SELECT FROM avinode_ingest.session_state AS state
                WHERE state.session_id = found.session_id AND state.withheld_trip IS NOT NULL
            ) AS is_withheld
            FROM avinode_ingest.sessions_of_trips(ARRAY(SELECT id FROM own_trip_id)) AS found
            CROSS JOIN LATERAL (
                SELECT iso_agent_id AS agent FROM public.chat_sessions WHERE id = found.session_id OFFSET 0
            ) AS session
        ), named_rfq AS MATERIALIZED (
            SELECT coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = named.trip), named.trip
            ) AS trip, named.rfq
            FROM unnest($2::text[], $3::text[]) AS named (trip, rfq)
        ), named_holder AS MATERIALIZED (
            SELECT named_rfq.trip, session.agent
            FROM avinode_ingest.sessions_of_rfqs(ARRAY(SELECT rfq FROM named_rfq)) AS found
            CROSS JOIN LATERAL (
                SELECT iso_agent_id AS agent FROM public.chat_sessions WHERE id = found.session_id OFFSET 0
            ) AS session
            JOIN named_rfq ON named_rfq.rfq = ANY (found.rfq_ids)
        ), contested_trip AS MATERIALIZED (
            -- Sessions of several agents claim it, some of them by an RFQ.
            SELECT own_trip_id.trip
            FROM own_trip_id
            JOIN own_session ON own_session.trip_id = own_trip_id.id
            WHERE own_session.is_withheld
                OR EXISTS (
                    SELECT FROM named_holder
                    WHERE named_holder.trip = own_trip_id.trip AND named_holder.agent <> own_session.agent
                )
        ), asked_trip AS MATERIALIZED (
            SELECT trip
            FROM own_trip
            WHERE of_rematched
                OR trip IN (SELECT trip FROM contested_trip)
                OR trip NOT IN (
                    SELECT own_trip_id.trip FROM own_trip_id JOIN own_session ON own_session.trip_id = own_trip_id.id
                )
        ), own_rfq AS MATERIALIZED (
            SELECT rfq FROM named_rfq WHERE trip IN (SELECT trip FROM asked_trip)
            UNION
            SELECT avinode_ingest.normal_rfq_id(rfq_id)
            FROM avinode_ingest.rfqs
            WHERE trip_key = ANY (ARRAY(SELECT trip FROM asked_trip))
        ), rfq_session AS MATERIALIZED (
            SELECT session_id, trip_id, rfq_ids FROM avinode_ingest.sessions_of_rfqs(ARRAY(SELECT rfq FROM own_rfq))
        ), decided_trip AS MATERIALIZED (
            SELECT trip FROM own_trip
            UNION
            SELECT coalesce(
                (SELECT known.merged_into FROM avinode_ingest.trips AS known WHERE known.key = rfq_session.trip_id),
                rfq_session.trip_id
            )
            FROM rfq_session
            WHERE rfq_session.trip_id IS NOT NULL
        ), decided_trip_id AS MATERIALIZED (
            SELECT trip AS id FROM decided_trip
            UNION
            SELECT key FROM avinode_ingest.trips WHERE merged_into = ANY (ARRAY(SELECT trip FROM decided_trip))
        ), held_rfq AS MATERIALIZED (
            SELECT unnest(rfq_ids) AS rfq FROM rematched_session
            UNION
            SELECT unnest(rfq_ids) FROM rfq_session
            UNION
            -- Sessions of one trip share the RFQs that each of them holds.
            SELECT unnest(rfq_ids) FROM avinode_ingest.sessions_of_trips(ARRAY(SELECT id FROM decided_trip_id))
        ), rfq_trip AS MATERIALIZED (
            SELECT DISTINCT trip_key AS trip
            FROM avinode_ingest.rfqs
            WHERE avinode_ingest.normal_rfq_id(rfq_id) = ANY (ARRAY(SELECT rfq FROM held_rfq))
        ), rfq_trip_id AS MATERIALIZED (
            SELECT trip, trip AS id FROM rfq_trip
            UNION ALL
            SELECT merged_into, key
            FROM avinode_ingest.trips
            WHERE merged_into = ANY (ARRAY(SELECT trip FROM rfq_trip))
        ), holder_agent AS MATERIALIZED (
            SELECT DISTINCT iso_agent_id AS agent
            FROM public.chat_sessions
            WHERE id = ANY ($4 || ARRAY(SELECT session_id FROM rfq_session))
        ), assigned_id AS MATERIALIZED (
            SELECT found.trip_id AS id,
                bool_and(session.agent = ALL (ARRAY(SELECT agent FROM holder_agent))) AS is_of_holders
            FROM avinode_ingest.sessions_of_trips(ARRAY(SELECT id FROM rfq_trip_id)) AS found
            CROSS JOIN LATERAL (
                SELECT iso_agent_id AS agent FROM public.chat_sessions WHERE id = found.session_id OFFSET 0
            ) AS session
            GROUP BY found.trip_id
        ), rfq_claim AS MATERIALIZED (
            SELECT held.rfq, found.session_id, session.agent, session.is_given
            FROM avinode_ingest.sessions_of_rfqs(ARRAY(SELECT rfq FROM held_rfq)) AS found
            CROSS JOIN LATERAL unnest(found.rfq_ids) AS held (rfq)
            CROSS JOIN LATERAL (
                SELECT holder.iso_agent_id AS agent, EXISTS (
                    SELECT FROM avinode_ingest.session_state AS state
                    WHERE state.session_id = holder.id AND held.rfq = ANY (state.given_rfqs)
                ) AS is_given
                FROM public.chat_sessions AS holder
                WHERE holder.id = found.session_id
                OFFSET 0
            ) AS session
        )
        SELECT 'trip' AS "role!", trip_id AS "id!", NULL::uuid AS session, NULL::uuid AS agent, NULL::boolean AS is_given
        FROM own_id
        UNION
        SELECT 'rfq claim', rfq, session_id, agent, is_given
        FROM rfq_claim
        WHERE rfq IN (SELECT rfq FROM held_rfq) AND (SELECT min(agent::text) <> max(agent::text) FROM rfq_claim)
        UNION
        SELECT 'trip', trip, NULL, NULL, NULL FROM decided_trip
        UNION
        -- A trip id that a session has belongs to that session alone, unless another agent holds an RFQ of the trip.
        (
            SELECT 'trip', trip, NULL::uuid, NULL::uuid, NULL::boolean FROM rfq_trip
            EXCEPT
            SELECT 'trip', rfq_trip_id.trip, NULL::uuid, NULL::uuid, NULL::boolean
            FROM rfq_trip_id
            JOIN assigned_id ON assigned_id.id = rfq_trip_id.id
            GROUP BY rfq_trip_id.trip
            HAVING bool_and(assigned_id.is_of_holders)
        )
        UNION
        SELECT 'asked trip', trip, NULL, NULL, NULL FROM asked_trip
        UNION
        SELECT 'held rfq', rfq, NULL, NULL, NULL FROM held_rfq
        UNION
        SELECT 'rfq to lock', unnest(rfq_ids), NULL, NULL, NULL FROM rematched_session
        UNION
        SELECT 'rfq to lock', named_rfq.rfq, NULL, NULL, NULL
        FROM named_rfq
        WHERE (
            SELECT true
            FROM avinode_ingest.rfqs AS known
            WHERE known.trip_key || '' = named_rfq.trip AND avinode_ingest.normal_rfq_id(known.rfq_id) = named_rfq.rfq
            LIMIT 1
        ) IS NULL
        "#,
        trips,
        &column(named_rfqs, |(trip, _)| trip.as_str()) as &[&str],
        &column(named_rfqs, |(_, rfq)| rfq.as_str()) as &[&str],
        sessions,
    )
    .fetch_all(tx)
    .await?;
    let mut related = RelatedTrips::default();
    for row in rows {
        match row.role.as_str() {
            "trip" => drop(related.trips.insert(row.id)),
            "asked trip" => related.asked_trips.push(row.id),
            "held rfq" => related.held_rfqs.push(row.id),
            "rfq claim" => related
                .rfq_claims
                .extend(rfq_claim(row.id, row.session, row.agent, row.is_given)),
            _ => related.rfqs_to_lock.push(row.id),
        }
    }
    Ok(related)
}

fn rfq_claim(rfq: String, session: Option<Uuid>, agent: Option<Uuid>, is_given: Option<bool>) -> Option<RfqClaim> {
    let evidence = match is_given? {
        true => ClaimEvidence::Given,
        false => ClaimEvidence::Session,
    };
    let claim = TripClaim {
        agent: agent?,
        evidence,
    };
    let session = session?;
    Some(RfqClaim { rfq, session, claim })
}

/// Locks the requests of these sessions that have no trip id of their own, before anything is read: a transaction that gives a
/// request its trip id, and does not see the session, is waited for by the queue.
pub async fn lock_requests(tx: &mut Transaction<'_>, sessions: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT avinode_ingest.lock_requests_of($1)::text AS locked", sessions)
        .fetch_one(tx)
        .await?;
    Ok(())
}

/// Locks RFQs until the end of the transaction, after its trips and before its sessions. An advisory lock, because a session
/// that gets an RFQ and a fact that names it under a trip share no row.
pub async fn lock_rfqs(tx: &mut Transaction<'_>, rfqs: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        SELECT count(pg_advisory_xact_lock(key)) AS locked
        FROM (
            SELECT DISTINCT hashtextextended('avinode_ingest.rfq ' || rfq, 0) AS key
            FROM unnest($1::text[]) AS rfqs (rfq)
            ORDER BY key
        ) AS sorted
        "#,
        rfqs
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}
