//! Projects quotes for the first time: into a row of the application's, or else into a new row, if there is a request.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::payload::ReadPayload;
use super::quotes_table::{QuotesColumn, QuotesTable};
use super::{ProjectedRows, QuoteProjection, payload, values};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::facts::quotes::{ProjectedRow, QuoteKey};

/// Finds the application's rows of quotes.
pub(super) async fn find(tx: &mut Transaction<'_>, new: &[QuoteProjection<'_>]) -> Result<QuotesTable, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT wanted.quote_id AS "quote_id!", existing.id,
            CASE WHEN wanted.place = 1 THEN ARRAY(
                SELECT ROW (
                    attname::text,
                    format_type(atttypid, -1),
                    CASE typtype WHEN 'd' THEN typbasetype ELSE atttypid END IN ('json'::regtype, 'jsonb'::regtype)
                )
                FROM pg_catalog.pg_attribute
                JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
                WHERE attrelid = 'public.quotes'::regclass AND attnum > 0 AND NOT attisdropped
                    -- As avinode_ingest.quotes_have_payload(), which takes as long as the rest of this statement.
                    AND (attname <> 'raw_webhook_payload' OR atttypid IN ('json'::regtype, 'jsonb'::regtype))
            ) END AS "columns: Vec<(String, String, bool)>"
        FROM unnest($1::text[]) WITH ORDINALITY AS wanted (quote_id, place)
        CROSS JOIN LATERAL (
            -- Not ORDER BY id LIMIT 1: without statistics of the index's expression, which an application's table may
            -- lack for months, the planner would read the table in the order of its ids.
            -- A row with the id in its column comes before one with the id in its metadata.
            SELECT (array_agg(id ORDER BY avinode_ingest.is_quote_id(avinode_ingest.btrim_all(avinode_quote_id)) DESC, id))[1] AS id
            FROM public.quotes
            -- The application may have stored the id with white space around it.
            WHERE avinode_ingest.row_quote_id(avinode_quote_id, metadata) = wanted.quote_id
        ) AS existing
        WHERE existing.id IS NOT NULL OR wanted.place = 1
        "#,
        &column(new, |projection| projection.quote.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    let mut table = QuotesTable::default();
    for row in rows {
        table.existing.extend(row.id.map(|id| (row.quote_id, id)));
        let columns = row.columns.into_iter().flatten();
        table
            .columns
            .extend(columns.map(|(name, type_name, is_json)| (name, QuotesColumn { type_name, is_json })));
    }
    Ok(table)
}

/// Inserts rows for quotes that have none.
pub(super) async fn insert(
    tx: &mut Transaction<'_>,
    new: &[QuoteProjection<'_>],
    table: &QuotesTable,
) -> Result<ProjectedRows, sqlx::Error> {
    // By their columns: those without a value are left to their defaults.
    let mut alike: BTreeMap<Vec<&str>, Vec<Vec<String>>> = BTreeMap::new();
    let mut rows: BTreeMap<Uuid, (QuoteKey, ProjectedRow)> = BTreeMap::new();
    for projection in new {
        let values = values::of_quote(projection);
        let mut row = values::new_row(projection, &values);
        let mut written = values::record(&values);
        if let Some(payload) = &projection.payload
            && table.columns.contains_key(payload::COLUMN)
        {
            let ReadPayload { value, record } = payload.read();
            row.extend(value.map(|value| (payload::COLUMN, value)));
            written.insert(payload::COLUMN.to_owned(), record);
        }
        row.retain(|column, _| table.columns.contains_key(*column));
        let columns: Vec<&str> = row.keys().copied().collect();
        let by_column = alike.entry(columns).or_insert_with(|| vec![Vec::new(); row.len()]);
        for (of_column, (name, value)) in by_column.iter_mut().zip(row) {
            of_column.push(table.columns[name].text(value));
        }
        let record = ProjectedRow {
            row: projection.new_id,
            request_id: projection.request_id,
            own_request_id: projection.request_id,
            written: Value::Object(written),
        };
        let key = (projection.trip_key.to_owned(), projection.quote.clone());
        rows.insert(projection.new_id, (key, record));
    }
    let mut inserted = ProjectedRows::new();
    for (columns, by_column) in alike {
        let mut statement = sqlx::query_scalar(AssertSqlSafe(insert_statement(&columns, table)));
        for of_column in by_column {
            statement = statement.bind(of_column);
        }
        // A trigger of the application's may keep a row out without an error.
        let ids: Vec<Uuid> = statement.fetch_all(&mut *tx).await?;
        inserted.extend(ids.into_iter().filter_map(|id| rows.remove(&id)));
    }
    Ok(inserted)
}

/// The columns are ours ([`values::new_row`]); most quotes have the same ones, so the statement is prepared once. A function that
/// builds it on the server would plan it each time, which takes longer than to insert a row. Arrays of text take half the time of
/// one JSON document, whose objects the server would build only to take them apart.
fn insert_statement(columns: &[&str], table: &QuotesTable) -> String {
    let list =
        |of: &dyn Fn((usize, &&str)) -> String| columns.iter().enumerate().map(of).collect::<Vec<_>>().join(", ");
    let arrays = list(&|(place, _)| format!("${}::text[]", place + 1));
    let names = list(&|(place, _)| format!("c{place}"));
    let values = list(&|(place, name)| format!("c{place}::{}", table.columns[*name].type_name));
    format!(
        "INSERT INTO public.quotes ({}) SELECT {values} FROM unnest({arrays}) AS new ({names}) RETURNING id",
        columns.join(", ")
    )
}
