//! The column `raw_webhook_payload`: the body of the delivery with the newest event about the quote, where the application's table
//! has the column as `jsonb` or `json`. Fetched documents do not change it.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Number, Value, json};
use sha2::{Digest as _, Sha256};

use crate::domain::ids::QuoteId;
use crate::domain::quote_history::observation::Observation;
use crate::domain::storable_json::{self, split_exponent};
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;
use crate::store::deliveries::StoredDelivery;

pub(super) const COLUMN: &str = "raw_webhook_payload";

/// A longer body is left out: the application reads the column together with the quote.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// An event's statement about a quote, with its first delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventStatement {
    pub at: Option<DateTime<Utc>>,
    pub first_seen_at: DateTime<Utc>,
    pub digest: [u8; 32],
}

/// A body as JSON that `jsonb` can hold.
#[derive(Debug, PartialEq)]
pub struct PayloadJson {
    value: Value,
    /// [`digest`] of the value.
    digest: String,
}

/// The newest event about a quote.
#[derive(Debug, Clone)]
pub struct QuotePayload {
    pub statement: EventStatement,
    pub delivery: Arc<StoredDelivery>,
}

/// A body as the column holds it. Where the table lacks the column, no body is parsed for it.
pub(super) struct ReadPayload {
    /// `None` if the column cannot hold the body.
    pub(super) value: Option<Value>,
    /// The entry in `projected_values`: the statement, and a digest in place of the body.
    pub(super) record: Value,
}

/// A quote whose newest event is not part of the batch.
#[derive(Debug, Clone)]
pub struct WantedPayload<'a> {
    pub trip_key: &'a str,
    pub quote: &'a QuoteId,
    pub statement: EventStatement,
}

/// The change of the column in a row.
#[derive(Debug, PartialEq)]
pub(super) struct PayloadChange {
    /// The new value; `None` if the row has it already.
    pub(super) column: Option<Value>,
    /// The entry in `projected_values`.
    pub(super) record: Value,
}

impl EventStatement {
    pub fn of(event: &Observation) -> Self {
        Self {
            at: event.at,
            first_seen_at: event.first_seen_at,
            digest: event.digest,
        }
    }

    /// The statement in `projected_values`.
    fn recorded(&self) -> String {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let at = self.at.map(time).unwrap_or_default();
        format!("{} {at} {}", time(self.first_seen_at), hex::encode(self.digest))
    }
}

impl PayloadJson {
    /// Reads a body; `None` if it is too long, or `jsonb` refuses a text or a number of it.
    pub fn read(body: &[u8]) -> Option<Self> {
        if body.len() > MAX_BODY_BYTES {
            return None;
        }
        // An unpaired surrogate is a syntax error here.
        let value: Value = serde_json::from_slice(body).ok()?;
        let digest = digest(&value)?;
        storable_json::check(&value).is_ok().then_some(Self { value, digest })
    }
}

impl QuotePayload {
    pub(super) fn read(&self) -> ReadPayload {
        let (value, digest) = PayloadJson::read(&self.delivery.body)
            .map(|json| (json.value, json.digest))
            .unzip();
        ReadPayload {
            value,
            record: json!({"statement": self.statement.recorded(), "digest": digest}),
        }
    }
}

/// Compares the column with the payload. `None` if the value is the application's. `may_fill`: an empty column may be filled.
pub(super) fn compare(
    row: &Map<String, Value>,
    payload: &QuotePayload,
    written: Option<&Value>,
    may_fill: bool,
) -> Option<PayloadChange> {
    let current = row.get(COLUMN).filter(|current| !current.is_null()).map(digest);
    let written = written.and_then(|written| written["digest"].as_str());
    let is_owned = match &current {
        None => written.is_none() && may_fill,
        Some(current) => written.is_some() && current.as_deref() == written,
    };
    let ReadPayload { value, record } = is_owned.then(|| payload.read())?;
    let is_shown = current.flatten().as_deref() == record["digest"].as_str();
    Some(PayloadChange {
        column: (!is_shown).then(|| value.unwrap_or_default()),
        record,
    })
}

/// Reads the deliveries that may have these payloads, unless the table lacks the column or the rows show them. Deliveries that were
/// deleted or redacted are left out.
pub async fn read_missing(
    tx: &mut Transaction<'_>,
    wanted: &[WantedPayload<'_>],
) -> Result<Vec<StoredDelivery>, sqlx::Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as!(
        StoredDelivery,
        r#"
        SELECT id AS "id!", received_at AS "received_at!", body AS "body!", false AS "is_redacted!"
        FROM avinode_ingest.read_deliveries_of_times(ARRAY(
            SELECT wanted.seen_at
            FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS wanted (trip_key, quote_id, statement, seen_at)
            LEFT JOIN avinode_ingest.quote_facts AS fact
                ON fact.trip_key = wanted.trip_key AND fact.quote_id = wanted.quote_id
            WHERE fact.projected_values #>> '{raw_webhook_payload,statement}' IS DISTINCT FROM wanted.statement
                AND (SELECT avinode_ingest.quotes_have_payload())
        ))
        "#,
        &column(wanted, |wanted| wanted.trip_key) as &[&str],
        &column(wanted, |wanted| wanted.quote.as_str()) as &[&str],
        &column(wanted, |wanted| wanted.statement.recorded()),
        &column(wanted, |wanted| wanted.statement.first_seen_at),
    )
    .fetch_all(tx)
    .await
}

/// SHA-256 of the value in one form: keys in order, numbers without their format. `None` for a number beyond all bounds.
fn digest(value: &Value) -> Option<String> {
    let mut canonical = Vec::new();
    write_canonical(value, &mut canonical)?;
    Some(hex::encode(Sha256::digest(canonical)))
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Number(number) => out.extend_from_slice(canonical_number(number)?.to_string().as_bytes()),
        Value::Array(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_canonical(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (place, (key, item)) in object.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, key).ok()?;
                out.push(b':');
                write_canonical(item, out)?;
            }
            out.push(b'}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => serde_json::to_writer(out, value).ok()?,
    }
    Some(())
}

/// The significant digits and an exponent: `1.50`, `15e-1` and `0.15e1` are the same.
fn canonical_number(number: &Number) -> Option<Number> {
    let text = number.to_string();
    let (mantissa, exponent) = split_exponent(&text)?;
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let exponent = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::try_from(digits.len() - significant.len()).ok()?)?;
    let canonical = match significant.trim_start_matches('0') {
        "" => "0".to_owned(),
        significant => format!("{sign}{significant}e{exponent}"),
    };
    serde_json::from_str(&canonical).ok()
}

#[cfg(test)]
mod tests;
