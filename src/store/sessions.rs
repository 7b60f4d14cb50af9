//! Locks the sessions of locked trips.

pub mod row_keys;
pub mod state;
pub mod write;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::state::SessionState;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::session::SessionSnapshot;
use crate::domain::trip_ownership::{ClaimEvidence, TripClaim};
use crate::postgres::transaction::Transaction;

/// A session that this transaction has locked.
#[derive(Debug, Clone)]
pub struct LockedSession {
    pub snapshot: SessionSnapshot,
    /// The key of its trip among the locked ones; `None` if it has no trip, or if the trip is withheld.
    pub trip_key: Option<String>,
    /// The key of the trip that it names and that is another agent's: then it has no trip key.
    pub withheld_trip: Option<String>,
    /// Its own trip id, else that of its request, in normal form.
    pub trip_id: Option<String>,
    pub request_id: Option<Uuid>,
    /// The broker who owns it.
    pub agent: Uuid,
    /// The broker of its request; `None` if the request has none.
    pub request_agent: Option<Uuid>,
    /// The oldest active session of a trip gives its request to the projection. The agent writes it: between agents it proves nothing.
    pub created_at: DateTime<Utc>,
    /// The claims of requests, of any agent, that carry the trip id of the session.
    pub request_claims: Vec<TripClaim>,
    /// The ids that the API or the service role gave to it.
    pub given: GivenIds,
    /// The current value of the column.
    pub primary_quote_id: Option<Uuid>,
    /// `active`, in contrast to paused, completed and archived.
    pub is_active: bool,
    /// The RFQs that it holds, in normal form.
    pub rfqs: Vec<String>,
    /// The keys of other trips that it has through the RFQs that it, or another session of its trip, holds.
    pub shared_trips: Vec<String>,
    /// The current value of the column, which never exceeds `i32::MAX`.
    pub quotes_received_count: i32,
    /// Its ledger has quotes that were counted by their row.
    pub has_row_keys: bool,
    /// Everything that this decision calls for could be done.
    pub is_settled: bool,
    /// After the last decision.
    pub state: SessionState,
}

/// The ids of a session that its agent did not write.
#[derive(Debug, Clone, Default)]
pub struct GivenIds {
    /// In normal form; evidence while the session has it.
    pub trip: Option<String>,
    pub trip_at: Option<DateTime<Utc>>,
    /// In normal form.
    pub rfqs: Vec<String>,
}

impl LockedSession {
    /// The keys of all its trips, the one of its trip id first.
    pub fn trip_keys(&self) -> impl Iterator<Item = &String> {
        self.trip_key.iter().chain(&self.shared_trips)
    }

    /// Its RFQs as its state records them.
    pub fn joined_rfqs(&self) -> Option<String> {
        (!self.rfqs.is_empty()).then(|| self.rfqs.join(" "))
    }
}

