//! The sweep: sessions whose notes went missing (a trigger that was disabled, a swallowed error), and quotes that can be
//! shown by now. It only names them; matching them again does the rest.

use uuid::Uuid;

use super::tx;
use crate::postgres::transaction::Pool;

/// Sessions of each sort that one sweep looks after. What it finds is mended, so the next sweep finds others.
const LIMIT: i64 = 1_000;

/// Pins primaries that were written past the triggers, and unpins those set to NULL past them. Returns the
/// sessions to be matched again. It reads all sessions: once in a while will do.
pub async fn sweep(pool: &Pool) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = tx::begin_reading_all(pool).await?;
    sqlx::query!(
        r#"
        -- A primary that is not the row of the quote elected last was written by somebody else.
        INSERT INTO avinode_ingest.session_state (session_id, pinned)
        SELECT session.id, true
        FROM public.chat_sessions AS session
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        WHERE session.primary_quote_id IS NOT NULL
            AND NOT coalesce(state.pinned, false)
            AND NOT EXISTS (
                SELECT FROM avinode_ingest.quotes AS fact
                WHERE fact.projected_id = session.primary_quote_id AND fact.quote_id = state.elected_quote
            )
        ORDER BY session.id
        LIMIT $1
        -- With sessions held nothing of the application's is waited for; the next sweep finds what is left.
        FOR NO KEY UPDATE OF session SKIP LOCKED
        ON CONFLICT (session_id) DO UPDATE SET pinned = true
        "#,
        LIMIT
    )
    .execute(&mut tx)
    .await?;
    let unpinned = sqlx::query_scalar!(
        r#"
        -- And a pin without a primary was undone past the triggers.
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
        ) AS undone
        WHERE state.session_id = undone.session_id
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
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        WHERE avinode_ingest.normal_trip_id(session.avinode_trip_id) IS DISTINCT FROM state.matched_trip
            OR avinode_ingest.normal_rfq_id(session.avinode_rfq_id) IS DISTINCT FROM state.matched_rfq
        LIMIT $1
        "#,
        LIMIT
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    missed.extend(unpinned);
    missed.extend(unshown(pool).await?);
    missed.sort_unstable();
    missed.dedup();
    Ok(missed)
}

/// Sessions of whose trips quotes can be shown by now: a request was linked, or a refusal is a day old. By an index over
/// just those quotes, so it may be asked often.
pub async fn unshown(pool: &Pool) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = tx::begin_reading_all(pool).await?;
    sqlx::query!(
        r#"
        -- What the application's table refused may be taken by now: a column's rule changes, a row is filled in.
        UPDATE avinode_ingest.quotes SET projection_error = NULL
        WHERE projected_id IS NULL AND received AND refused_at < clock_timestamp() - interval '1 day'
            AND projection_error IS NOT NULL
        "#
    )
    .execute(&mut tx)
    .await?;
    let sessions = sqlx::query_scalar!(
        r#"
        -- Of quotes whose price is one that can be shown.
        SELECT session.id AS "id!"
        FROM avinode_ingest.quotes AS fact
        CROSS JOIN LATERAL (
            SELECT fact.trip_key AS id
            UNION ALL
            SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = fact.trip_key
        ) AS trip
        JOIN public.chat_sessions AS session ON avinode_ingest.normal_trip_id(session.avinode_trip_id) = trip.id
        WHERE fact.projected_id IS NULL AND fact.received AND fact.projection_error IS NULL
            AND avinode_ingest.can_be_shown(fact.amount)
            AND session.request_id IS NOT NULL
        UNION
        SELECT session.id
        FROM avinode_ingest.quotes AS fact
        JOIN avinode_ingest.requests AS rfq ON rfq.trip_key = fact.trip_key
        JOIN public.chat_sessions AS session
            ON avinode_ingest.normal_rfq_id(session.avinode_rfq_id) = avinode_ingest.normal_rfq_id(rfq.request_id)
        WHERE fact.projected_id IS NULL AND fact.received AND fact.projection_error IS NULL
            AND avinode_ingest.can_be_shown(fact.amount)
            AND session.request_id IS NOT NULL
            -- Those whose trip somebody has are that session's.
            AND NOT EXISTS (
                SELECT FROM public.chat_sessions AS other
                WHERE avinode_ingest.normal_trip_id(other.avinode_trip_id) = ANY (ARRAY(
                    SELECT fact.trip_key
                    UNION ALL
                    SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = fact.trip_key
                ))
            )
        LIMIT $1
        "#,
        LIMIT
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(sessions)
}
