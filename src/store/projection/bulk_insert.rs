//! Projects new quotes together: a session that gets a trip with a thousand quotes is locked meanwhile.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::QuoteProjection;
use super::column_ownership::OwnedColumns;
use super::values::ProjectedColumns;
use crate::postgres::transaction::Transaction;

/// Projects quotes that have no row of ours. Returns their rows by trip key and quote id. A quote without a request, and
/// without a row of the application's, has none.
pub(super) async fn project_new<'a>(
    tx: &mut Transaction<'_>,
    new: &[&QuoteProjection<'a>],
) -> Result<BTreeMap<(&'a str, &'a str), Uuid>, sqlx::Error> {
    let ids: Vec<String> = new
        .iter()
        .map(|projection| projection.quote.as_str().to_owned())
        .collect();
    let existing = sqlx::query!(
        r#"
        SELECT DISTINCT ON (new.id) new.id AS "quote_id!", quote.id
        FROM unnest($1::text[]) AS new (id)
        -- The application may have stored the id with white space around it.
        JOIN public.quotes AS quote ON avinode_ingest.btrim_all(quote.avinode_quote_id) = new.id
        ORDER BY new.id, quote.id
        "#,
        &ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut rows: BTreeMap<(&str, &str), Uuid> = BTreeMap::new();
    let mut inserted: Vec<(&QuoteProjection<'_>, Uuid, ProjectedColumns)> = Vec::new();
    // A quote that is known under two trips gets one row.
    let mut new_rows: BTreeMap<&str, Uuid> = BTreeMap::new();
    for projection in new {
        // A row of the application's is adopted, and never overwritten.
        let adopted = existing.iter().find(|row| row.quote_id == projection.quote.as_str());
        let key = (projection.trip_key, projection.quote.as_str());
        match (adopted, projection.request_id, projection.price()) {
            (Some(row), _, _) => {
                rows.insert(key, row.id);
            }
            (None, Some(_), Some(_)) if new_rows.contains_key(projection.quote.as_str()) => {
                rows.insert(key, new_rows[projection.quote.as_str()]);
            }
            (None, Some(request_id), Some(price)) => {
                rows.insert(key, projection.new_id);
                new_rows.insert(projection.quote.as_str(), projection.new_id);
                inserted.push((projection, request_id, ProjectedColumns::new(projection.facts, price)));
            }
            _ => {}
        }
    }
    insert(tx, &inserted).await?;
    record(tx, &rows, &inserted).await?;
    Ok(rows)
}

async fn insert(
    tx: &mut Transaction<'_>,
    inserted: &[(&QuoteProjection<'_>, Uuid, ProjectedColumns)],
) -> Result<(), sqlx::Error> {
    macro_rules! column {
        ($of:expr) => {
            inserted.iter().map($of).collect::<Vec<_>>()
        };
    }
    let ids: Vec<Uuid> = column!(|(projection, ..)| projection.new_id);
    let requests: Vec<Uuid> = column!(|(_, request, _)| *request);
    let operator_ids: Vec<String> = column!(|(.., values)| values.operator_id.clone());
    let operator_names: Vec<String> = column!(|(.., values)| values.operator_name.clone());
    let prices: Vec<Decimal> = column!(|(.., values)| values.price);
    let types: Vec<String> = column!(|(.., values)| values.aircraft_type.clone());
    let tails: Vec<Option<String>> = column!(|(.., values)| values.aircraft_tail_number.clone());
    let until: Vec<Option<chrono::DateTime<chrono::Utc>>> = column!(|(.., values)| values.valid_until);
    let metadata: Vec<Value> = column!(|(.., values)| values.metadata.clone());
    let quotes: Vec<String> = column!(|(projection, ..)| projection.quote.as_str().to_owned());
    let received: Vec<Option<chrono::DateTime<chrono::Utc>>> =
        column!(|(projection, ..)| projection.facts.first_fact_at);
    sqlx::query!(
        r#"
        INSERT INTO public.quotes (
            id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, aircraft_tail_number,
            valid_until, status, metadata, avinode_quote_id, received_at
        )
        SELECT id, request_id, operator_id, operator_name, price, price, aircraft_type, tail, valid_until, 'received',
            metadata, quote_id, coalesce(received_at, clock_timestamp())
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::text[],
            $8::timestamptz[], $9::jsonb[], $10::text[], $11::timestamptz[])
            AS new (id, request_id, operator_id, operator_name, price, aircraft_type, tail, valid_until, metadata,
                quote_id, received_at)
        ORDER BY quote_id
        "#,
        &ids,
        &requests,
        &operator_ids,
        &operator_names,
        &prices,
        &types,
        &tails as &[Option<String>],
        &until as &[Option<chrono::DateTime<chrono::Utc>>],
        &metadata,
        &quotes,
        &received as &[Option<chrono::DateTime<chrono::Utc>>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records in `quote_facts` the rows of the quotes, and the values that we wrote.
async fn record(
    tx: &mut Transaction<'_>,
    rows: &BTreeMap<(&str, &str), Uuid>,
    inserted: &[(&QuoteProjection<'_>, Uuid, ProjectedColumns)],
) -> Result<(), sqlx::Error> {
    let written: BTreeMap<(&str, &str), Value> = inserted
        .iter()
        .map(|(projection, _, values)| {
            (
                (projection.trip_key, projection.quote.as_str()),
                values.owned_values(&OwnedColumns::ALL),
            )
        })
        .collect();
    let trips: Vec<String> = rows.keys().map(|(trip, _)| (*trip).to_owned()).collect();
    let quotes: Vec<String> = rows.keys().map(|(_, quote)| (*quote).to_owned()).collect();
    let ids: Vec<Uuid> = rows.values().copied().collect();
    let values: Vec<Option<Value>> = rows.keys().map(|key| written.get(key).cloned()).collect();
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.quote_facts AS fact
        SET projected_id = new.id, projected_values = coalesce(new.projected_values, fact.projected_values),
            projection_error = NULL, projection_failed_at = NULL
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::jsonb[])
            AS new (trip_key, quote_id, id, projected_values)
        WHERE fact.trip_key = new.trip_key AND fact.quote_id = new.quote_id
        "#,
        &trips,
        &quotes,
        &ids,
        &values as &[Option<Value>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
