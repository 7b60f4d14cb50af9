//! Writes the facts of locked trips, and the subjects of the deliveries that they come from, in one statement. A quote is written with its projection: one version of its row, and of each of
//! its index entries.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::event::QuoteDescription;
use crate::domain::ids::{MessageId, QuoteId, RfqId};
use crate::domain::quote::{QuoteFacts, Rfq};
use crate::domain::quote_history::QuoteHistory;
use crate::domain::stated_values::StatedValues;
use crate::domain::trip::TripFacts;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::delivery_subjects::{DeliverySubject, SubjectColumns};
use crate::store::facts::quote_history;
use crate::store::facts::quotes::ProjectedRow;
use crate::store::version;

/// The facts to write.
#[derive(Debug, Default)]
pub struct FactWrites<'a> {
    /// Trips by key, of which status and last activity are written.
    pub trips: Vec<(&'a str, &'a TripFacts)>,
    pub quotes: Vec<QuoteWrite<'a>>,
    pub rfqs: Vec<RfqWrite<'a>>,
    /// New messages by the key of their trip.
    pub messages: Vec<(&'a str, &'a MessageId)>,
    pub subjects: &'a [DeliverySubject],
}

/// A quote of a locked trip to write.
#[derive(Debug, Clone, Copy)]
pub struct QuoteWrite<'a> {
    pub trip_key: &'a str,
    pub id: &'a QuoteId,
    pub facts: &'a QuoteFacts,
    /// Its row of `public.quotes`, if this transaction wrote it.
    pub projected: Option<&'a ProjectedRow>,
}

/// An RFQ of a locked trip to write.
#[derive(Debug, Clone, Copy)]
pub struct RfqWrite<'a> {
    pub trip_key: &'a str,
    pub id: &'a RfqId,
    pub facts: &'a Rfq,
}

