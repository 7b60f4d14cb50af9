//! Facts about quotes: loaded with where each is projected, and written where they changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::quote_columns::details;
use super::quote_history;
use super::read_decline;
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::QuoteFacts;
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;
use crate::store::version;

/// A quote of a trip: (trip key, quote id).
pub type QuoteKey = (String, QuoteId);

/// Where a quote is projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionState {
    /// In this row of `public.quotes`.
    At(Uuid),
    /// The application has deleted its row.
    Removed,
    /// Nowhere: the application's table refused it.
    Refused,
}

impl ProjectionState {
    /// The row, if it is there.
    pub fn row(self) -> Option<Uuid> {
        match self {
            Self::At(row) => Some(row),
            Self::Removed | Self::Refused => None,
        }
    }
}

/// Loads the quotes of locked trips into them; and where each is projected.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    keys: &[String],
) -> Result<BTreeMap<QuoteKey, ProjectionState>, sqlx::Error> {
    let mut projected = BTreeMap::new();
    let rows = sqlx::query!(
        r#"
        SELECT fact.*, EXISTS (SELECT FROM public.quotes AS shown WHERE shown.id = fact.projected_id) AS "is_shown!"
        FROM avinode_ingest.quotes AS fact
        WHERE trip_key = ANY ($1)
        "#,
        keys
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), QuoteId::parse(&row.quote_id)) else {
            continue;
        };
        if let Some(at) = row.projected_id {
            let shown = if row.is_shown {
                ProjectionState::At(at)
            } else {
                ProjectionState::Removed
            };
            projected.insert((row.trip_key, id.clone()), shown);
        } else if row.projection_error.is_some() {
            projected.insert((row.trip_key, id.clone()), ProjectionState::Refused);
        }
        let fact = version::read(row.fact_at, row.fact_source, row.fact_digest)
            .filter(|_| row.received)
            .map(|version| {
                let request = row.request_id.as_deref().and_then(|id| RfqId::parse(id).ok());
                let details = details!(id.clone(), request, row);
                quote_history::only(details, version, row.first_fact_at)
            });
        let said = quote_history::read(&id, row.said).or(fact).unwrap_or_default();
        let declined = version::read(row.declined_at, row.declined_source, row.declined_digest);
        let declined = read_decline(row.declined, declined, row.decline_reason);
        trip.quotes.insert(id, QuoteFacts::of(&said, declined));
    }
    Ok(projected)
}

