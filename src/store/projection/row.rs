//! Projects one quote: inserts, adopts or updates its row.

use uuid::Uuid;

use super::QuoteProjection;
use super::column_ownership::{OwnedColumns, lock_and_compare};
use super::values::ProjectedColumns;
use crate::postgres::transaction::Transaction;

/// Projects a quote, and returns its row.
pub(super) async fn project(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
) -> Result<Option<Uuid>, sqlx::Error> {
    let Some(price) = projection.price() else {
        return Ok(projection.row);
    };
    let values = ProjectedColumns::new(projection.facts, price);
    let (row, written) = match projection.row {
        Some(row) => match lock_and_compare(tx, projection, row).await? {
            Some(owned) => {
                update(tx, row, &values, &owned).await?;
                (row, Some(values.owned_values(&owned)))
            }
            None => return Ok(None),
        },
        None => return project_new(tx, projection, &values).await,
    };
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.quote_facts
        SET projected_id = $3, projected_values = coalesce($4, projected_values), projection_error = NULL,
            projection_failed_at = NULL
        WHERE trip_key = $1 AND quote_id = $2
        "#,
        projection.trip_key,
        projection.quote.as_str(),
        row,
        written,
    )
    .execute(tx)
    .await?;
    Ok(Some(row))
}

/// Projects a quote for the first time: into a row of the application's, which is never overwritten, or else into a new row,
/// if there is a request.
async fn project_new(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
    values: &ProjectedColumns,
) -> Result<Option<Uuid>, sqlx::Error> {
    let row = sqlx::query_scalar!(
        r#"
        WITH adopted AS MATERIALIZED (
            SELECT id
            FROM public.quotes
            -- The application may have stored the id with white space around it.
            WHERE avinode_ingest.btrim_all(avinode_quote_id) = $1
            ORDER BY id
            LIMIT 1
        ), inserted AS (
            INSERT INTO public.quotes (
                id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, aircraft_tail_number,
                valid_until, status, metadata, avinode_quote_id, received_at
            )
            SELECT $2, $3, $4, $5, $6, $6, $7, $8, $9, 'received', $10, $1, coalesce($11, clock_timestamp())
            WHERE $3::uuid IS NOT NULL AND NOT EXISTS (SELECT FROM adopted)
            RETURNING id
        )
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_id = quote.id,
            projected_values = CASE WHEN quote.is_inserted THEN $12 ELSE fact.projected_values END,
            projection_error = NULL, projection_failed_at = NULL
        FROM (SELECT id, false AS is_inserted FROM adopted UNION ALL SELECT id, true FROM inserted) AS quote
        WHERE fact.trip_key = $13 AND fact.quote_id = $1
        RETURNING quote.id
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
        projection.facts.first_fact_at,
        values.owned_values(&OwnedColumns::ALL),
        projection.trip_key,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.flatten())
}

/// Overwrites the owned columns; a row without any is not written.
async fn update(
    tx: &mut Transaction<'_>,
    row: Uuid,
    values: &ProjectedColumns,
    owned: &OwnedColumns,
) -> Result<(), sqlx::Error> {
    if *owned == OwnedColumns::NONE {
        return Ok(());
    }
    sqlx::query!(
        r#"
        UPDATE public.quotes AS quote
        SET operator_id = CASE WHEN $2 THEN $3 ELSE quote.operator_id END,
            operator_name = CASE WHEN $4 THEN $5 ELSE quote.operator_name END,
            base_price = CASE WHEN $6 THEN $7 ELSE quote.base_price END,
            total_price = CASE WHEN $8 THEN $7 ELSE quote.total_price END,
            -- The currency belongs to the price.
            metadata = CASE WHEN $8 AND jsonb_typeof(coalesce(quote.metadata, '{}')) = 'object'
                THEN coalesce(quote.metadata, '{}') || $9 ELSE quote.metadata END,
            aircraft_type = CASE WHEN $10 THEN $11 ELSE quote.aircraft_type END,
            aircraft_tail_number = CASE WHEN $12 THEN $13 ELSE quote.aircraft_tail_number END,
            valid_until = CASE WHEN $14 THEN $15 ELSE quote.valid_until END
        WHERE quote.id = $1
        "#,
        row,
        owned.operator_id,
        values.operator_id,
        owned.operator_name,
        values.operator_name,
        owned.base_price,
        values.price,
        owned.total_price,
        values.metadata,
        owned.aircraft_type,
        values.aircraft_type,
        owned.aircraft_tail_number,
        values.aircraft_tail_number,
        owned.valid_until,
        values.valid_until,
    )
    .execute(tx)
    .await?;
    Ok(())
}
