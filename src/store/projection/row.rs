//! One quote's row: made, adopted or overwritten.

use uuid::Uuid;

use super::QuoteProjection;
use super::column_ownership::{OwnedColumns, ours};
use super::values::ProjectedColumns;
use crate::postgres::transaction::Transaction;

/// Shows a quote by itself. Returns its row, if it has one then.
pub(super) async fn show(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
) -> Result<Option<Uuid>, sqlx::Error> {
    let Some(price) = projection.price() else {
        return Ok(projection.row);
    };
    let values = ProjectedColumns::of(projection.fact, price);
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

/// Shows a quote for the first time: in a row of the application's, of which nothing is ours to overwrite, or else in a new
/// one, if there is a request to make it under.
async fn show_new(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
    values: &ProjectedColumns,
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
        values.remembered(&OwnedColumns::ALL),
        projection.trip,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.flatten())
}

/// Overwrites the columns that are ours; a row without any is not touched.
async fn update(
    tx: &mut Transaction<'_>,
    row: Uuid,
    values: &ProjectedColumns,
    ours: &OwnedColumns,
) -> Result<(), sqlx::Error> {
    if *ours == OwnedColumns::NONE {
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
