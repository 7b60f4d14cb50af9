//! The table `quote_facts`: loaded with the projection of each quote, and written where quotes changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::quote_columns::details;
use super::quote_history;
use crate::domain::event::{Money, Party, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::{DeclineFact, QuoteFacts, ReceivedQuote};
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;
use crate::store::version;

/// A quote of a trip: (trip key, quote id).
pub type QuoteKey = (String, QuoteId);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionState {
    /// Projected in this row of `public.quotes`.
    Row(Uuid),
    /// The application deleted the row.
    Deleted,
    /// The application's table refused the row.
    Refused,
}

impl ProjectionState {
    pub fn row(self) -> Option<Uuid> {
        match self {
            Self::Row(row) => Some(row),
            Self::Deleted | Self::Refused => None,
        }
    }
}

/// Loads the quotes of locked trips, and returns their projections.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    keys: &[String],
) -> Result<BTreeMap<QuoteKey, ProjectionState>, sqlx::Error> {
    let mut projections = BTreeMap::new();
    let rows = sqlx::query!(
        r#"
        SELECT fact.*, EXISTS (SELECT FROM public.quotes AS quote WHERE quote.id = fact.projected_id) AS "row_exists!"
        FROM avinode_ingest.quote_facts AS fact
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
        let projection = match row.projected_id {
            Some(projected_id) if row.row_exists => Some(ProjectionState::Row(projected_id)),
            Some(_) => Some(ProjectionState::Deleted),
            None => row.projection_error.map(|_| ProjectionState::Refused),
        };
        if let Some(projection) = projection {
            projections.insert((row.trip_key, id.clone()), projection);
        }
        let one_observation = version::read(row.fact_at, row.fact_source, row.fact_digest)
            .filter(|_| row.received)
            .map(|version| {
                let rfq = row.rfq_id.as_deref().and_then(|id| RfqId::parse(id).ok());
                let details = details!(id.clone(), rfq, row);
                quote_history::of_one_observation(details, version, row.first_fact_at)
            });
        let history = quote_history::read(&id, row.history)
            .or(one_observation)
            .unwrap_or_default();
        let decline = version::read(row.declined_at, row.declined_source, row.declined_digest);
        let decline = version::read_decline(row.declined, decline, row.decline_reason);
        trip.quotes.insert(id, QuoteFacts::new(&history, decline));
    }
    Ok(projections)
}

/// The columns of `quote_facts`, one array each.
#[derive(Default)]
struct QuoteFactColumns {
    trip_key: Vec<String>,
    quote_id: Vec<String>,
    received: Vec<bool>,
    rfq_id: Vec<Option<String>>,
    amount: Vec<Option<Decimal>>,
    currency: Vec<Option<String>>,
    operator_id: Vec<Option<String>>,
    operator_name: Vec<Option<String>>,
    aircraft_type: Vec<Option<String>>,
    aircraft_tail: Vec<Option<String>>,
    valid_until: Vec<Option<DateTime<Utc>>>,
    fact_at: Vec<Option<DateTime<Utc>>>,
    fact_source: Vec<Option<i16>>,
    fact_digest: Vec<Option<Vec<u8>>>,
    first_fact_at: Vec<Option<DateTime<Utc>>>,
    declined: Vec<bool>,
    declined_at: Vec<Option<DateTime<Utc>>>,
    declined_source: Vec<Option<i16>>,
    declined_digest: Vec<Option<Vec<u8>>>,
    decline_reason: Vec<Option<String>>,
    history: Vec<Option<Value>>,
}

impl QuoteFactColumns {
    fn push(&mut self, trip_key: &str, quote_id: &QuoteId, facts: &QuoteFacts) {
        let QuoteFacts {
            history,
            received,
            decline,
        } = facts;
        self.trip_key.push(trip_key.to_owned());
        self.quote_id.push(quote_id.as_str().to_owned());
        self.history.push(quote_history::write(history));
        self.push_received(received.clone());
        self.push_decline(decline.as_ref());
    }