/// Writes quotes of locked trips, sorted by key.
pub async fn write(tx: &mut Transaction<'_>, quotes: &[(&str, &QuoteId, &QuoteFacts)]) -> Result<(), sqlx::Error> {
    let fact = |quote: &QuoteFacts| quote.fact.clone();
    let details = |quote: &QuoteFacts| fact(quote).map(|fact| fact.details);
    let decline = |quote: &QuoteFacts| quote.declined.clone();
    macro_rules! column {
        ($of:expr) => {
            quotes.iter().map(|(_, _, quote)| $of(quote)).collect::<Vec<_>>()
        };
    }
    let keys: Vec<String> = quotes.iter().map(|(key, _, _)| (*key).to_owned()).collect();
    let ids: Vec<String> = quotes.iter().map(|(_, id, _)| id.as_str().to_owned()).collect();
    let received: Vec<bool> = column!(|quote: &QuoteFacts| quote.fact.is_some());
    let request: Vec<Option<String>> =
        column!(|quote| details(quote).and_then(|d| d.request).map(|id| id.as_str().to_owned()));
    let amount: Vec<Option<Decimal>> = column!(|quote| details(quote).and_then(|d| d.price).map(|price| price.amount));
    let currency: Vec<Option<String>> =
        column!(|quote| details(quote).and_then(|d| d.price).map(|price| price.currency));
    let operator_id: Vec<Option<String>> = column!(|quote| details(quote).and_then(|d| d.operator.id));
    let operator_name: Vec<Option<String>> = column!(|quote| details(quote).and_then(|d| d.operator.name));
    let aircraft_type: Vec<Option<String>> = column!(|quote| details(quote).and_then(|d| d.aircraft_type));
    let aircraft_tail: Vec<Option<String>> = column!(|quote| details(quote).and_then(|d| d.aircraft_tail));
    let valid_until: Vec<Option<DateTime<Utc>>> = column!(|quote| details(quote).and_then(|d| d.valid_until));
    let fact_at: Vec<Option<DateTime<Utc>>> = column!(|quote| fact(quote).and_then(|fact| fact.version.at));
    let fact_source: Vec<Option<i16>> =
        column!(|quote| fact(quote).map(|fact| version::source_number(fact.version.source)));
    let fact_digest: Vec<Option<Vec<u8>>> = column!(|quote| fact(quote).map(|fact| fact.version.digest.to_vec()));
    let first_fact_at: Vec<Option<DateTime<Utc>>> = column!(|quote| fact(quote).and_then(|fact| fact.first_fact_at));
    let declined: Vec<bool> = column!(|quote: &QuoteFacts| quote.declined.is_some());
    let declined_at: Vec<Option<DateTime<Utc>>> = column!(|quote| decline(quote).and_then(|d| d.version.at));
    let declined_source: Vec<Option<i16>> =
        column!(|quote| decline(quote).map(|d| version::source_number(d.version.source)));
    let declined_digest: Vec<Option<Vec<u8>>> = column!(|quote| decline(quote).map(|d| d.version.digest.to_vec()));
    let reason: Vec<Option<String>> = column!(|quote| decline(quote).and_then(|d| d.reason));
    let said: Vec<Option<Value>> = column!(|quote: &QuoteFacts| quote_history::write(&quote.said));
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.quotes (
            trip_key, quote_id, received, request_id, amount, currency, operator_id, operator_name, aircraft_type,
            aircraft_tail, valid_until, fact_at, fact_source, fact_digest, first_fact_at, declined, declined_at,
            declined_source, declined_digest, decline_reason, said
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::smallint[], $14::bytea[],
            $15::timestamptz[], $16::boolean[], $17::timestamptz[], $18::smallint[], $19::bytea[], $20::text[], $21::jsonb[]
        ) AS new (trip_key, quote_id)
        ORDER BY trip_key, quote_id
        ON CONFLICT (trip_key, quote_id) DO UPDATE
        SET received = EXCLUDED.received, request_id = EXCLUDED.request_id, amount = EXCLUDED.amount,
            currency = EXCLUDED.currency, operator_id = EXCLUDED.operator_id,
            operator_name = EXCLUDED.operator_name, aircraft_type = EXCLUDED.aircraft_type,
            aircraft_tail = EXCLUDED.aircraft_tail, valid_until = EXCLUDED.valid_until,
            fact_at = EXCLUDED.fact_at, fact_source = EXCLUDED.fact_source, fact_digest = EXCLUDED.fact_digest,
            first_fact_at = EXCLUDED.first_fact_at, declined = EXCLUDED.declined,
            declined_at = EXCLUDED.declined_at, declined_source = EXCLUDED.declined_source,
            declined_digest = EXCLUDED.declined_digest, decline_reason = EXCLUDED.decline_reason, said = EXCLUDED.said
        "#,
        &keys,
        &ids,
        &received,
        &request as &[Option<String>],
        &amount as &[Option<Decimal>],
        &currency as &[Option<String>],
        &operator_id as &[Option<String>],
        &operator_name as &[Option<String>],
        &aircraft_type as &[Option<String>],
        &aircraft_tail as &[Option<String>],
        &valid_until as &[Option<DateTime<Utc>>],
        &fact_at as &[Option<DateTime<Utc>>],
        &fact_source as &[Option<i16>],
        &fact_digest as &[Option<Vec<u8>>],
        &first_fact_at as &[Option<DateTime<Utc>>],
        &declined,
        &declined_at as &[Option<DateTime<Utc>>],
        &declined_source as &[Option<i16>],
        &declined_digest as &[Option<Vec<u8>>],
        &reason as &[Option<String>],
        &said as &[Option<Value>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
