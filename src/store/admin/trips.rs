//! The trips of ids, and the resources of trips, each by an index.

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

/// All ids of these trips, the merged ones included.
pub async fn with_aliases(tx: &mut Transaction<'_>, keys: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        WITH canonical AS MATERIALIZED (
            SELECT coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = ANY ($1)
        )
        SELECT key AS "key!" FROM canonical
        UNION
        SELECT trip.key FROM avinode_ingest.trips AS trip JOIN canonical ON trip.merged_into = canonical.key
        UNION
        SELECT unnest($1::text[])
        "#,
        keys
    )
    .fetch_all(tx)
    .await
}

/// The trips that know an RFQ, in normal form.
pub async fn of_rfq(tx: &mut Transaction<'_>, rfq: &str) -> Result<Vec<String>, sqlx::Error> {
    let keys = sqlx::query_scalar!(
        "SELECT trip_key FROM avinode_ingest.rfqs WHERE avinode_ingest.normal_rfq_id(rfq_id) = $1",
        rfq
    );
    let keys = keys.fetch_all(&mut *tx).await?;
    with_aliases(tx, &keys).await
}

/// The trips that know a quote.
pub async fn of_quote(tx: &mut Transaction<'_>, quote: &str) -> Result<Vec<String>, sqlx::Error> {
    let keys = sqlx::query_scalar!(
        "SELECT trip_key FROM avinode_ingest.quote_facts WHERE quote_id = $1",
        quote
    );
    let keys = keys.fetch_all(&mut *tx).await?;
    with_aliases(tx, &keys).await
}

/// The trips of an event that was applied: its key leads to its first delivery.
pub async fn of_event(tx: &mut Transaction<'_>, event: &str) -> Result<Vec<String>, sqlx::Error> {
    let keys = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT subject.trip_key AS "trip_key!"
        FROM avinode_ingest.event_keys AS event
        JOIN avinode_ingest.delivery_subjects AS subject ON subject.delivery_id = event.delivery_id
        WHERE event.event_id = $1 AND subject.trip_key IS NOT NULL
        "#,
        event
    );
    let keys = keys.fetch_all(&mut *tx).await?;
    with_aliases(tx, &keys).await
}

/// The trips that a session has, by its trip id or its RFQs, with their merged ids.
pub async fn of_session(tx: &mut Transaction<'_>, session: Uuid) -> Result<Vec<String>, sqlx::Error> {
    let keys = named_by_session(tx, session).await?.unwrap_or_default();
    with_aliases(tx, &keys).await
}

/// The trips that a session names by its trip id or its RFQs; `None` if there is no such session. A trip that is withheld from it
/// because it belongs to another agent is left out.
pub async fn named_by_session(tx: &mut Transaction<'_>, session: Uuid) -> Result<Option<Vec<String>>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT ARRAY(
            SELECT named.trip
            FROM (
                SELECT ids.trip_id AS trip
                UNION
                SELECT state.matched_trip
                UNION
                SELECT rfq.trip_key
                FROM avinode_ingest.rfqs AS rfq
                WHERE avinode_ingest.normal_rfq_id(rfq.rfq_id) = ANY (ids.rfq_ids)
            ) AS named
            WHERE named.trip <> '' AND named.trip IS DISTINCT FROM state.withheld_trip
                AND NOT EXISTS (
                    SELECT FROM avinode_ingest.trips AS alias
                    WHERE alias.key = named.trip AND alias.merged_into = state.withheld_trip
                )
        ) AS "trips!"
        FROM avinode_ingest.ids_of_sessions(ARRAY[$1::uuid]) AS ids
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = ids.session_id
        "#,
        session
    )
    .fetch_optional(tx)
    .await
}

/// The ids of the RFQs, quotes and messages of trips.
pub async fn resources(tx: &mut Transaction<'_>, trips: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT quote_id AS "id!" FROM avinode_ingest.quote_facts WHERE trip_key = ANY ($1)
        UNION
        SELECT rfq_id FROM avinode_ingest.rfqs WHERE trip_key = ANY ($1)
        UNION
        SELECT message_id FROM avinode_ingest.messages WHERE trip_key = ANY ($1)
        "#,
        trips
    )
    .fetch_all(tx)
    .await
}
