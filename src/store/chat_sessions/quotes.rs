//! A session's quotes: told by the API, and listed from the ledger.

use crate::postgres::transaction::Transaction;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;
use crate::domain::chat_session::page::{Page, PageRequest};
use crate::domain::chat_session::view::SessionQuote;

/// All ids, in normal form, of the trip that has this one; itself, where no trip is known by it.
pub async fn trip_ids(tx: &mut Transaction<'_>, trip_id: &str) -> Result<Vec<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"
        WITH asked AS MATERIALIZED (
            SELECT coalesce(merged_into, key) AS key FROM avinode_ingest.trips WHERE key = $1
        )
        SELECT $1::text AS "id!"
        UNION SELECT key FROM asked
        UNION SELECT alias.key FROM avinode_ingest.trips AS alias JOIN asked ON alias.merged_into = asked.key
        "#,
        trip_id
    );
    ids.fetch_all(tx).await
}

/// The ids under which facts of a session's trips may stand: all of its own trip, and those of trips found by the RFQs that it
/// and the other sessions of its trip hold.
pub async fn trips_of(tx: &mut Transaction<'_>, session: Uuid) -> Result<Vec<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"
        WITH asked AS MATERIALIZED (
            SELECT avinode_ingest.normal_trip_id(avinode_trip_id) AS trip,
                avinode_ingest.normal_rfq_id(avinode_rfq_id) AS rfq
            FROM public.chat_sessions
            WHERE id = $1
        ), own AS MATERIALIZED (
            SELECT coalesce(known.merged_into, asked.trip) AS key
            FROM asked
            LEFT JOIN avinode_ingest.trips AS known ON known.key = asked.trip
            WHERE asked.trip IS NOT NULL
        ), ids AS MATERIALIZED (
            SELECT key AS id FROM own
            UNION
            SELECT alias.key FROM own JOIN avinode_ingest.trips AS alias ON alias.merged_into = own.key
        ), held AS MATERIALIZED (
            SELECT rfq FROM asked WHERE rfq IS NOT NULL
            UNION
            SELECT avinode_ingest.normal_rfq_id(sibling.avinode_rfq_id)
            FROM ids
            JOIN public.chat_sessions AS sibling
                ON avinode_ingest.normal_trip_id(sibling.avinode_trip_id) = ids.id
            WHERE avinode_ingest.normal_rfq_id(sibling.avinode_rfq_id) IS NOT NULL
        )
        SELECT id AS "id!" FROM ids
        UNION
        SELECT request.trip_key
        FROM held
        JOIN avinode_ingest.requests AS request ON avinode_ingest.normal_rfq_id(request.request_id) = held.rfq
        "#,
        session
    );
    ids.fetch_all(tx).await
}

/// A row of `quotes` and what we know it by.
#[derive(Debug, Clone)]
pub struct QuoteRow {
    /// The request that the row belongs to.
    pub request_id: Option<Uuid>,
    /// Avinode's id, as the row has it.
    pub avinode_quote_id: Option<String>,
    /// Avinode's id of the fact that the row shows.
    pub fact: Option<String>,
    /// Whether that fact is about one of the trips asked for.
    pub of_trip: bool,
    /// Its operator.
    pub operator_name: Option<String>,
}