/// Locks, in the order of their ids, and without their ledgers, all sessions of the locked trips `keys`, the sessions that hold an RFQ of the trips
/// `own_trips` or one of `rfqs`, and the sessions `rematched`.
///
/// The statement must begin after the trips are locked: only then does it see every session that could otherwise miss a fact
/// of this transaction.
///
/// It waits for the first session only. A transaction that holds one session and waits for several others may wait so long
/// that the application, which waits for the first one, reaches `deadlock_timeout` and becomes the victim.
pub async fn lock(
    tx: &mut Transaction<'_>,
    keys: &[String],
    own_trips: &[String],
    rfqs: &[String],
    rematched: &[Uuid],
) -> Result<Vec<LockedSession>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        WITH matching AS MATERIALIZED (
            SELECT session_id AS id
            FROM avinode_ingest.sessions_of_trips(ARRAY(
                SELECT trip.key
                FROM avinode_ingest.trips AS trip
                WHERE trip.key = ANY ($1) OR trip.merged_into = ANY ($1)
            ))
            UNION
            SELECT session_id
            FROM avinode_ingest.sessions_of_rfqs($3::text[] || ARRAY(
                SELECT avinode_ingest.normal_rfq_id(rfq.rfq_id)
                FROM avinode_ingest.rfqs AS rfq
                WHERE rfq.trip_key = ANY ($4)
            ))
            UNION
            SELECT unnest($2::uuid[])
        ), first AS MATERIALIZED (
            SELECT id
            FROM public.chat_sessions
            WHERE id = (SELECT id FROM matching ORDER BY id LIMIT 1)
            FOR NO KEY UPDATE
        )
        SELECT session.id, session.status::text AS "status!",
            -- No value of the application's fails the statement, which reads other sessions as well: longer texts are no steps.
            left(session.current_step, 200) AS current_step,
            -- A time that is infinite, or that the driver cannot decode (294276 AD), is never raised.
            CASE WHEN session.last_activity_at > '-infinity' AND session.last_activity_at < '10000-01-01 00:00Z'
                THEN session.last_activity_at END AS last_activity_at,
            coalesce(session.quotes_received_count, 0) AS "quotes_received_count!",
            coalesce(session.quotes_expected_count, 0) AS "quotes_expected_count!",
            coalesce(session.operators_contacted_count, 0) AS "operators_contacted_count!",
            -- The text of an array of numbers may have a gigabyte.
            CASE WHEN jsonb_typeof(ids.shown -> 'status') = 'string' THEN left(ids.shown ->> 'status', 100) END
                AS trip_status,
            CASE WHEN jsonb_typeof(ids.shown -> 'at') = 'string' THEN left(ids.shown ->> 'at', 100) END
                AS trip_status_at,
            session.request_id, session.primary_quote_id, session.iso_agent_id AS "agent!",
            (SELECT request.iso_agent_id FROM public.requests AS request WHERE request.id = session.request_id) AS request_agent,
            CASE WHEN session.created_at > '-infinity' AND session.created_at < '10000-01-01 00:00Z'
                THEN session.created_at END AS created_at,
            coalesce(
                pg_column_size(session.workflow_state) <= 524288 AND jsonb_typeof(session.workflow_state) = 'object', true
            ) AS "accepts_trip_status!",
            session.status::text = 'active' AS "is_active!", ids.trip_id AS "trip_id?",
            avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id) AS "rfqs!",
            (
                SELECT coalesce(trip.merged_into, trip.key)
                FROM avinode_ingest.trips AS trip
                WHERE trip.key = ids.trip_id
            ) AS trip_key
        FROM public.chat_sessions AS session
        -- A sub-select and no join: a session that changed its request meanwhile is read again with its new request.
        CROSS JOIN LATERAL (
            SELECT avinode_ingest.session_trip_id(
                session.avinode_trip_id,
                (
                    SELECT request.avinode_trip_id
                    FROM public.requests AS request
                    WHERE request.id = session.request_id
                        AND coalesce(request.iso_agent_id, session.iso_agent_id) = session.iso_agent_id
                )
            ) AS trip_id,
            -- By its stored size, which costs nothing: a huge value is neither read nor changed.
            CASE WHEN pg_column_size(session.workflow_state) <= 524288 THEN session.workflow_state -> 'avinode_trip' END
                AS shown
        ) AS ids
        WHERE (SELECT count(*) FROM first) >= 0 -- evaluated after the first one is locked
            AND session.id = ANY (ARRAY(SELECT id FROM matching))
        ORDER BY session.id
        FOR NO KEY UPDATE OF session NOWAIT
        "#,
        keys,
        rematched,
        rfqs,
        own_trips,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let trip_ids: Vec<Option<String>> = rows.iter().map(|row| row.trip_id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // A separate statement after the locks, so it sees the writes of the transaction that held them before. It also shortens
    // `lock_timeout` for other locks (a row of `quotes` that the application writes): all waits of a transaction that holds
    // sessions must stay far below `deadlock_timeout` in total.
    let records = sqlx::query!(
        r#"
        WITH short_timeout AS MATERIALIZED (
            SELECT set_config('lock_timeout', '50ms', true)
        ), request_claim AS MATERIALIZED (
            -- By the session's trip id: the agents whose requests carry an id of the same trip, and those that were given it.
            SELECT known.key AS trip_id, array_agg(DISTINCT carrying.agent) AS claiming,
                array_agg(DISTINCT carrying.agent) FILTER (WHERE given.request_id IS NOT NULL) AS given
            FROM avinode_ingest.trips AS known
            CROSS JOIN LATERAL (
                SELECT coalesce(known.merged_into, known.key) AS key
                UNION ALL
                SELECT alias.key
                FROM avinode_ingest.trips AS alias
                WHERE alias.merged_into = coalesce(known.merged_into, known.key)
            ) AS named
            CROSS JOIN LATERAL (
                SELECT request.id, request.iso_agent_id AS agent
                FROM public.requests AS request
                WHERE avinode_ingest.normal_trip_id(request.avinode_trip_id) = named.key AND request.iso_agent_id IS NOT NULL
                OFFSET 0
            ) AS carrying
            LEFT JOIN avinode_ingest.given_requests AS given ON given.request_id = carrying.id AND given.trip_id = named.key
            WHERE known.key = ANY ($2)
            GROUP BY known.key
        )
        SELECT coalesce(state.pinned, false) AS "pinned!", state.selected_quote, state.matched_trip,
            state.matched_rfq, coalesce(state.timeline_seq, 0) AS "timeline_seq!", state.selected_by, state.selected_at,
            state.withheld_trip, state.given_trip, state.given_at, coalesce(state.given_rfqs, '{}') AS "given_rfqs!",
            EXISTS (
                SELECT FROM avinode_ingest.ledger
                WHERE session_id = session.id AND starts_with(quote_id, 'row:')
            ) AS "has_row_keys!",
            coalesce(request_claim.claiming, '{}') AS "claiming_agents!", coalesce(request_claim.given, '{}') AS "given_agents!"
        FROM short_timeout, unnest($1::uuid[], $2::text[]) AS session (id, trip_id)
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        LEFT JOIN request_claim ON request_claim.trip_id = session.trip_id
        ORDER BY session.id
        "#,
        &ids,
        &trip_ids as &[Option<String>],
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows
        .into_iter()
        .zip(records)
        .map(|(row, record)| {
            let trip_status_at = row.trip_status_at.as_deref();
            LockedSession {
                snapshot: SessionSnapshot {
                    id: row.id,
                    is_closed: SessionStatus::is_closed_word(&row.status),
                    current_step: row.current_step,
                    quotes_expected_count: row.quotes_expected_count,
                    operators_contacted_count: row.operators_contacted_count,
                    last_activity_at: row.last_activity_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                    accepts_trip_status: row.accepts_trip_status,
                    trip_status: row.trip_status,
                    trip_status_at: trip_status_at
                        .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
                        .map(|at| at.to_utc()),
                    pinned: record.pinned,
                    ledger: BTreeSet::new(),
                    last_selection: None,
                },
                trip_key: row.trip_key,
                withheld_trip: None,
                trip_id: row.trip_id,
                request_id: row.request_id,
                agent: row.agent,
                request_agent: row.request_agent,
                request_claims: claims(&record.claiming_agents, ClaimEvidence::Request)
                    .chain(claims(&record.given_agents, ClaimEvidence::Given))
                    .collect(),
                given: GivenIds {
                    trip: record.given_trip,
                    trip_at: record.given_at,
                    rfqs: record.given_rfqs,
                },
                created_at: row.created_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                primary_quote_id: row.primary_quote_id,
                is_active: row.is_active,
                rfqs: row.rfqs,
                shared_trips: Vec::new(),
                quotes_received_count: row.quotes_received_count,
                has_row_keys: record.has_row_keys,
                is_settled: true,
                state: SessionState {
                    session: row.id,
                    selected_quote: record.selected_quote,
                    selected_by: record.selected_by.and_then(|word| word.parse().ok()),
                    selected_at: record.selected_at,
                    matched_trip: record.matched_trip,
                    matched_rfq: record.matched_rfq,
                    timeline_seq: record.timeline_seq,
                    withheld_trip: record.withheld_trip,
                },
            }
        })
        .collect())
}

fn claims(agents: &[Uuid], evidence: ClaimEvidence) -> impl Iterator<Item = TripClaim> {
    agents.iter().map(move |&agent| TripClaim { agent, evidence })
}
