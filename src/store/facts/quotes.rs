//! The table `quote_facts`: loaded with the projection of each quote, and written where quotes changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
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
use crate::postgres::columns::column;
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
            SELECT id, nullif(total_price::numeric, 'NaN') AS price
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
        trip.quotes.insert(id, facts);
    }
    Ok(projections)
}

/// Writes quotes of locked trips, sorted by key.
pub async fn write(tx: &mut Transaction<'_>, quotes: &[(&str, &QuoteId, &QuoteFacts)]) -> Result<(), sqlx::Error> {
    let received = column(quotes, |(_, _, facts)| facts.received.as_ref());
    let details = column(&received, |&quote| quote.map(|quote| &quote.details));
    let declines = column(quotes, |(_, _, facts)| facts.decline.get());
    let descriptions = column(&details, |&quote| {
        let description = &quote?.description;
        // Cannot fail: all keys are strings and all numbers finite.
        serde_json::to_value(description)
            .ok()
            .filter(|_| !description.is_empty())
    });
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.quote_facts (
            trip_key, quote_id, received, rfq_id, amount, currency, operator_id, operator_name, aircraft_type,
            aircraft_tail, valid_until, fact_at, fact_source, fact_digest, first_fact_at, declined, declined_at,
            declined_source, declined_digest, decline_reason, history, fact_seen_at, declined_seen_at, declines,
            created_at, accepted, accepted_at, description, stated_values
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::smallint[], $14::bytea[],
            $15::timestamptz[], $16::boolean[], $17::timestamptz[], $18::smallint[], $19::bytea[], $20::text[], $21::jsonb[],
            $22::timestamptz[], $23::timestamptz[], $24::jsonb[], $25::timestamptz[], $26::boolean[], $27::timestamptz[],
            $28::jsonb[], $29::jsonb[]
        ) AS new (trip_key, quote_id)
        ORDER BY trip_key, quote_id
        ON CONFLICT (trip_key, quote_id) DO UPDATE
        SET received = EXCLUDED.received, rfq_id = EXCLUDED.rfq_id, amount = EXCLUDED.amount,
            currency = EXCLUDED.currency, operator_id = EXCLUDED.operator_id,
            operator_name = EXCLUDED.operator_name, aircraft_type = EXCLUDED.aircraft_type,
            aircraft_tail = EXCLUDED.aircraft_tail, valid_until = EXCLUDED.valid_until,
            fact_at = EXCLUDED.fact_at, fact_source = EXCLUDED.fact_source, fact_digest = EXCLUDED.fact_digest,
            first_fact_at = EXCLUDED.first_fact_at, declined = EXCLUDED.declined,
            declined_at = EXCLUDED.declined_at, declined_source = EXCLUDED.declined_source,
            declined_digest = EXCLUDED.declined_digest, decline_reason = EXCLUDED.decline_reason,
            history = EXCLUDED.history, fact_seen_at = EXCLUDED.fact_seen_at,
            declined_seen_at = EXCLUDED.declined_seen_at, declines = EXCLUDED.declines, created_at = EXCLUDED.created_at,
            accepted = EXCLUDED.accepted, accepted_at = EXCLUDED.accepted_at, description = EXCLUDED.description,
            stated_values = EXCLUDED.stated_values
        "#,
        &column(quotes, |(trip_key, _, _)| *trip_key) as &[&str],
        &column(quotes, |(_, id, _)| id.as_str()) as &[&str],
        &column(&received, Option::is_some),
        &column(&details, |&quote| Some(quote?.rfq.as_ref()?.as_str())) as &[Option<&str>],
        &column(&details, |&quote| Some(quote?.price.as_ref()?.amount)) as &[Option<Decimal>],
        &column(&details, |&quote| Some(quote?.price.as_ref()?.currency.as_str())) as &[Option<&str>],
        &column(&details, |&quote| quote?.operator.id.as_deref()) as &[Option<&str>],
        &column(&details, |&quote| quote?.operator.name.as_deref()) as &[Option<&str>],
        &column(&details, |&quote| quote?.aircraft_type.as_deref()) as &[Option<&str>],
        &column(&details, |&quote| quote?.aircraft_tail.as_deref()) as &[Option<&str>],
        &column(&details, |&quote| quote?.valid_until) as &[Option<DateTime<Utc>>],
        &column(&received, |&quote| quote?.version.at) as &[Option<DateTime<Utc>>],
        &column(&received, |&quote| Some(quote?.version.source as i16)) as &[Option<i16>],
        &column(&received, |&quote| Some(&quote?.version.digest[..])) as &[Option<&[u8]>],
        &column(&received, |&quote| Some(quote?.first_fact_at)) as &[Option<DateTime<Utc>>],
        &column(&declines, Option::is_some),
        &column(&declines, |&decline| decline?.version.at) as &[Option<DateTime<Utc>>],
        &column(&declines, |&decline| Some(decline?.version.source as i16)) as &[Option<i16>],
        &column(&declines, |&decline| Some(&decline?.version.digest[..])) as &[Option<&[u8]>],
        &column(&declines, |&decline| decline?.value.as_deref()) as &[Option<&str>],
        &column(quotes, |(_, _, facts)| quote_history::write(&facts.history)) as &[Option<Value>],
        &column(&received, |&quote| Some(quote?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(&declines, |&decline| Some(decline?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(quotes, |(_, _, facts)| version::write_newest(&facts.decline)) as &[Option<Value>],
        &column(&details, |&quote| quote?.created_at) as &[Option<DateTime<Utc>>],
        &column(quotes, |(_, _, facts)| facts.accepted.is_some()),
        &column(quotes, |(_, _, facts)| facts.accepted?.at) as &[Option<DateTime<Utc>>],
        &descriptions as &[Option<Value>],
        &column(quotes, |(_, _, facts)| write_stated(facts)) as &[Option<Value>],
    )
    .execute(tx)
    .await?;
    Ok(())
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

/// The value of the column `stated_values`: null where the other columns hold every stated value, as for most quotes.
fn write_stated(facts: &QuoteFacts) -> Option<Value> {
    let newest = facts
        .received
        .as_ref()
        .map(|quote| StatedValues::of_details(&quote.details));
    if newest.unwrap_or_default() == facts.stated {
        return None;
    }
    // Cannot fail: all keys and values are strings.
    serde_json::to_value(&facts.stated).ok()
}

/// Reads a column; `None` if it is null.
fn read_json<T: DeserializeOwned>(quote: &QuoteId, name: &'static str, column: Option<Value>) -> Option<T> {
    serde_json::from_value(column?)
        .inspect_err(|error| tracing::error!(%quote, "cannot read {name} of quote {quote}, using the rest: {error}"))
        .ok()
}
