//! `public.quotes` as a projection of the facts: one row per Avinode quote, in which only values that we wrote last are
//! ever overwritten.
//!
//! The table is the application's: a column or a constraint that we do not know of may refuse a row. A projection
//! therefore runs behind a savepoint; a refusal is remembered and costs the session nothing but the visible row.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use uuid::Uuid;

use self::ours::{Ours, ours};
use crate::domain::id::QuoteId;
use crate::domain::quote::Fact;
use crate::postgres::transaction::Transaction;

mod ours;
mod together;

/// Prices in `quotes` are numeric(12,2): from a cent to just under ten thousand million.
const PRICE_LIMIT: i64 = 10_000_000_000;

/// A quote to be shown.
#[derive(Debug, Clone)]
pub struct Projection<'a> {
    /// The key of its trip.
    pub trip: &'a str,
    /// The quote.
    pub quote: &'a QuoteId,
    /// Its newest fact.
    pub fact: &'a Fact,
    /// The row that shows it already.
    pub row: Option<Uuid>,
    /// The request under which a new row is made.
    pub request_id: Option<Uuid>,
    /// An id for a new row.
    pub new_id: Uuid,
}

impl Projection<'_> {
    /// The price as `quotes` can hold it, if it can.
    pub fn price(&self) -> Option<Decimal> {
        showable(self.fact)
    }
}

