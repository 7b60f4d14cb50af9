//! The quotes of a trace: what is known of each, its row in the application's table, and the sessions that have counted it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::ids::QuoteId;
use crate::domain::primary_quote;
use crate::postgres::transaction::Transaction;
use crate::store::facts;

/// The most deliveries, documents and quotes, each, that a trace reads.
pub const MAX_ROWS: i64 = 500;

#[derive(Debug, Clone, Serialize)]
pub struct TracedQuote {
    pub id: String,
    pub trip: String,
    pub rfq: Option<String>,
    /// Its seller made it.
    pub is_received: bool,
    /// Avinode generated it.
    pub is_generated: bool,
    pub is_declined: bool,
    pub price: Option<Decimal>,
    pub currency: Option<String>,
    /// `public.quotes` can hold the price.
    pub is_projectable: bool,
    pub valid_until: Option<DateTime<Utc>>,
    /// The earliest time of a fact, by the sender's clock.
    pub first_fact_at: Option<DateTime<Utc>>,
    pub row: Option<TracedRow>,
    pub projection_error: Option<String>,
    pub counted: Vec<CountedQuote>,
}

/// The row that the service wrote, or has found, for a quote.
#[derive(Debug, Clone, Serialize)]
pub struct TracedRow {
    pub id: Uuid,
    /// False if the application has deleted it.
    pub exists: bool,
    pub request: Option<Uuid>,
    pub price: Option<Decimal>,
    pub status: Option<String>,
}

/// An entry of a session's ledger.
#[derive(Debug, Clone, Serialize)]
pub struct CountedQuote {
    pub session: Uuid,
    pub at: DateTime<Utc>,
    /// By the service; else by the application, before the service was attached.
    pub by_service: bool,
}

/// Reads the quotes with these ids, and all quotes of these trips and RFQs (in normal form).
pub async fn quotes(
    tx: &mut Transaction<'_>,
    ids: &[String],
    trips: &[String],
    rfqs: &[String],
) -> Result<Vec<TracedQuote>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT fact.quote_id, fact.trip_key, fact.rfq_id, fact.received,
            coalesce((fact.history ->> 'generated')::boolean, false) AS "is_generated!", fact.amount, fact.currency,
            avinode_ingest.is_projectable_price(fact.amount) AS "is_projectable!", fact.valid_until, fact.first_fact_at,
            fact.projected_id, fact.projection_error,
            quote.id IS NOT NULL AS "row_exists!", quote.request_id AS "request?",
            avinode_ingest.readable_price(quote.total_price::numeric) AS row_price, left(quote.status::text, 100) AS row_status
        FROM (
            SELECT trip_key, quote_id FROM avinode_ingest.quote_facts WHERE quote_id = ANY ($1)
            UNION
            SELECT trip_key, quote_id FROM avinode_ingest.quote_facts WHERE trip_key = ANY ($2)
            UNION
            SELECT known.trip_key, known.quote_id
            FROM avinode_ingest.rfqs AS rfq
            JOIN avinode_ingest.quote_facts AS known ON known.trip_key = rfq.trip_key
                AND avinode_ingest.normal_rfq_id(known.rfq_id) = avinode_ingest.normal_rfq_id(rfq.rfq_id)
            WHERE avinode_ingest.normal_rfq_id(rfq.rfq_id) = ANY ($3)
        ) AS wanted
        JOIN avinode_ingest.quote_facts AS fact ON fact.trip_key = wanted.trip_key AND fact.quote_id = wanted.quote_id
        LEFT JOIN public.quotes AS quote ON quote.id = fact.projected_id
        ORDER BY fact.first_fact_at, fact.quote_id
        LIMIT $4
        "#,
        ids,
        trips,
        rfqs,
        MAX_ROWS,
    )
    .fetch_all(&mut *tx)
    .await?;
    let names: Vec<String> = rows.iter().map(|row| row.quote_id.clone()).collect();
    let sessions = sessions_of_trips(tx, &rows.iter().map(|row| row.trip_key.clone()).collect::<Vec<_>>()).await?;
    let counted = sqlx::query!(
        r#"
        SELECT session_id, quote_id, counted, entered_at
        FROM avinode_ingest.ledger
        WHERE session_id = ANY ($1) AND quote_id = ANY ($2)
        ORDER BY entered_at, session_id
        "#,
        &sessions,
        &names,
    )
    .fetch_all(&mut *tx)
    .await?;
    let declined = declined(tx, rows.iter().map(|row| (&*row.trip_key, &*row.quote_id))).await?;
    let quotes = rows.into_iter().map(|row| {
        let entries = counted.iter().filter(|entry| entry.quote_id == row.quote_id);
        let is_declined = declined.contains(&(row.trip_key.clone(), row.quote_id.clone()));
        TracedQuote {
            counted: entries
                .map(|entry| CountedQuote {
                    session: entry.session_id,
                    at: entry.entered_at,
                    by_service: entry.counted,
                })
                .collect(),
            row: row.projected_id.map(|id| TracedRow {
                id,
                exists: row.row_exists,
                request: row.request,
                price: row.row_price,
                status: row.row_status,
            }),
            id: row.quote_id,
            trip: row.trip_key,
            rfq: row.rfq_id,
            is_received: row.received,
            is_generated: row.is_generated,
            is_declined,
            price: row.amount,
            currency: row.currency,
            is_projectable: row.is_projectable,
            valid_until: row.valid_until,
            first_fact_at: row.first_fact_at,
            projection_error: row.projection_error,
        }
    });
    Ok(quotes.collect())
}

/// Returns which of these quotes, by trip and id, are declined by the rules of the domain.
async fn declined<'a>(
    tx: &mut Transaction<'_>,
    quotes: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<HashSet<(String, String)>, sqlx::Error> {
    let quotes: Vec<(&str, QuoteId)> = quotes
        .filter_map(|(trip, id)| Some((trip, QuoteId::parse(id).ok()?)))
        .collect();
    let named: Vec<(&str, &QuoteId)> = quotes.iter().map(|(trip, id)| (*trip, id)).collect();
    let trips = facts::load_quotes(tx, &named).await?;
    let declined = named.into_iter().filter(|(trip, id)| {
        let facts = trips.get(*trip);
        facts.is_some_and(|facts| primary_quote::decline_of(facts, id).is_some())
    });
    Ok(declined.map(|(trip, id)| (trip.to_owned(), id.to_string())).collect())
}

/// The sessions that have these trips, or had them when a delivery was applied: the ledger has no index by quote.
pub async fn sessions_of_trips(tx: &mut Transaction<'_>, trips: &[String]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT session_id AS "session!" FROM avinode_ingest.sessions_of_trips($1)
        UNION
        SELECT found.session_id
        FROM avinode_ingest.sessions_of_rfqs(ARRAY(
            SELECT avinode_ingest.normal_rfq_id(rfq_id) FROM avinode_ingest.rfqs WHERE trip_key = ANY ($1)
        )) AS found
        UNION
        SELECT unnest(sessions) FROM avinode_ingest.delivery_subjects WHERE trip_key = ANY ($1)
        LIMIT 500
        "#,
        trips
    )
    .fetch_all(tx)
    .await
}
