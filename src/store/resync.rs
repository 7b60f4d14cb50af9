//! Resync: finds sessions for which a trigger missed a change (a disabled trigger, a swallowed error), and quotes that can be
//! projected by now. It returns the sessions to rematch.

use uuid::Uuid;

use super::tx;
use crate::postgres::transaction::Pool;

/// The most sessions of each sort per resync. Those found are repaired, so the next resync finds others.
const LIMIT: i64 = 1_000;

/// Pins primary quotes that were written past the triggers, and unpins those that were set to NULL past them. Returns the
/// sessions to rematch. It reads all sessions, so it is for rare use.
pub async fn find_missed_sessions(pool: &Pool) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = tx::begin_full_scan(pool).await?;
    sqlx::query!(
        r#"
        -- A primary quote that is not the row of the quote selected last was written by the application.
        INSERT INTO avinode_ingest.session_state (session_id, pinned)
        SELECT session.id, true
        FROM public.chat_sessions AS session
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        WHERE session.primary_quote_id IS NOT NULL
            AND NOT coalesce(state.pinned, false)
            AND NOT EXISTS (
                SELECT FROM avinode_ingest.quote_facts AS fact
                WHERE fact.projected_id = session.primary_quote_id AND fact.quote_id = state.selected_quote
            )
        ORDER BY session.id
        LIMIT $1
        -- A transaction that holds sessions never waits for the application; the next resync finds the skipped ones.
        FOR NO KEY UPDATE OF session SKIP LOCKED
        ON CONFLICT (session_id) DO UPDATE SET pinned = true
        "#,
        LIMIT
    )
    .execute(&mut tx)
    .await?;
    let unpinned = sqlx::query_scalar!(
        r#"
        -- A pinned primary quote that is NULL was unpinned past the triggers.
        UPDATE avinode_ingest.session_state AS state
        SET pinned = false
        FROM (
            SELECT state.session_id
            FROM avinode_ingest.session_state AS state
            JOIN public.chat_sessions AS session ON session.id = state.session_id
            WHERE state.pinned AND session.primary_quote_id IS NULL
            ORDER BY session.id
            LIMIT $1
            FOR NO KEY UPDATE OF session SKIP LOCKED
        ) AS unpinned
        WHERE state.session_id = unpinned.session_id
        RETURNING state.session_id
        "#,
        LIMIT
    )
    .fetch_all(&mut tx)
    .await?;
    let mut missed = sqlx::query_scalar!(
        r#"
        SELECT session.id
        FROM public.chat_sessions AS session
        LEFT JOIN public.requests AS request
            ON request.id = session.request_id AND coalesce(request.iso_agent_id, session.iso_agent_id) = session.iso_agent_id
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        WHERE avinode_ingest.session_trip_id(session.avinode_trip_id, request.avinode_trip_id)
                IS DISTINCT FROM state.matched_trip
            OR nullif(array_to_string(avinode_ingest.session_rfq_ids(session.avinode_rfq_id, session.avinode_rfp_id), ' '), '')
                IS DISTINCT FROM state.matched_rfq
        LIMIT $1
        "#,
        LIMIT
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    missed.extend(unpinned);
    missed.extend(find_sessions_of_quotes(pool, true).await?);
    missed.sort_unstable();
    missed.dedup();
    Ok(missed)
}

/// Returns the sessions of unprojected quotes that can be projected by now: their session got a request, or the table refused
/// them more than a day ago. It reads an index on these quotes only, so it is for frequent use.
pub async fn find_projectable_sessions(pool: &Pool) -> Result<Vec<Uuid>, sqlx::Error> {
    find_sessions_of_quotes(pool, false).await
}

/// As [`find_projectable_sessions`]; with `outdated` also the sessions of rows to which the application wrote an older price of
/// Avinode's, which reads all quotes.
async fn find_sessions_of_quotes(pool: &Pool, outdated: bool) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = tx::begin_full_scan(pool).await?;
    sqlx::query!(
        r#"
        -- The application's table may accept by now what it refused before: a constraint or a referenced row changed.
        UPDATE avinode_ingest.quote_facts SET projection_error = NULL
        WHERE projected_id IS NULL AND received AND projection_failed_at < clock_timestamp() - interval '1 day'
            AND projection_error IS NOT NULL
        "#
    )
    .execute(&mut tx)
    .await?;
    let sessions = sqlx::query_scalar!(
        r#"
        WITH fact AS MATERIALIZED (
            SELECT trip_key
            FROM avinode_ingest.quote_facts
            WHERE projected_id IS NULL AND received AND projection_error IS NULL
                AND avinode_ingest.is_projectable_price(amount)
            UNION ALL
            SELECT fact.trip_key
            FROM avinode_ingest.quote_facts AS fact
            JOIN public.quotes AS quote ON quote.id = fact.projected_id
            WHERE $2 AND fact.received AND abs(quote.total_price - fact.amount) >= 0.01
                AND fact.stated_values -> 'price' ? round(quote.total_price, 2)::text
        ), trip AS MATERIALIZED (
            SELECT DISTINCT fact.trip_key AS key,
                fact.trip_key || ARRAY(
                    SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = fact.trip_key
                ) AS ids
            FROM fact
        ), trip_session AS MATERIALIZED (
            SELECT trip.key, found.session_id
            FROM trip
            CROSS JOIN LATERAL avinode_ingest.sessions_of_trips(trip.ids) AS found
        ), rfq_session AS MATERIALIZED (
            SELECT found.session_id
            FROM trip
            CROSS JOIN LATERAL avinode_ingest.sessions_of_rfqs(ARRAY(
                SELECT avinode_ingest.normal_rfq_id(rfq.rfq_id) FROM avinode_ingest.rfqs AS rfq WHERE rfq.trip_key = trip.key
            )) AS found
            -- A trip id that a session has belongs to that session alone.
            WHERE trip.key NOT IN (SELECT key FROM trip_session)
        )
        SELECT session.id AS "id!"
        FROM public.chat_sessions AS session
        WHERE session.request_id IS NOT NULL
            -- Quotes are not shown under a request of another agent, nor for a session from which its trip is withheld.
            AND NOT EXISTS (
                SELECT FROM public.requests AS request
                WHERE request.id = session.request_id AND request.iso_agent_id <> session.iso_agent_id
            )
            AND NOT EXISTS (
                SELECT FROM avinode_ingest.session_state AS state
                WHERE state.session_id = session.id AND state.withheld_trip IS NOT NULL
            )
            AND session.id = ANY (ARRAY(
                SELECT session_id FROM trip_session
                UNION
                SELECT session_id FROM rfq_session
            ))
        LIMIT $1
        "#,
        LIMIT,
        outdated,
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(sessions)
}
