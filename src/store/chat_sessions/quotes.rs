//! A session's quotes: recorded by the API, and listed from the ledger.

use crate::postgres::transaction::Transaction;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;
use crate::domain::chat_session::input::QuoteUpdate;
use crate::domain::chat_session::page::{Page, PageRequest};
use crate::domain::chat_session::view::SessionQuote;
use crate::domain::ids::QuoteId;
use crate::domain::primary_quote;
use crate::store::facts;
use crate::store::sessions::row_keys;

/// All ids, in normal form, of the trip with this id; the id itself if the trip is unknown.
pub async fn trip_ids(tx: &mut Transaction<'_>, trip_id: &str) -> Result<Vec<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"
        WITH canonical AS MATERIALIZED (
            SELECT coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = $1
        )
        SELECT $1::text AS "id!"
        UNION SELECT key FROM canonical
        UNION SELECT alias.key FROM avinode_ingest.trips AS alias JOIN canonical ON alias.merged_into = canonical.key
        "#,
        trip_id
    );
    ids.fetch_all(tx).await
}

/// The ids under which facts of a session's trips may be stored: all ids of its own trip, and the trips of the RFQs that it
/// and the other sessions of its trip hold.
pub async fn trip_ids_of_session(tx: &mut Transaction<'_>, session: Uuid) -> Result<Vec<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"
        WITH own_ids AS MATERIALIZED (
            SELECT trip_id AS trip, rfq_ids FROM avinode_ingest.ids_of_sessions(ARRAY[$1::uuid])
        ), own_trip AS MATERIALIZED (
            SELECT coalesce(known.merged_into, own_ids.trip) AS key
            FROM own_ids
            LEFT JOIN avinode_ingest.trips AS known ON known.key = own_ids.trip
            WHERE own_ids.trip IS NOT NULL
                AND NOT EXISTS (
                    SELECT FROM avinode_ingest.session_state AS state
                    WHERE state.session_id = $1 AND state.withheld_trip = coalesce(known.merged_into, own_ids.trip)
                )
        ), own_trip_id AS MATERIALIZED (
            SELECT key AS id FROM own_trip
            UNION
            SELECT alias.key FROM own_trip JOIN avinode_ingest.trips AS alias ON alias.merged_into = own_trip.key
        ), held_rfq AS MATERIALIZED (
            SELECT unnest(rfq_ids) AS rfq FROM own_ids
            UNION
            SELECT unnest(rfq_ids) FROM avinode_ingest.sessions_of_trips(ARRAY(SELECT id FROM own_trip_id))
        )
        SELECT id AS "id!" FROM own_trip_id
        UNION
        SELECT known.trip_key
        FROM held_rfq
        JOIN avinode_ingest.rfqs AS known ON avinode_ingest.normal_rfq_id(known.rfq_id) = held_rfq.rfq
        "#,
        session
    );
    ids.fetch_all(tx).await
}

/// A row of `public.quotes`, with the quote that is projected in it.
#[derive(Debug, Clone)]
pub struct QuoteRow {
    pub request_id: Option<Uuid>,
    /// The quote that the row names, in its column or its metadata.
    pub avinode_quote_id: Option<String>,
    /// Avinode's id of the quote that is projected in the row.
    pub projected_quote_id: Option<String>,
    /// The projected quote belongs to one of the given trips.
    pub is_of_trip: bool,
    pub operator_name: Option<String>,
}

/// Reads a row of `public.quotes`.
pub async fn find_row(
    tx: &mut Transaction<'_>,
    row: Uuid,
    trip_ids: &[String],
) -> Result<Option<QuoteRow>, sqlx::Error> {
    sqlx::query_as!(
        QuoteRow,
        r#"
        SELECT quote.request_id AS "request_id?", 
            avinode_ingest.row_quote_id(quote.avinode_quote_id, quote.metadata) AS "avinode_quote_id?",
            fact.quote_id AS "projected_quote_id?", coalesce(fact.is_of_trip, false) AS "is_of_trip!",
            left(quote.operator_name, 10000) AS "operator_name?"
        FROM public.quotes AS quote
        LEFT JOIN LATERAL (
            SELECT known.quote_id, known.trip_key = ANY ($2) AS is_of_trip
            FROM avinode_ingest.quote_facts AS known
            WHERE known.projected_id = quote.id
            ORDER BY is_of_trip DESC, known.trip_key
            LIMIT 1
        ) AS fact ON true
        WHERE quote.id = $1
        "#,
        row,
        trip_ids
    )
    .fetch_optional(tx)
    .await
}