/// Writes facts. A quote without a projection keeps the columns of an earlier one.
pub async fn write(tx: &mut Transaction<'_>, facts: &FactWrites<'_>) -> Result<(), sqlx::Error> {
    let FactWrites {
        trips,
        quotes,
        rfqs,
        messages,
        subjects,
    } = facts;
    if trips.is_empty() && quotes.is_empty() && rfqs.is_empty() && messages.is_empty() && subjects.is_empty() {
        return Ok(());
    }
    let statuses = column(trips, |(_, trip)| trip.status.get());
    let rfq_declines = column(rfqs, |rfq| rfq.facts.decline.get());
    let received = column(quotes, |quote| quote.facts.received.as_ref());
    let details = column(&received, |&quote| quote.map(|quote| &quote.details));
    let declines = column(quotes, |quote| quote.facts.decline.get());
    let projected = column(quotes, |quote| quote.projected);
    let descriptions = column(&details, |&quote| {
        Some(&quote?.description)
            .filter(|description| !description.is_empty())
            .map(Json)
    });
    let subjects = SubjectColumns::of(subjects);
    sqlx::query!(
        r#"
        WITH quote AS (
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
        ), rfq AS (
            INSERT INTO avinode_ingest.rfqs (
                trip_key, rfq_id, sent, declined, declined_at, declined_source, declined_digest, decline_reason,
                declined_seen_at, declines, cancelled_at
            )
            SELECT * FROM unnest(
                $34::text[], $35::text[], $36::boolean[], $37::boolean[], $38::timestamptz[], $39::smallint[], $40::bytea[],
                $41::text[], $42::timestamptz[], $43::jsonb[], $44::timestamptz[]
            ) AS new (trip_key, rfq_id)
            ORDER BY trip_key, rfq_id
            ON CONFLICT (trip_key, rfq_id) DO UPDATE
            SET sent = EXCLUDED.sent, declined = EXCLUDED.declined, declined_at = EXCLUDED.declined_at,
                declined_source = EXCLUDED.declined_source, declined_digest = EXCLUDED.declined_digest,
                decline_reason = EXCLUDED.decline_reason, declined_seen_at = EXCLUDED.declined_seen_at,
                declines = EXCLUDED.declines, cancelled_at = EXCLUDED.cancelled_at
        ), message AS (
            INSERT INTO avinode_ingest.messages (trip_key, message_id)
            SELECT trip_key, message_id FROM unnest($45::text[], $46::text[]) AS new (trip_key, message_id)
            ORDER BY trip_key, message_id
            ON CONFLICT DO NOTHING
        ), subject AS (
            INSERT INTO avinode_ingest.delivery_subjects
                (delivery_id, job_id, kind, trip_key, event_id, rfqs, quotes, sessions)
            SELECT delivery_id, job_id, kind, trip_key, event_id, string_to_array(rfqs, E'\n'), string_to_array(quotes, E'\n'),
                string_to_array(sessions, E'\n')::uuid[]
            FROM unnest($56::uuid[], $57::bigint[], $58::text[], $59::text[], $60::text[], $61::text[], $62::text[], $63::text[])
                AS new (delivery_id, job_id, kind, trip_key, event_id, rfqs, quotes, sessions)
            ORDER BY delivery_id
        )
        UPDATE avinode_ingest.trips AS trip
        SET status = new.status, status_at = new.at, status_source = new.source, status_digest = new.digest,
            last_activity_at = new.activity, status_first_seen_at = new.first_seen_at, status_seen_at = new.seen_at,
            statuses = new.statuses
        FROM unnest($47::text[], $48::text[], $49::timestamptz[], $50::smallint[], $51::bytea[], $52::timestamptz[],
            $53::timestamptz[], $54::timestamptz[], $55::jsonb[])
            AS new (key, status, at, source, digest, activity, first_seen_at, seen_at, statuses)
        WHERE trip.key = new.key
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
        &column(quotes, |quote| quote_history::write(&quote.facts.history).map(Json)) as &[Option<Json<&QuoteHistory>>],
        &column(&received, |&quote| Some(quote?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(&declines, |&decline| Some(decline?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(quotes, |quote| version::write_newest(&quote.facts.decline)) as &[Option<Value>],
        &column(&details, |&quote| quote?.created_at) as &[Option<DateTime<Utc>>],
        &column(quotes, |quote| quote.facts.accepted.is_some()),
        &column(quotes, |quote| quote.facts.accepted?.at) as &[Option<DateTime<Utc>>],
        &descriptions as &[Option<Json<&QuoteDescription>>],
        &column(quotes, |quote| write_stated(quote.facts)) as &[Option<Json<&StatedValues>>],
        &column(&projected, |&row| Some(row?.row)) as &[Option<Uuid>],
        &column(&projected, |&row| row?.request_id) as &[Option<Uuid>],
        &column(&projected, |&row| row?.own_request_id) as &[Option<Uuid>],
        &column(&projected, |&row| Some(Json(&row?.written))) as &[Option<Json<&Value>>],
        &column(rfqs, |rfq| rfq.trip_key) as &[&str],
        &column(rfqs, |rfq| rfq.id.as_str()) as &[&str],
        &column(rfqs, |rfq| rfq.facts.sent),
        &column(&rfq_declines, Option::is_some),
        &column(&rfq_declines, |&decline| decline?.version.at) as &[Option<DateTime<Utc>>],
        &column(&rfq_declines, |&decline| Some(decline?.version.source as i16)) as &[Option<i16>],
        &column(&rfq_declines, |&decline| Some(&decline?.version.digest[..])) as &[Option<&[u8]>],
        &column(&rfq_declines, |&decline| decline?.value.as_deref()) as &[Option<&str>],
        &column(&rfq_declines, |&decline| Some(decline?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(rfqs, |rfq| version::write_newest(&rfq.facts.decline)) as &[Option<Value>],
        &column(rfqs, |rfq| rfq.facts.cancelled_at) as &[Option<DateTime<Utc>>],
        &column(messages, |(trip_key, _)| *trip_key) as &[&str],
        &column(messages, |(_, id)| id.as_str()) as &[&str],
        &column(trips, |(key, _)| *key) as &[&str],
        &column(&statuses, |&known| Some(known?.value.as_str())) as &[Option<&str>],
        &column(&statuses, |&known| known?.version.at) as &[Option<DateTime<Utc>>],
        &column(&statuses, |&known| Some(known?.version.source as i16)) as &[Option<i16>],
        &column(&statuses, |&known| Some(&known?.version.digest[..])) as &[Option<&[u8]>],
        &column(trips, |(_, trip)| trip.last_activity_at) as &[Option<DateTime<Utc>>],
        &column(trips, |(_, trip)| trip.status_first_seen_at) as &[Option<DateTime<Utc>>],
        &column(&statuses, |&known| Some(known?.version.seen_at)) as &[Option<DateTime<Utc>>],
        &column(trips, |(_, trip)| version::write_newest(&trip.status)) as &[Option<Value>],
        &subjects.deliveries,
        &subjects.jobs,
        &subjects.kinds as &[&str],
        &subjects.trips as &[Option<&str>],
        &subjects.events as &[Option<&str>],
        &subjects.rfqs as &[Option<String>],
        &subjects.quotes as &[Option<String>],
        &subjects.sessions as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The value of the column `stated_values`: null where the other columns hold every stated value, as for most quotes.
fn write_stated(facts: &QuoteFacts) -> Option<Json<&StatedValues>> {
    let newest = facts
        .received
        .as_ref()
        .map(|quote| StatedValues::of_details(&quote.details));
    (newest.unwrap_or_default() != facts.stated).then_some(Json(&facts.stated))
}
