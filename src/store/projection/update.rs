//! Updates a projected row. The application writes to the same row: a column that it has changed is its own for good, even if
//! it has the value of a later fact.

use serde_json::Value;

use super::values::ProjectedColumns;
use super::{ProjectedRows, QuoteProjection};
use crate::postgres::transaction::Transaction;

/// Overwrites the columns that still have the values that we wrote, and records the new values. Returns no row if the
/// application deleted it.
pub(super) async fn project(
    tx: &mut Transaction<'_>,
    projection: &QuoteProjection<'_>,
) -> Result<ProjectedRows, sqlx::Error> {
    let key = (projection.trip_key.to_owned(), projection.quote.to_string());
    let Some(row) = projection.row else {
        return Ok(ProjectedRows::new());
    };
    // Locks the row, without waiting for the application, and compares it with the values that we wrote.
    let owned = sqlx::query_scalar!(
        r#"
        SELECT ARRAY(
            SELECT name
            FROM (VALUES
                ('operator_id', fact.projected_values ->> 'operator_id' = quote.operator_id),
                ('operator_name', fact.projected_values ->> 'operator_name' = quote.operator_name),
                ('base_price', (fact.projected_values ->> 'base_price')::numeric = quote.base_price),
                ('total_price', (fact.projected_values ->> 'total_price')::numeric = quote.total_price),
                ('aircraft_type', fact.projected_values ->> 'aircraft_type' = quote.aircraft_type),
                ('aircraft_tail_number', fact.projected_values ? 'aircraft_tail_number'
                    AND fact.projected_values ->> 'aircraft_tail_number' IS NOT DISTINCT FROM quote.aircraft_tail_number),
                ('valid_until', fact.projected_values ? 'valid_until'
                    AND (fact.projected_values ->> 'valid_until')::timestamptz IS NOT DISTINCT FROM quote.valid_until)
            ) AS compared (name, is_owned)
            WHERE is_owned
        ) AS "owned!"
        FROM public.quotes AS quote, avinode_ingest.quote_facts AS fact
        WHERE quote.id = $1 AND fact.trip_key = $2 AND fact.quote_id = $3
        FOR NO KEY UPDATE OF quote NOWAIT
        "#,
        row,
        projection.trip_key,
        projection.quote.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(owned) = owned else {
        return Ok(ProjectedRows::new());
    };
    let values = ProjectedColumns::new(projection);
    // A row without an owned column is not written.
    if !owned.is_empty() {
        sqlx::query!(
            r#"
            UPDATE public.quotes AS quote
            SET operator_id = CASE WHEN 'operator_id' = ANY ($2) THEN $3 ELSE quote.operator_id END,
                operator_name = CASE WHEN 'operator_name' = ANY ($2) THEN $4 ELSE quote.operator_name END,
                base_price = CASE WHEN 'base_price' = ANY ($2) THEN $5 ELSE quote.base_price END,
                total_price = CASE WHEN 'total_price' = ANY ($2) THEN $5 ELSE quote.total_price END,
                -- The currency belongs to the price.
                metadata = CASE
                    WHEN 'total_price' = ANY ($2) AND jsonb_typeof(coalesce(quote.metadata, '{}')) = 'object'
                        THEN coalesce(quote.metadata, '{}') || $6
                    ELSE quote.metadata
                END,
                aircraft_type = CASE WHEN 'aircraft_type' = ANY ($2) THEN $7 ELSE quote.aircraft_type END,
                aircraft_tail_number = CASE
                    WHEN 'aircraft_tail_number' = ANY ($2) THEN $8 ELSE quote.aircraft_tail_number
                END,
                valid_until = CASE WHEN 'valid_until' = ANY ($2) THEN $9 ELSE quote.valid_until END
            WHERE quote.id = $1
            "#,
            row,
            &owned,
            values.operator_id,
            values.operator_name,
            values.price,
            values.metadata(),
            values.aircraft_type,
            values.aircraft_tail_number,
            values.valid_until,
        )
        .execute(&mut *tx)
        .await?;
    }
    let mut written = values.to_json();
    if let Value::Object(columns) = &mut written {
        columns.retain(|name, _| owned.contains(name));
    }
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.quote_facts
        SET projected_id = $3, projected_values = $4, projection_error = NULL, projection_failed_at = NULL
        WHERE trip_key = $1 AND quote_id = $2
        "#,
        projection.trip_key,
        projection.quote.as_str(),
        row,
        written,
    )
    .execute(tx)
    .await?;
    Ok(ProjectedRows::from([(key, row)]))
}
