//! New quotes shown together: a session that is given the trip of a thousand quotes is locked meanwhile.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::QuoteProjection;
use super::column_ownership::OwnedColumns;
use super::values::ProjectedColumns;
use crate::postgres::transaction::Transaction;

/// Shows quotes that no row of ours shows yet. Returns their rows by trip and quote; those without a request, and without a
/// row of the application's, have none.
pub(super) async fn show_new<'a>(
    tx: &mut Transaction<'_>,
    new: &[&QuoteProjection<'a>],
) -> Result<BTreeMap<(&'a str, &'a str), Uuid>, sqlx::Error> {
    let ids: Vec<String> = new
        .iter()
        .map(|projection| projection.quote.as_str().to_owned())
        .collect();
    let found = sqlx::query!(
        r#"
        SELECT DISTINCT ON (asked.id) asked.id AS "quote_id!", shown.id
        FROM unnest($1::text[]) AS asked (id)
        -- The application may have pasted the id with white space around it.
        JOIN public.quotes AS shown ON avinode_ingest.without_space_around(shown.avinode_quote_id) = asked.id
        ORDER BY asked.id, shown.id
        "#,
        &ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut rows: BTreeMap<(&str, &str), Uuid> = BTreeMap::new();
    let mut made: Vec<(&QuoteProjection<'_>, Uuid, ProjectedColumns)> = Vec::new();
    // A quote that is named under two trips is shown once.
    let mut new_rows: BTreeMap<&str, Uuid> = BTreeMap::new();
    for projection in new {
        // The application has a row of this quote: it is shown, and nothing in it is ours to overwrite.
        let adopted = found.iter().find(|row| row.quote_id == projection.quote.as_str());
        let place = (projection.trip, projection.quote.as_str());
        match (adopted, projection.request_id, projection.price()) {
            (Some(row), _, _) => {
                rows.insert(place, row.id);
            }
            (None, Some(_), Some(_)) if new_rows.contains_key(projection.quote.as_str()) => {
                rows.insert(place, new_rows[projection.quote.as_str()]);
            }
            (None, Some(request_id), Some(price)) => {
                rows.insert(place, projection.new_id);
                new_rows.insert(projection.quote.as_str(), projection.new_id);
                made.push((projection, request_id, ProjectedColumns::of(projection.fact, price)));
            }
            _ => {}
        }
    }
    insert(tx, &made).await?;
    remember(tx, &rows, &made).await?;
    Ok(rows)
}

async fn insert(
    tx: &mut Transaction<'_>,
    made: &[(&QuoteProjection<'_>, Uuid, ProjectedColumns)],
) -> Result<(), sqlx::Error> {
    macro_rules! column {
        ($of:expr) => {
            made.iter().map($of).collect::<Vec<_>>()
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
        column!(|(projection, ..)| projection.fact.first_fact_at);
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

/// Notes beside the facts where they are shown, and what we wrote there.
async fn remember(
    tx: &mut Transaction<'_>,
    rows: &BTreeMap<(&str, &str), Uuid>,
    made: &[(&QuoteProjection<'_>, Uuid, ProjectedColumns)],
) -> Result<(), sqlx::Error> {
    let written: BTreeMap<(&str, &str), Value> = made
        .iter()
        .map(|(projection, _, values)| {
            (
                (projection.trip, projection.quote.as_str()),
                values.remembered(&OwnedColumns::ALL),
            )
        })
        .collect();
    let trips: Vec<String> = rows.keys().map(|(trip, _)| (*trip).to_owned()).collect();
    let quotes: Vec<String> = rows.keys().map(|(_, quote)| (*quote).to_owned()).collect();
    let ids: Vec<Uuid> = rows.values().copied().collect();
    let values: Vec<Option<Value>> = rows.keys().map(|place| written.get(place).cloned()).collect();
    sqlx::query!(
        r#"
        UPDATE avinode_ingest.quotes AS fact
        SET projected_id = new.id, projected = coalesce(new.projected, fact.projected), projection_error = NULL,
            refused_at = NULL
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::jsonb[]) AS new (trip_key, quote_id, id, projected)
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
