//! Projects quotes for the first time: into a row of the application's, or else into a new row, if there is a request.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{ProjectedRows, QuoteProjection, values};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;

/// Finds the application's rows of quotes, by quote id.
pub(super) async fn find(
    tx: &mut Transaction<'_>,
    new: &[QuoteProjection<'_>],
) -> Result<BTreeMap<String, Uuid>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT wanted.quote_id AS "quote_id!", existing.id AS "id!"
        FROM unnest($1::text[]) AS wanted (quote_id)
        CROSS JOIN LATERAL (
            -- Not ORDER BY id LIMIT 1: without statistics of the index's expression, which an application's table may
            -- lack for months, the planner would read the table in the order of its ids.
            -- A row with the id in its column comes before one with the id in its metadata.
            SELECT (array_agg(id ORDER BY avinode_ingest.is_quote_id(avinode_ingest.btrim_all(avinode_quote_id)) DESC, id))[1] AS id
            FROM public.quotes
            -- The application may have stored the id with white space around it.
            WHERE avinode_ingest.row_quote_id(avinode_quote_id, metadata) = wanted.quote_id
        ) AS existing
        WHERE existing.id IS NOT NULL
        "#,
        &column(new, |projection| projection.quote.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.quote_id, row.id)).collect())
}

/// Inserts rows for quotes that have none.
pub(super) async fn insert(
    tx: &mut Transaction<'_>,
    new: &[QuoteProjection<'_>],
) -> Result<ProjectedRows, sqlx::Error> {
    let mut alike: BTreeMap<Vec<String>, Vec<Value>> = BTreeMap::new();
    let mut records: Vec<Value> = Vec::with_capacity(new.len());
    for projection in new {
        let values = values::of_quote(projection);
        let row = values::new_row(projection, &values);
        alike
            .entry(row.keys().cloned().collect())
            .or_default()
            .push(Value::Object(row));
        records.push(values::record(&values));
    }
    let rows = sqlx::query!(
        r#"
        WITH inserted AS MATERIALIZED (
            SELECT id FROM avinode_ingest.insert_quotes_alike($6) AS id
        )
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_id = new.id, projected_request_id = new.request_id, own_request_id = new.request_id,
            projected_values = new.written, projection_error = NULL, projection_failed_at = NULL
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::jsonb[])
            AS new (trip_key, quote_id, id, request_id, written)
        JOIN inserted ON inserted.id = new.id
        WHERE fact.trip_key = new.trip_key AND fact.quote_id = new.quote_id
        RETURNING fact.trip_key, fact.quote_id, fact.projected_id AS "row!"
        "#,
        &column(new, |projection| projection.trip_key) as &[&str],
        &column(new, |projection| projection.quote.as_str()) as &[&str],
        &column(new, |projection| projection.new_id),
        &column(new, |projection| projection.request_id) as &[Option<Uuid>],
        &records,
        Value::from_iter(alike.into_values().map(Value::Array)),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.trip_key, row.quote_id), row.row))
        .collect())
}