    fn push_received(&mut self, received: Option<ReceivedQuote>) {
        self.received.push(received.is_some());
        let (details, version, first_fact_at) = match received {
            Some(ReceivedQuote {
                details,
                version,
                first_fact_at,
                changed_at: _, // derived from the history
            }) => (Some(details), Some(version), first_fact_at),
            None => (None, None, None),
        };
        self.fact_at.push(version.as_ref().and_then(|version| version.at));
        self.fact_source
            .push(version.as_ref().map(|version| version::source_number(version.source)));
        self.fact_digest.push(version.map(|version| version.digest.to_vec()));
        self.first_fact_at.push(first_fact_at);
        let (rfq, price, operator, aircraft_type, aircraft_tail, valid_until) = match details {
            Some(QuoteDetails {
                quote: _, // the row's key
                rfq,
                price,
                operator,
                aircraft_type,
                aircraft_tail,
                valid_until,
            }) => (rfq, price, operator, aircraft_type, aircraft_tail, valid_until),
            None => (None, None, Party::default(), None, None, None),
        };
        let (amount, currency) = price.map(|Money { amount, currency }| (amount, currency)).unzip();
        let Party { id, name } = operator;
        self.rfq_id.push(rfq.map(|rfq| rfq.as_str().to_owned()));
        self.amount.push(amount);
        self.currency.push(currency);
        self.operator_id.push(id);
        self.operator_name.push(name);
        self.aircraft_type.push(aircraft_type);
        self.aircraft_tail.push(aircraft_tail);
        self.valid_until.push(valid_until);
    }

    fn push_decline(&mut self, decline: Option<&DeclineFact>) {
        self.declined.push(decline.is_some());
        let (version, reason) = decline.map(|DeclineFact { version, reason }| (version, reason)).unzip();
        self.declined_at.push(version.and_then(|version| version.at));
        self.declined_source
            .push(version.map(|version| version::source_number(version.source)));
        self.declined_digest
            .push(version.map(|version| version.digest.to_vec()));
        self.decline_reason.push(reason.cloned().flatten());
    }
}

/// Writes quotes of locked trips, sorted by key.
pub async fn write(tx: &mut Transaction<'_>, quotes: &[(&str, &QuoteId, &QuoteFacts)]) -> Result<(), sqlx::Error> {
    let mut columns = QuoteFactColumns::default();
    for (trip_key, quote_id, facts) in quotes {
        columns.push(trip_key, quote_id, facts);
    }
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.quote_facts (
            trip_key, quote_id, received, rfq_id, amount, currency, operator_id, operator_name, aircraft_type,
            aircraft_tail, valid_until, fact_at, fact_source, fact_digest, first_fact_at, declined, declined_at,
            declined_source, declined_digest, decline_reason, history
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::smallint[], $14::bytea[],
            $15::timestamptz[], $16::boolean[], $17::timestamptz[], $18::smallint[], $19::bytea[], $20::text[], $21::jsonb[]
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
            history = EXCLUDED.history
        "#,
        &columns.trip_key,
        &columns.quote_id,
        &columns.received,
        &columns.rfq_id as &[Option<String>],
        &columns.amount as &[Option<Decimal>],
        &columns.currency as &[Option<String>],
        &columns.operator_id as &[Option<String>],
        &columns.operator_name as &[Option<String>],
        &columns.aircraft_type as &[Option<String>],
        &columns.aircraft_tail as &[Option<String>],
        &columns.valid_until as &[Option<DateTime<Utc>>],
        &columns.fact_at as &[Option<DateTime<Utc>>],
        &columns.fact_source as &[Option<i16>],
        &columns.fact_digest as &[Option<Vec<u8>>],
        &columns.first_fact_at as &[Option<DateTime<Utc>>],
        &columns.declined,
        &columns.declined_at as &[Option<DateTime<Utc>>],
        &columns.declined_source as &[Option<i16>],
        &columns.declined_digest as &[Option<Vec<u8>>],
        &columns.decline_reason as &[Option<String>],
        &columns.history as &[Option<Value>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
