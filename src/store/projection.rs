//! Projects the facts into `public.quotes`: one row per Avinode quote, in which only values that we wrote last are ever
//! overwritten.
//!
//! The table is the application's, so an unknown column or constraint may refuse a row. A projection therefore runs in a
//! savepoint; a refusal is recorded in `quote_facts`, and the session only lacks the visible row.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::domain::ids::QuoteId;
use crate::domain::quote::ReceivedQuote;
use crate::postgres::sqlstate::{QUERY_CANCELED, is_contention};
use crate::postgres::transaction::Transaction;

mod bulk_insert;
mod column_ownership;
mod row;
mod values;

/// Prices in `quotes` are numeric(12,2): from one cent to just below ten billion.
const PRICE_LIMIT: i64 = 10_000_000_000;

/// A quote to project.
#[derive(Debug, Clone)]
pub struct QuoteProjection<'a> {
    pub trip_key: &'a str,
    pub quote: &'a QuoteId,
    pub facts: &'a ReceivedQuote,
    /// The row in which it is projected already.
    pub row: Option<Uuid>,
    /// The request of a new row.
    pub request_id: Option<Uuid>,
    /// The id of a new row.
    pub new_id: Uuid,
}

impl QuoteProjection<'_> {
    /// The price, if `quotes` can hold it.
    pub fn price(&self) -> Option<Decimal> {
        projectable_price(self.facts)
    }
}

/// The price of a quote, if `quotes` can hold it: above zero and below ten billion, rounded to whole cents as Postgres does.
/// The SQL function `avinode_ingest.is_projectable_price(numeric)` is the same rule; a test compares the two.
pub fn projectable_price(quote: &ReceivedQuote) -> Option<Decimal> {
    let price = quote.details.price.as_ref()?.amount;
    let price = price.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    (price > Decimal::ZERO && price < Decimal::from(PRICE_LIMIT)).then_some(price)
}

/// Projects quotes. Returns their rows, in their order; `None` for a quote without a row.
///
/// New rows are inserted together. If the table refuses that, each one is inserted separately, so that a refused row does not
/// prevent the others.
///
/// # Errors
/// Errors that end the transaction. A refusal by the table is recorded in `quote_facts`, and is no error.
pub async fn project(
    tx: &mut Transaction<'_>,
    projections: &[QuoteProjection<'_>],
) -> Result<Vec<Option<Uuid>>, sqlx::Error> {
    let new: Vec<&QuoteProjection<'_>> = projections
        .iter()
        .filter(|projection| projection.row.is_none())
        .collect();
    let bulk_rows = match new.len() {
        0 | 1 => BTreeMap::new(),
        _ => {
            let mut savepoint = tx.savepoint().await?;
            match bulk_insert::project_new(&mut savepoint, &new).await {
                Ok(rows) => {
                    savepoint.commit().await?;
                    rows
                }
                Err(sqlx::Error::Database(refusal)) if !is_no_refusal(refusal.code().as_deref()) => {
                    savepoint.rollback().await?;
                    BTreeMap::new()
                }
                Err(error) => return Err(error),
            }
        }
    };
    let mut rows = Vec::with_capacity(projections.len());
    for projection in projections {
        rows.push(match bulk_rows.get(&(projection.trip_key, projection.quote.as_str())) {
            Some(row) => Some(*row),
            None => project_one(tx, projection).await?,
        });
    }
    Ok(rows)
}

async fn project_one(tx: &mut Transaction<'_>, projection: &QuoteProjection<'_>) -> Result<Option<Uuid>, sqlx::Error> {
    let mut savepoint = tx.savepoint().await?;
    match row::project(&mut savepoint, projection).await {
        Ok(row) => {
            savepoint.commit().await?;
            Ok(row)
        }
        Err(sqlx::Error::Database(refusal)) if !is_no_refusal(refusal.code().as_deref()) => {
            savepoint.rollback().await?;
            let (trip, quote) = (projection.trip_key, projection.quote.as_str());
            let reason: String = refusal.message().chars().take(300).collect();
            let known_reason = sqlx::query_scalar!(
                r#"
                UPDATE avinode_ingest.quote_facts AS fact
                SET projection_error = $3, projection_failed_at = clock_timestamp()
                FROM avinode_ingest.quote_facts AS before
                WHERE fact.trip_key = $1 AND fact.quote_id = $2
                    AND before.trip_key = fact.trip_key AND before.quote_id = fact.quote_id
                RETURNING before.projection_error
                "#,
                trip,
                quote,
                reason,
            )
            .fetch_one(&mut *tx)
            .await?;
            if known_reason.as_deref() != Some(reason.as_str()) {
                tracing::warn!(
                    trip,
                    quote,
                    "public.quotes refused quote {quote} of trip {trip}: {reason}"
                );
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A cancelled statement is no refusal by the table either: its time limit is ours.
fn is_no_refusal(code: Option<&str>) -> bool {
    code.is_some_and(|code| is_contention(code) || code == QUERY_CANCELED)
}
