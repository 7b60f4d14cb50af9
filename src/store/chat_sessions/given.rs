//! Records the trip and the RFQs that the API gives to a session: evidence where sessions of several agents claim one trip.

use crate::postgres::transaction::Transaction;
use uuid::Uuid;

/// The ids that a call gives to a session. `None` for those that it does not name.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewIds<'a> {
    /// `Some(None)` removes the trip.
    pub trip: Option<Option<&'a str>>,
    pub rfq: Option<&'a str>,
    pub rfp: Option<&'a str>,
}

/// Records the ids of a locked session, also those that it had already. Returns false if they were given to it before.
pub async fn record(tx: &mut Transaction<'_>, session: Uuid, ids: NewIds<'_>) -> Result<bool, sqlx::Error> {
    let NewIds { trip, rfq, rfp } = ids;
    if trip.is_none() && rfq.is_none() && rfp.is_none() {
        return Ok(false);
    }
    let recorded = sqlx::query!(
        r#"
        WITH new AS (
            SELECT CASE WHEN $2 THEN coalesce(avinode_ingest.normal_trip_id($3), '') END AS trip,
                avinode_ingest.session_rfq_ids($4, $5) AS rfqs
        )
        INSERT INTO avinode_ingest.session_state AS state (session_id, given_trip, given_at, given_rfqs)
        SELECT $1, new.trip, CASE WHEN new.trip <> '' THEN clock_timestamp() END, new.rfqs
        FROM new
        ON CONFLICT (session_id) DO UPDATE
        SET given_trip = coalesce(EXCLUDED.given_trip, state.given_trip),
            given_at = CASE
                WHEN coalesce(EXCLUDED.given_trip, state.given_trip) IS NOT DISTINCT FROM state.given_trip THEN state.given_at
                ELSE EXCLUDED.given_at
            END,
            given_rfqs = ARRAY(SELECT unnest(state.given_rfqs) UNION SELECT unnest(EXCLUDED.given_rfqs))
        WHERE coalesce(EXCLUDED.given_trip, state.given_trip) IS DISTINCT FROM state.given_trip
            OR NOT coalesce(EXCLUDED.given_rfqs <@ state.given_rfqs, EXCLUDED.given_rfqs = '{}')
        "#,
        session,
        trip.is_some(),
        trip.flatten(),
        rfq,
        rfp,
    )
    .execute(tx)
    .await?;
    Ok(recorded.rows_affected() == 1)
}