/// Reads a row of `quotes`. `None`: there is none.
pub async fn shown(tx: &mut Transaction<'_>, row: Uuid, trip_ids: &[String]) -> Result<Option<QuoteRow>, sqlx::Error> {
    sqlx::query_as!(
        QuoteRow,
        r#"
        SELECT quote.request_id AS "request_id?", quote.avinode_quote_id AS "avinode_quote_id?",
            fact.quote_id AS "fact?", coalesce(fact.of_trip, false) AS "of_trip!",
            quote.operator_name AS "operator_name?"
        FROM public.quotes AS quote
        LEFT JOIN LATERAL (
            SELECT known.quote_id, known.trip_key = ANY ($2) AS of_trip
            FROM avinode_ingest.quotes AS known
            WHERE known.projected_id = quote.id
            ORDER BY of_trip DESC, known.trip_key
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

/// Enters a quote into the ledger of a locked session. `false`: it was there already.
pub async fn enter(tx: &mut Transaction<'_>, session: Uuid, quote: &str) -> Result<bool, sqlx::Error> {
    let entered = sqlx::query!(
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
    Ok(entered.rows_affected() == 1)
}

/// What a quote changes in its session.
#[derive(Debug, Clone, Default)]
pub struct QuoteWrite {
    /// How many quotes are new.
    pub entered: i32,
    /// What the count is to be instead.
    pub received: Option<i32>,
    /// `quotes_expected_count`.
    pub expected: Option<i32>,
    /// `primary_quote_id`.
    pub primary: Option<Uuid>,
    /// `current_step`.
    pub step: Option<String>,
}

/// Writes it to a locked session.
pub async fn write(
    tx: &mut Transaction<'_>,
    session: Uuid,
    written: &QuoteWrite,
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
        written.received,
        i64::from(written.entered),
        written.expected,
        written.primary,
        written.step,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Reads a page of a session's ledger by quote id, with what is known of each quote.
pub async fn list(
    tx: &mut Transaction<'_>,
    session: Uuid,
    trip_ids: &[String],
    page: &PageRequest<String>,
) -> Result<Page<SessionQuote, String>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT entry.quote_id AS "key!", entry.counted AS "counted!", entry.entered_at AS "entered_at!",
            shown.id AS "row?", coalesce(shown.id = session.primary_quote_id, false) AS "is_primary!",
            coalesce(fact.quote_id, shown.avinode_quote_id,
                CASE WHEN entry.quote_id NOT LIKE 'row:%' THEN entry.quote_id END) AS avinode_quote_id,
            coalesce(fact.operator_name, shown.operator_name) AS operator_name,
            coalesce(fact.amount, nullif(shown.total_price::numeric, 'NaN')) AS total_price,
            coalesce(fact.currency, shown.metadata ->> 'currency') AS currency,
            coalesce(fact.aircraft_type, shown.aircraft_type) AS aircraft_type,
            coalesce(fact.aircraft_tail, shown.aircraft_tail_number) AS aircraft_tail_number,
            coalesce(fact.valid_until, shown.valid_until) AS "valid_until: PgTimestamp",
            coalesce(fact.declined, false) OR coalesce(rfq.declined, false) AS "declined!",
            coalesce(fact.decline_reason, rfq.decline_reason) AS decline_reason,
            shown.status::text AS status
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
            FROM avinode_ingest.quotes AS known
            WHERE known.trip_key = ANY ($4) AND known.quote_id = entry.quote_id
            ORDER BY known.trip_key
            LIMIT 1
        ) AS fact ON true
        LEFT JOIN avinode_ingest.requests AS rfq
            ON rfq.trip_key = fact.trip_key AND rfq.request_id = fact.request_id
        LEFT JOIN public.quotes AS shown ON shown.id = coalesce(
            fact.projected_id,
            -- The ledger's word for a quote that has no id at Avinode.
            CASE WHEN entry.quote_id ~ '^row:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN substr(entry.quote_id, 5)::uuid END,
            (SELECT own.id FROM public.quotes AS own WHERE own.avinode_quote_id = entry.quote_id ORDER BY own.id LIMIT 1)
        )
        ORDER BY entry.quote_id
        "#,
        session,
        page.after,
        i64::from(page.limit) + 1,
        trip_ids,
    )
    .fetch_all(tx)
    .await?;
    let quotes = rows.into_iter().map(|row| {
        let quote = SessionQuote {
            quote_id: row.row,
            avinode_quote_id: row.avinode_quote_id,
            is_primary: row.is_primary,
            counted: row.counted,
            entered_at: row.entered_at,
            operator_name: row.operator_name,
            total_price: row.total_price,
            currency: row.currency,
            aircraft_type: row.aircraft_type,
            aircraft_tail_number: row.aircraft_tail_number,
            valid_until: row.valid_until.and_then(PgTimestamp::time),
            declined: row.declined,
            decline_reason: row.decline_reason,
            status: row.status,
        };
        (quote, row.key)
    });
    let listed = Page::cut(quotes.collect(), page.limit, |(_, key)| key.clone());
    Ok(Page {
        data: listed.data.into_iter().map(|(quote, _)| quote).collect(),
        next: listed.next,
    })
}