/// Inserts a quote into the ledger of a locked session; returns false if it was there already.
pub async fn insert_into_ledger(tx: &mut Transaction<'_>, session: Uuid, quote: &str) -> Result<bool, sqlx::Error> {
    // It may have been recorded by its row, before the row had Avinode's id.
    row_keys::rename(tx, &[session]).await?;
    let inserted = sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
        VALUES ($1, $2, true)
        ON CONFLICT (session_id, quote_id) DO NOTHING
        "#,
        session,
        quote
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Writes a recorded quote to a locked session. `new_quotes`: added to `quotes_received_count`, unless the update has a count.
pub async fn write(
    tx: &mut Transaction<'_>,
    session: Uuid,
    update: &QuoteUpdate,
    new_quotes: i64,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET quotes_received_count = coalesce($2,
                least(coalesce(session.quotes_received_count, 0)::bigint + $3, 2147483647)::integer),
            quotes_expected_count = coalesce($4, session.quotes_expected_count),
            primary_quote_id = coalesce($5, session.primary_quote_id),
            current_step = coalesce($6, session.current_step),
            last_activity_at = greatest(session.last_activity_at, $7),
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        update.quotes_received_count,
        new_quotes,
        update.quotes_expected_count,
        update.primary_quote_id,
        update.current_step,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Reads a page of a session's ledger by quote id, with the facts of each quote.
pub async fn list(
    tx: &mut Transaction<'_>,
    session: Uuid,
    trip_ids: &[String],
    page: &PageRequest<String>,
) -> Result<Page<SessionQuote, String>, sqlx::Error> {
    let mut quotes = sqlx::query_as!(
        SessionQuote,
        r#"
        SELECT entry.quote_id AS "key!", entry.counted AS "counted!", entry.entered_at AS "entered_at!",
            quote.id AS "quote_id?", coalesce(quote.id = session.primary_quote_id, false) AS "is_primary!",
            coalesce(fact.quote_id, avinode_ingest.row_quote_id(quote.avinode_quote_id, quote.metadata),
                CASE WHEN entry.quote_id NOT LIKE 'row:%' THEN entry.quote_id END) AS avinode_quote_id,
            coalesce(fact.operator_name, left(quote.operator_name, 10000)) AS operator_name,
            coalesce(fact.amount, avinode_ingest.readable_price(quote.total_price::numeric)) AS total_price,
            coalesce(
                fact.currency,
                CASE WHEN jsonb_typeof(quote.metadata -> 'currency') = 'string' THEN left(quote.metadata ->> 'currency', 10000) END
            ) AS currency,
            coalesce(fact.aircraft_type, left(quote.aircraft_type, 10000)) AS aircraft_type,
            coalesce(fact.aircraft_tail, left(quote.aircraft_tail_number, 10000)) AS aircraft_tail_number,
            coalesce(fact.valid_until, quote.valid_until) AS "valid_until!: PgTimestamp",
            -- Decided below, by the rules of the domain.
            false AS "declined!", NULL::text AS "decline_reason?", quote.status::text AS status
        FROM (
            SELECT quote_id, counted, entered_at
            FROM avinode_ingest.ledger
            WHERE session_id = $1 AND ($2::text IS NULL OR quote_id > $2)
            ORDER BY quote_id
            LIMIT $3
        ) AS entry
        JOIN public.chat_sessions AS session ON session.id = $1
        LEFT JOIN LATERAL (
            SELECT known.*
            FROM avinode_ingest.quote_facts AS known
            WHERE known.trip_key = ANY ($4) AND known.quote_id = entry.quote_id
            ORDER BY known.trip_key
            LIMIT 1
        ) AS fact ON true
        LEFT JOIN public.quotes AS quote ON quote.id = coalesce(
            fact.projected_id,
            -- The ledger's key of a quote without an Avinode id.
            CASE WHEN entry.quote_id ~ '^row:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN substr(entry.quote_id, 5)::uuid END,
            -- As in store::projection: ORDER BY id LIMIT 1 may read the whole table.
            (
                SELECT (array_agg(own.id ORDER BY own.id))[1]
                FROM public.quotes AS own
                WHERE avinode_ingest.row_quote_id(own.avinode_quote_id, own.metadata) = entry.quote_id
            )
        )
        ORDER BY entry.quote_id
        "#,
        session,
        page.after,
        i64::from(page.limit) + 1,
        trip_ids,
    )
    .fetch_all(&mut *tx)
    .await?;
    set_declines(tx, trip_ids, &mut quotes).await?;
    Ok(Page::from_rows(quotes, page.limit, |quote| quote.key.clone()))
}

/// Sets which quotes are declined, and why. Of several trips that have the quote, the first one counts, as for its other facts.
async fn set_declines(
    tx: &mut Transaction<'_>,
    trip_ids: &[String],
    quotes: &mut [SessionQuote],
) -> Result<(), sqlx::Error> {
    let ids: Vec<QuoteId> = quotes
        .iter()
        .filter_map(|quote| QuoteId::parse(&quote.key).ok())
        .collect();
    let named: Vec<_> = trip_ids
        .iter()
        .flat_map(|trip| ids.iter().map(|id| (trip.as_str(), id)))
        .collect();
    let trips = facts::load_quotes(tx, &named).await?;
    for quote in quotes {
        let Ok(id) = QuoteId::parse(&quote.key) else { continue };
        let trip = trips.values().find(|trip| trip.quotes.contains_key(&id));
        if let Some(reason) = trip.and_then(|trip| primary_quote::decline_of(trip, &id)) {
            quote.declined = true;
            quote.decline_reason.clone_from(reason);
        }
    }
    Ok(())
}
