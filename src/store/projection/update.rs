//! Updates rows that exist: ours, and those of the application's.

use std::collections::BTreeMap;
use std::iter;

use serde_json::{Map, Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::payload::PayloadChange;
use super::{ProjectedRows, QuoteProjection, ownership, payload, values};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::facts::quotes::ProjectedRow;
use crate::store::readable_row::ReadableRow;

/// Overwrites the columns that have a value of Avinode's or of ours. Rows that the application deleted are left out.
pub(super) async fn project(
    tx: &mut Transaction<'_>,
    projections: &[QuoteProjection<'_>],
) -> Result<ProjectedRows, sqlx::Error> {
    // Locks the rows, without waiting for the application.
    let rows = sqlx::query!(
        r#"
        SELECT wanted.trip_key AS "trip_key!", wanted.quote_id AS "quote_id!", quote.id,
            quote.request_id AS "request_id?", fact.projected_values AS "written?",
            avinode_ingest.readable_row(quote) AS "readable!: Json<ReadableRow>",
            (SELECT avinode_ingest.quotes_have_payload()) AS "has_payload!",
            -- Until Avinode states the quote again, what the application inserted may be newer than the facts.
            CASE WHEN wanted.is_newly_stated OR fact.projected_values IS NULL THEN (
                SELECT jsonb_object_agg(part, by_part)
                FROM (
                    SELECT known.part, jsonb_agg(known.value) AS by_part
                    FROM avinode_ingest.inserted_values AS known
                    WHERE known.quote_id = wanted.quote_id
                    GROUP BY known.part
                ) AS parts
            ) END AS inserted
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::boolean[]) AS wanted (trip_key, quote_id, row_id, is_newly_stated)
        JOIN public.quotes AS quote ON quote.id = wanted.row_id
        -- A new quote has no row yet.
        LEFT JOIN avinode_ingest.quote_facts AS fact
            ON fact.trip_key = wanted.trip_key AND fact.quote_id = wanted.quote_id
        ORDER BY quote.id, wanted.trip_key
        FOR NO KEY UPDATE OF quote NOWAIT
        "#,
        &column(projections, |projection| projection.trip_key) as &[&str],
        &column(projections, |projection| projection.quote.as_str()) as &[&str],
        &column(projections, |projection| projection.row) as &[Option<Uuid>],
        &column(projections, |projection| projection.is_newly_stated),
    )
    .fetch_all(&mut *tx)
    .await?;
    let by_key: BTreeMap<(&str, &str), &QuoteProjection<'_>> = projections
        .iter()
        .map(|projection| ((projection.trip_key, projection.quote.as_str()), projection))
        .collect();
    let mut changes = Vec::new();
    let mut projected = ProjectedRows::new();
    for row in &rows {
        let projection = by_key.get(&(row.trip_key.as_str(), row.quote_id.as_str()));
        let Some(projection) = projection else { continue };
        // A value that is too large to read is none of Avinode's: `false` is left alone in every column.
        let ReadableRow { columns, omitted } = &row.readable.0;
        if !omitted.is_empty() {
            let (id, omitted) = (row.id, omitted.join(", "));
            tracing::warn!(row = %id, omitted, "left columns of row {id} of public.quotes alone, too large to read: {omitted}");
        }
        let none = Map::new();
        let written = row.written.as_ref().and_then(Value::as_object).unwrap_or(&none);
        let inserted = row.inserted.as_ref().map(ownership::inserted_values);
        let stated: Vec<_> = iter::once(projection.stated).chain(&inserted).collect();
        let mut change = ownership::compare(columns, &values::of_quote(projection), &stated, written);
        let payload = projection.payload.as_ref().filter(|_| row.has_payload);
        if let Some(payload) = payload
            && let Some(PayloadChange { column, record }) =
                payload::compare(columns, payload, written.get(payload::COLUMN), change.may_fill)
        {
            change
                .columns
                .extend(column.map(|value| (payload::COLUMN.to_owned(), value)));
            change.written.insert(payload::COLUMN.to_owned(), record);
        }
        if !change.columns.is_empty() {
            changes.push(json!({"id": row.id, "values": change.columns}));
        }
        let record = ProjectedRow {
            row: row.id,
            request_id: row.request_id,
            own_request_id: None,
            written: Value::Object(change.written),
        };
        projected.insert((projection.trip_key.to_owned(), projection.quote.clone()), record);
    }
    if !changes.is_empty() {
        sqlx::query!("SELECT FROM avinode_ingest.update_quotes($1)", Value::Array(changes))
            .execute(&mut *tx)
            .await?;
    }
    Ok(projected)
}
