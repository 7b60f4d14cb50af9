//! Projects quotes for the first time: into a row of the application's, which is never overwritten, or else into a new row, if
//! there is a request.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::values::ProjectedColumns;
use super::{ProjectedRows, QuoteProjection};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;

/// Projects quotes that have no row of ours. A quote without a request, and without a row of the application's, gets none.
pub(super) async fn project(
    tx: &mut Transaction<'_>,
    new: &[&QuoteProjection<'_>],
) -> Result<ProjectedRows, sqlx::Error> {
    let values = column(new, |projection| ProjectedColumns::new(projection));
    let rows = sqlx::query!(
        r#"
        WITH new AS MATERIALIZED (
            SELECT quote.*, adopted.id AS adopted_id,
                -- A quote that is known under two trips gets one row.
                first_value(quote.new_id) OVER (
                    PARTITION BY quote.quote_id ORDER BY quote.request_id IS NULL, quote.trip_key
                ) AS row_id
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::numeric[], $8::text[],
                $9::text[], $10::timestamptz[], $11::jsonb[], $12::timestamptz[], $13::jsonb[])
                AS quote (trip_key, quote_id, new_id, request_id, operator_id, operator_name, price, aircraft_type, tail,
                    valid_until, metadata, received_at, written_values)
            LEFT JOIN LATERAL (
                -- Not ORDER BY id LIMIT 1: without statistics of the index's expression, which an application's table may
                -- lack for months, the planner would read the table in the order of its ids.
                SELECT (array_agg(id ORDER BY id))[1] AS id
                FROM public.quotes
                -- The application may have stored the id with white space around it.
                WHERE avinode_ingest.btrim_all(avinode_quote_id) = quote.quote_id
            ) AS adopted ON true
        ), inserted AS (
            INSERT INTO public.quotes (
                id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, aircraft_tail_number,
                valid_until, status, metadata, avinode_quote_id, received_at
            )
            SELECT new_id, request_id, operator_id, operator_name, price, price, aircraft_type, tail, valid_until,
                'received', metadata, quote_id, received_at
            FROM new
            WHERE request_id IS NOT NULL AND adopted_id IS NULL AND new_id = row_id
            ORDER BY quote_id
            RETURNING id
        )
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_id = coalesce(new.adopted_id, inserted.id),
            projected_values = CASE WHEN new.new_id = inserted.id THEN new.written_values ELSE fact.projected_values END,
            projection_error = NULL, projection_failed_at = NULL
        FROM new
        LEFT JOIN inserted ON inserted.id = new.row_id
        WHERE fact.trip_key = new.trip_key AND fact.quote_id = new.quote_id
            AND (new.adopted_id IS NOT NULL OR inserted.id IS NOT NULL)
        RETURNING fact.trip_key, fact.quote_id, fact.projected_id AS "row!"
        "#,
        &column(new, |projection| projection.trip_key) as &[&str],
        &column(new, |projection| projection.quote.as_str()) as &[&str],
        &column(new, |projection| projection.new_id),
        &column(new, |projection| projection.request_id) as &[Option<Uuid>],
        &column(&values, |values| values.operator_id) as &[&str],
        &column(&values, |values| values.operator_name) as &[&str],
        &column(&values, |values| values.price) as &[Decimal],
        &column(&values, |values| values.aircraft_type) as &[&str],
        &column(&values, |values| values.aircraft_tail_number) as &[Option<&str>],
        &column(&values, |values| values.valid_until) as &[Option<DateTime<Utc>>],
        &column(&values, ProjectedColumns::metadata),
        &column(new, |projection| projection.facts.first_fact_at) as &[DateTime<Utc>],
        &column(&values, ProjectedColumns::to_json),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.trip_key, row.quote_id), row.row))
        .collect())
}