/// The price of a fact as `quotes` can hold it: above zero and below ten thousand million, in whole cents, rounded as Postgres
/// does. The SQL function `avinode_ingest.can_be_shown(numeric)` is the same rule.
pub fn showable(fact: &Fact) -> Option<Decimal> {
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
    projections: &[Projection<'_>],
) -> Result<Vec<Option<Uuid>>, sqlx::Error> {
    let new: Vec<&Projection<'_>> = projections
        .iter()
        .filter(|projection| projection.row.is_none())
        .collect();
    let together = match new.len() {
        0 | 1 => BTreeMap::new(),
        _ => {
            let mut savepoint = tx.savepoint().await?;
            match together::show_new(&mut savepoint, &new).await {
                Ok(rows) => {
                    savepoint.commit().await?;
                    rows
                }
                Err(sqlx::Error::Database(refusal)) if !is_contention(refusal.code().as_deref()) => {
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

async fn alone(tx: &mut Transaction<'_>, projection: &Projection<'_>) -> Result<Option<Uuid>, sqlx::Error> {
    let mut savepoint = tx.savepoint().await?;
    match show(&mut savepoint, projection).await {
        Ok(row) => {
            savepoint.commit().await?;
            Ok(row)
        }
        Err(sqlx::Error::Database(refusal)) if !is_contention(refusal.code().as_deref()) => {
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

fn is_contention(code: Option<&str>) -> bool {
    matches!(code, Some("40P01" | "55P03" | "40001" | "57014"))
}

async fn show(tx: &mut Transaction<'_>, projection: &Projection<'_>) -> Result<Option<Uuid>, sqlx::Error> {
    let Some(price) = projection.price() else {
        return Ok(projection.row);
    };
    let values = Values::of(projection.fact, price);
    let (row, written) = match projection.row {
        Some(row) => match ours(tx, projection, row).await? {
            Some(ours) => {
                update(tx, row, &values, &ours).await?;
                (row, Some(values.remembered(&ours)))
            }
            None => return Ok(None),
        },
        None => return show_new(tx, projection, &values).await,
    };
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.quotes
        SET projected_id = $3, projected = coalesce($4, projected), projection_error = NULL, refused_at = NULL
        WHERE trip_key = $1 AND quote_id = $2
        "#,
        projection.trip,
        projection.quote.as_str(),
        row,
        written,
    )
    .execute(tx)
    .await?;
    Ok(Some(row))
}

struct Values {
    operator_id: String,
    operator_name: String,
    price: Decimal,
    aircraft_type: String,
    aircraft_tail_number: Option<String>,
    valid_until: Option<chrono::DateTime<chrono::Utc>>,
    metadata: Value,
}

impl Values {
    /// What a fact comes to in columns that the application may demand: what is not known is called so.
    fn of(fact: &Fact, price: Decimal) -> Self {
        let details = &fact.details;
        let unknown = || "unknown".to_owned();
        Self {
            operator_id: details
                .operator
                .id
                .clone()
                .or(details.operator.name.clone())
                .unwrap_or_else(unknown),
            operator_name: details
                .operator
                .name
                .clone()
                .or(details.operator.id.clone())
                .unwrap_or_else(unknown),
            price,
            aircraft_type: details.aircraft_type.clone().unwrap_or_else(unknown),
            aircraft_tail_number: details.aircraft_tail.clone(),
            valid_until: details.valid_until,
            metadata: json!({
                "source": "avinode-ingest",
                "currency": details.price.as_ref().map(|price| price.currency.clone()),
            }),
        }
    }

    /// What is compared before the next overwriting: the columns that are ours. Prices as text: they are decimal.
    fn remembered(&self, ours: &Ours) -> Value {
        let price = self.price.to_string();
        let columns = [
            ("operator_id", ours.operator_id, json!(self.operator_id)),
            ("operator_name", ours.operator_name, json!(self.operator_name)),
            ("base_price", ours.base_price, json!(price)),
            ("total_price", ours.total_price, json!(price)),
            ("aircraft_type", ours.aircraft_type, json!(self.aircraft_type)),
            (
                "aircraft_tail_number",
                ours.aircraft_tail_number,
                json!(self.aircraft_tail_number),
            ),
            ("valid_until", ours.valid_until, json!(self.valid_until)),
        ];
        let kept = columns.into_iter().filter(|(_, is_ours, _)| *is_ours);
        Value::Object(kept.map(|(column, _, value)| (column.to_owned(), value)).collect())
    }
}

/// Shows a quote for the first time: in a row of the application's, of which nothing is ours to overwrite, or else in a new
/// one, if there is a request to make it under.
async fn show_new(
    tx: &mut Transaction<'_>,
    projection: &Projection<'_>,
    values: &Values,
) -> Result<Option<Uuid>, sqlx::Error> {
    let row = sqlx::query_scalar!(
        r#"
        WITH adopted AS MATERIALIZED (
            SELECT id
            FROM public.quotes
            -- The application may have pasted the id with white space around it.
            WHERE avinode_ingest.without_space_around(avinode_quote_id) = $1
            ORDER BY id
            LIMIT 1
        ), made AS (
            INSERT INTO public.quotes (
                id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, aircraft_tail_number,
                valid_until, status, metadata, avinode_quote_id, received_at
            )
            SELECT $2, $3, $4, $5, $6, $6, $7, $8, $9, 'received', $10, $1, coalesce($11, clock_timestamp())
            WHERE $3::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM adopted)
            RETURNING id
        )
        UPDATE avinode_ingest.quotes AS fact
        SET projected_id = shown.id, projected = CASE WHEN shown.is_ours THEN $12 ELSE fact.projected END,
            projection_error = NULL, refused_at = NULL
        FROM (SELECT id, false AS is_ours FROM adopted UNION ALL SELECT id, true FROM made) AS shown
        WHERE fact.trip_key = $13 AND fact.quote_id = $1
        RETURNING shown.id
        "#,
        projection.quote.as_str(),
        projection.new_id,
        projection.request_id,
        values.operator_id,
        values.operator_name,
        values.price,
        values.aircraft_type,
        values.aircraft_tail_number,
        values.valid_until,
        values.metadata,
        projection.fact.first_fact_at,
        values.remembered(&Ours::ALL),
        projection.trip,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.flatten())
}

/// Overwrites the columns that are ours; a row without any is not touched.
async fn update(tx: &mut Transaction<'_>, row: Uuid, values: &Values, ours: &Ours) -> Result<(), sqlx::Error> {
    if *ours == Ours::NONE {
        return Ok(());
    }
    sqlx::query!(
        r#"
        UPDATE public.quotes AS shown
        SET operator_id = CASE WHEN $2 THEN $3 ELSE shown.operator_id END,
            operator_name = CASE WHEN $4 THEN $5 ELSE shown.operator_name END,
            base_price = CASE WHEN $6 THEN $7 ELSE shown.base_price END,
            total_price = CASE WHEN $8 THEN $7 ELSE shown.total_price END,
            -- The currency goes with the price.
            metadata = CASE WHEN $8 AND jsonb_typeof(coalesce(shown.metadata, '{}')) = 'object'
                THEN coalesce(shown.metadata, '{}') || $9 ELSE shown.metadata END,
            aircraft_type = CASE WHEN $10 THEN $11 ELSE shown.aircraft_type END,
            aircraft_tail_number = CASE WHEN $12 THEN $13 ELSE shown.aircraft_tail_number END,
            valid_until = CASE WHEN $14 THEN $15 ELSE shown.valid_until END
        WHERE shown.id = $1
        "#,
        row,
        ours.operator_id,
        values.operator_id,
        ours.operator_name,
        values.operator_name,
        ours.base_price,
        values.price,
        ours.total_price,
        values.metadata,
        ours.aircraft_type,
        values.aircraft_type,
        ours.aircraft_tail_number,
        values.aircraft_tail_number,
        ours.valid_until,
        values.valid_until,
    )
    .execute(tx)
    .await?;
    Ok(())
}
