//! `public.quotes` as a projection of the facts: one row per Avinode quote, in which only values that we wrote last are
//! ever overwritten.
//!
//! The table is the application's: a column or a constraint that we do not know of may refuse a row. A projection
//! therefore runs behind a savepoint; a refusal is remembered and costs the session nothing but the visible row.

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

/// Prices in `quotes` are numeric(12,2): from a cent to just under ten thousand million.
const PRICE_LIMIT: i64 = 10_000_000_000;

/// A quote to be shown.
#[derive(Debug, Clone)]
pub struct QuoteProjection<'a> {
    /// The key of its trip.
    pub trip: &'a str,
    /// The quote.
    pub quote: &'a QuoteId,
    /// Its newest fact.
    pub fact: &'a ReceivedQuote,
    /// The row that shows it already.
    pub row: Option<Uuid>,
    /// The request under which a new row is made.
    pub request_id: Option<Uuid>,
    /// An id for a new row.
    pub new_id: Uuid,
}

impl QuoteProjection<'_> {
    /// The price as `quotes` can hold it, if it can.
    pub fn price(&self) -> Option<Decimal> {
        showable(self.fact)
    }
}

/// The price of a fact as `quotes` can hold it: above zero and below ten thousand million, in whole cents, rounded as Postgres
/// does. The SQL function `avinode_ingest.can_be_shown(numeric)` is the same rule.
pub fn showable(fact: &ReceivedQuote) -> Option<Decimal> {
    let price = fact.details.price.as_ref()?.amount;
    let price = price.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    (price > Decimal::ZERO && price < Decimal::from(PRICE_LIMIT)).then_some(price)
}

/// Shows quotes. Returns, in their order, the rows that show them.
///
/// New ones are shown together; when the table refuses that, each by itself, so that one that is refused does not keep the
/// others from being shown.
///
/// # Errors
/// Only those that end the transaction; a refusal by the table is remembered beside the fact and answered `None`.
pub async fn project(
    tx: &mut Transaction<'_>,
    projections: &[QuoteProjection<'_>],
) -> Result<Vec<Option<Uuid>>, sqlx::Error> {
    let new: Vec<&QuoteProjection<'_>> = projections
        .iter()
        .filter(|projection| projection.row.is_none())
        .collect();
    let together = match new.len() {
        0 | 1 => BTreeMap::new(),
        _ => {
            let mut savepoint = tx.savepoint().await?;
            match bulk_insert::show_new(&mut savepoint, &new).await {
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
        rows.push(match together.get(&(projection.trip, projection.quote.as_str())) {
            Some(row) => Some(*row),
            None => alone(tx, projection).await?,
        });
    }
    Ok(rows)
}

async fn alone(tx: &mut Transaction<'_>, projection: &QuoteProjection<'_>) -> Result<Option<Uuid>, sqlx::Error> {
    let mut savepoint = tx.savepoint().await?;
    match row::show(&mut savepoint, projection).await {
        Ok(row) => {
            savepoint.commit().await?;
            Ok(row)
        }
        Err(sqlx::Error::Database(refusal)) if !is_no_refusal(refusal.code().as_deref()) => {
            savepoint.rollback().await?;
            let (trip, quote) = (projection.trip, projection.quote.as_str());
            let said: String = refusal.message().chars().take(300).collect();
            let known = sqlx::query_scalar!(
                r#"
                UPDATE avinode_ingest.quotes AS fact
                SET projection_error = $3, refused_at = clock_timestamp()
                FROM avinode_ingest.quotes AS before
                WHERE fact.trip_key = $1 AND fact.quote_id = $2
                    AND before.trip_key = fact.trip_key AND before.quote_id = fact.quote_id
                RETURNING before.projection_error
                "#,
                trip,
                quote,
                said,
            )
            .fetch_one(&mut *tx)
            .await?;
            if known.as_deref() != Some(said.as_str()) {
                tracing::warn!(trip, quote, error = %refusal,
                    "the application's quotes table refused a quote; its fact is kept");
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
