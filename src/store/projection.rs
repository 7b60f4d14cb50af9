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

mod new_rows;
mod update;
mod values;

/// Prices in `quotes` are numeric(12,2): from one cent to just below ten billion.
const PRICE_LIMIT: i64 = 10_000_000_000;

/// A quote to project.
#[derive(Debug, Clone)]
pub struct QuoteProjection<'a> {
    pub trip_key: &'a str,
    pub quote: &'a QuoteId,
    pub facts: &'a ReceivedQuote,
    /// The price, as `quotes` can hold it.
    pub price: Decimal,
    /// The row in which it is projected already.
    pub row: Option<Uuid>,
    /// The request of a new row.
    pub request_id: Option<Uuid>,
    /// The id of a new row.
    pub new_id: Uuid,
}

/// The rows of quotes, by trip key and quote id.
pub type ProjectedRows = BTreeMap<(String, String), Uuid>;

/// The price of a quote, if `quotes` can hold it: above zero and below ten billion, rounded half-even to two digits. Postgres
/// rounds half away from zero, so this price is written, and never the exact one.
/// The SQL function `avinode_ingest.is_projectable_price(numeric)` is the same rule; a test compares the two.
pub fn projectable_price(quote: &ReceivedQuote) -> Option<Decimal> {
    let price = quote.details.price.as_ref()?.amount;
    let price = price.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven);
    (price > Decimal::ZERO && price < Decimal::from(PRICE_LIMIT)).then_some(price)
}

/// Projects quotes. Returns their rows by trip key and quote id; a quote without a row is left out.
///
/// New rows are inserted together, because a session that gets a trip with a thousand quotes is locked meanwhile. If the table
/// refuses that, each one is inserted separately, so that a refused row does not prevent the others.
///
/// # Errors
/// Errors that end the transaction. A refusal by the table is recorded in `quote_facts`, and is no error.
pub async fn project(
    tx: &mut Transaction<'_>,
    projections: &[QuoteProjection<'_>],
) -> Result<ProjectedRows, sqlx::Error> {
    let (projected, new): (Vec<_>, Vec<_>) = projections.iter().partition(|projection| projection.row.is_some());
    let mut rows = BTreeMap::new();
    let mut separately = projected;
    match new.len() {
        0 => {}
        1 => separately.extend(new),
        _ => match in_savepoint(tx, &new).await? {
            Ok(inserted) => rows.extend(inserted),
            Err(_) => separately.extend(new),
        },
    }
    for projection in separately {
        match in_savepoint(tx, &[projection]).await? {
            Ok(row) => rows.extend(row),
            Err(refusal) => record_refusal(tx, projection, &refusal).await?,
        }
    }
    Ok(rows)
}

/// Projects new quotes, or one with a row. The inner error is the table's reason to refuse.
async fn in_savepoint(
    tx: &mut Transaction<'_>,
    projections: &[&QuoteProjection<'_>],
) -> Result<Result<ProjectedRows, String>, sqlx::Error> {
    let mut savepoint = tx.savepoint().await?;
    let result = match projections {
        [one] if one.row.is_some() => update::project(&mut savepoint, one).await,
        new => new_rows::project(&mut savepoint, new).await,
    };
    match result {
        Ok(rows) => {
            savepoint.commit().await?;
            Ok(Ok(rows))
        }
        Err(sqlx::Error::Database(refusal)) if !is_no_refusal(refusal.code().as_deref()) => {
            savepoint.rollback().await?;
            Ok(Err(refusal.message().chars().take(300).collect()))
        }
        Err(error) => Err(error),
    }
}

async fn record_refusal(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
    reason: &str,
) -> Result<(), sqlx::Error> {
    let (trip, quote) = (projection.trip_key, projection.quote.as_str());
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
    .fetch_one(tx)
    .await?;
    if known_reason.as_deref() != Some(reason) {
        tracing::warn!(
            trip,
            quote,
            "public.quotes refused quote {quote} of trip {trip}: {reason}"
        );
    }
    Ok(())
}

/// A cancelled statement is no refusal by the table either: its time limit is ours.
fn is_no_refusal(code: Option<&str>) -> bool {
    code.is_some_and(|code| is_contention(code) || code == QUERY_CANCELED)
}
