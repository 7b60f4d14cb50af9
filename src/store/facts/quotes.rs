//! The table `quote_facts`: loaded with the projection of each quote, and [written](super::write) where quotes changed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::quote_history;
use crate::domain::event::{Money, Party, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::{QuoteAcceptance, QuoteFacts};
use crate::domain::stated_values::{self, StatedPart, StatedValues};
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;
use crate::store::version::{self, VersionColumns};

/// A quote of a trip: (trip key, quote id).
pub type QuoteKey = (String, QuoteId);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionState {
    /// Projected in this row of `public.quotes`.
    Row(Uuid),
    /// Projected in this row, which shows an older price of Avinode's: the application wrote it.
    OutdatedRow(Uuid),
    /// The application deleted the row.
    Deleted,
    /// The application deleted the row together with its request.
    DeletedWithRequest,
    /// The application's table refused the row.
    Refused,
}

impl ProjectionState {
    pub fn row(self) -> Option<Uuid> {
        match self {
            Self::Row(row) | Self::OutdatedRow(row) => Some(row),
            Self::Deleted | Self::DeletedWithRequest | Self::Refused => None,
        }
    }
}

/// A row of `public.quotes` that was written, as `quote_facts` records it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectedRow {
    pub row: Uuid,
    /// The request under which the row is.
    pub request_id: Option<Uuid>,
    /// The request under which the service put the row; `None` if it stays as recorded before.
    pub own_request_id: Option<Uuid>,
    /// The values that the service wrote, by name.
    pub written: Value,
}

/// Loads all quotes of the locked trips `complete`, and the quotes `named`. Returns their projections.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    complete: &[String],
    named: &[(&str, &QuoteId)],
) -> Result<BTreeMap<QuoteKey, ProjectionState>, sqlx::Error> {
    let (trip_keys, quote_ids): (Vec<&str>, Vec<&str>) = named
        .iter()
        .map(|(trip_key, quote)| (*trip_key, quote.as_str()))
        .unzip();
    let mut projections = BTreeMap::new();
    // LATERAL with OFFSET 0 is never turned into a join, for which the planner, who overestimates the rows, would read whole
    // tables.
    let rows = sqlx::query!(
        r#"
        SELECT fact.trip_key AS "trip_key!", fact.quote_id AS "quote_id!", fact.received AS "received!", fact.rfq_id,
            fact.amount, fact.currency, fact.operator_id, fact.operator_name, fact.aircraft_type, fact.aircraft_tail,
            fact.valid_until, fact.created_at, fact.description, fact.fact_at, fact.fact_seen_at, fact.fact_source,
            fact.fact_digest, fact.first_fact_at, fact.history, fact.declined AS "declined!", fact.declined_at,
            fact.declined_seen_at, fact.declined_source, fact.declined_digest, fact.decline_reason, fact.declines,
            fact.accepted AS "accepted!", fact.accepted_at, fact.stated_values, fact.projected_id, fact.projection_error,
            quote.id IS NOT NULL AS "row_exists!", quote.price AS row_price,
            quote.id IS NULL AND fact.projected_request_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM public.requests AS request WHERE request.id = fact.projected_request_id
            ) AS "request_is_deleted!"
        FROM (
            SELECT * FROM avinode_ingest.quote_facts WHERE trip_key = ANY ($1)
            UNION ALL
            SELECT known.*
            FROM unnest($2::text[], $3::text[]) AS named (trip_key, quote_id)
            CROSS JOIN LATERAL (
                SELECT *
                FROM avinode_ingest.quote_facts
                WHERE trip_key = named.trip_key AND quote_id = named.quote_id
                OFFSET 0
            ) AS known
        ) AS fact
        LEFT JOIN LATERAL (
            SELECT id, avinode_ingest.readable_price(total_price::numeric) AS price
            FROM public.quotes
            WHERE id = fact.projected_id
            OFFSET 0
        ) AS quote ON true
        "#,
        complete,
        &trip_keys as &[&str],
        &quote_ids as &[&str],
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), QuoteId::parse(&row.quote_id)) else {
            continue;
        };
        let fact = VersionColumns {
            at: row.fact_at,
            seen_at: row.fact_seen_at,
            source: row.fact_source,
            digest: row.fact_digest,
        };
        let one_observation = fact.read().filter(|_| row.received).map(|version| {
            let rfq = row.rfq_id.as_deref().and_then(|id| RfqId::parse(id).ok());
            let details = QuoteDetails {
                quote: id.clone(),
                rfq,
                // An amount without a currency is no price.
                price: row
                    .amount
                    .zip(row.currency)
                    .map(|(amount, currency)| Money { amount, currency }),
                unread_price: None, // a quote that has one has a history
                operator: Party {
                    id: row.operator_id,
                    name: row.operator_name,
                },
                aircraft_type: row.aircraft_type,
                aircraft_tail: row.aircraft_tail,
                valid_until: row.valid_until,
                created_at: row.created_at,
                description: read_json(&id, "description", row.description).unwrap_or_default(),
            };
            quote_history::of_one_observation(details, &version, row.first_fact_at)
        });
        let history = quote_history::read(&id, row.history)
            .or(one_observation)
            .unwrap_or_default();
        let decline = VersionColumns {
            at: row.declined_at,
            seen_at: row.declined_seen_at,
            source: row.declined_source,
            digest: row.declined_digest,
        };
        let newest = decline.read().filter(|_| row.declined).zip(Some(row.decline_reason));
        let decline = version::read_newest(row.declines, newest);
        let accepted = row.accepted.then_some(QuoteAcceptance { at: row.accepted_at });
        let mut facts = QuoteFacts::new(&history, decline, accepted);
        if let Some(stated) = read_json(&id, "stated_values", row.stated_values) {
            facts.stated.merge(&stated);
        }
        let projection = match row.projected_id {
            Some(projected_id) if row.row_exists => Some(match row.row_price {
                Some(price) if is_outdated(price, &facts) => ProjectionState::OutdatedRow(projected_id),
                _ => ProjectionState::Row(projected_id),
            }),
            Some(_) if row.request_is_deleted => Some(ProjectionState::DeletedWithRequest),
            Some(_) => Some(ProjectionState::Deleted),
            None => row.projection_error.map(|_| ProjectionState::Refused),
        };
        if let Some(projection) = projection {
            projections.insert((row.trip_key, id.clone()), projection);
        }
        trip.quotes.insert(id, Box::new(facts));
    }
    Ok(projections)
}

/// True if Avinode stated this price of a quote, and states another one by now.
fn is_outdated(price: Decimal, facts: &QuoteFacts) -> bool {
    let price = stated_values::price(price);
    let newest = facts
        .received
        .as_ref()
        .map(|quote| StatedValues::of_details(&quote.details));
    facts.stated.contains(StatedPart::Price, &price)
        && newest.is_some_and(|newest| newest.has(StatedPart::Price) && !newest.contains(StatedPart::Price, &price))
}

/// Reads a column; `None` if it is null.
fn read_json<T: DeserializeOwned>(quote: &QuoteId, name: &'static str, column: Option<Value>) -> Option<T> {
    serde_json::from_value(column?)
        .inspect_err(|error| tracing::error!(%quote, "cannot read {name} of quote {quote}, using the rest: {error}"))
        .ok()
}
