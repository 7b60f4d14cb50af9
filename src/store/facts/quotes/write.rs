//! Writes quotes with their projection: one version of a row, and of each of its index entries.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::ids::QuoteId;
use crate::domain::quote::QuoteFacts;
use crate::domain::stated_values::StatedValues;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::facts::quote_history;
use crate::store::facts::quotes::ProjectedRow;
use crate::store::version;

/// A quote of a locked trip to write.
#[derive(Debug, Clone, Copy)]
pub struct QuoteWrite<'a> {
    pub trip_key: &'a str,
    pub id: &'a QuoteId,
    pub facts: &'a QuoteFacts,
    /// Its row of `public.quotes`, if this transaction wrote it.
    pub projected: Option<&'a ProjectedRow>,
}

/// Writes quotes. Without a projection the columns of an earlier one stay.
pub async fn write(tx: &mut Transaction<'_>, quotes: &[QuoteWrite<'_>]) -> Result<(), sqlx::Error> {
    let received = column(quotes, |quote| quote.facts.received.as_ref());
    let details = column(&received, |&quote| quote.map(|quote| &quote.details));
    let declines = column(quotes, |quote| quote.facts.decline.get());
    let projected = column(quotes, |quote| quote.projected);
    let descriptions = column(&details, |&quote| {
        let description = &quote?.description;
        // Cannot fail: all keys are strings and all numbers finite.
        serde_json::to_value(description)
            .ok()
            .filter(|_| !description.is_empty())
    });
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.quote_facts AS known (
            trip_key, quote_id, received, rfq_id, amount, currency, operator_id, operator_name, aircraft_type,
            aircraft_tail, valid_until, fact_at, fact_source, fact_digest, first_fact_at, declined, declined_at,
            declined_source, declined_digest, decline_reason, history, fact_seen_at, declined_seen_at, declines,
            created_at, accepted, accepted_at, description, stated_values, projected_id, projected_request_id,
            own_request_id, projected_values
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::boolean[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::smallint[], $14::bytea[],
            $15::timestamptz[], $16::boolean[], $17::timestamptz[], $18::smallint[], $19::bytea[], $20::text[], $21::jsonb[],
            $22::timestamptz[], $23::timestamptz[], $24::jsonb[], $25::timestamptz[], $26::boolean[], $27::timestamptz[],
            $28::jsonb[], $29::jsonb[], $30::uuid[], $31::uuid[], $32::uuid[], $33::jsonb[]
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
            stated_values = EXCLUDED.stated_values,
            projected_id = coalesce(EXCLUDED.projected_id, known.projected_id),
            projected_request_id = CASE
                WHEN EXCLUDED.projected_id IS NULL THEN known.projected_request_id
                ELSE EXCLUDED.projected_request_id
            END,
            own_request_id = coalesce(EXCLUDED.own_request_id, known.own_request_id),
            projected_values = coalesce(EXCLUDED.projected_values, known.projected_values),
            projection_error = CASE WHEN EXCLUDED.projected_id IS NULL THEN known.projection_error END,
            projection_failed_at = CASE WHEN EXCLUDED.projected_id IS NULL THEN known.projection_failed_at END
        "#,
        &column(quotes, |quote| quote.trip_key) as &[&str],
        &column(quotes, |quote| quote.id.as_str()) as &[&str],
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
        &column(quotes, |quote| quote_history::write(&quote.facts.history)) as &[Option<Value>],
        &column(&received, |&quote| Some(quote?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(&declines, |&decline| Some(decline?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(quotes, |quote| version::write_newest(&quote.facts.decline)) as &[Option<Value>],
        &column(&details, |&quote| quote?.created_at) as &[Option<DateTime<Utc>>],
        &column(quotes, |quote| quote.facts.accepted.is_some()),
        &column(quotes, |quote| quote.facts.accepted?.at) as &[Option<DateTime<Utc>>],
        &descriptions as &[Option<Value>],
        &column(quotes, |quote| write_stated(quote.facts)) as &[Option<Value>],
        &column(&projected, |&row| Some(row?.row)) as &[Option<Uuid>],
        &column(&projected, |&row| row?.request_id) as &[Option<Uuid>],
        &column(&projected, |&row| row?.own_request_id) as &[Option<Uuid>],
        &column(&projected, |&row| Some(row?.written.clone())) as &[Option<Value>],
    )
    .execute(tx)
    .await?;
    Ok(())
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
