//! Parses full events into events. The rules decide later how an event changes a session.
//!
//! The property names are those of relays that have been seen (Avinode documents no such format), so every optional part may
//! be missing or odd.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::json::text_at;
use super::notification::{FullEvent, id_at};
use super::parse_error::{ParseError, quoted};
use super::{description, money, sanitize, timestamp};
use ingest_domain::event::{Event, EventKind, FactSource, FactVersion, Party, QuoteDetails, TripStatus};
use ingest_domain::ids::{MessageId, QuoteId, ResourceId, RfqId, TripId};

/// The events that a full event states: at most one today, and none for a seller's answer that is still pending.
///
/// The version's time is the event's `timestamp`. Its digest covers the event's name and `data` with sorted keys, so the same
/// content is the same fact in whatever order a relay writes it.
///
/// # Errors
/// An unknown kind, status or action, or an event without its trip or the id of its subject.
pub fn events(full: &FullEvent) -> Result<Vec<Event>, ParseError> {
    let data = &full.data;
    let kind = match full.event.as_str() {
        "TripRequestSellerResponse" | "TripRequestSellerResponseMine" => seller_response(data)?,
        "TripQuoteDeclined" => Some(declined(data)?),
        "TripChatFromBuyer" | "TripChatFromSeller" | "TripChatMine" | "TripChatSeller" => Some(message(data)?),
        "TripRequest" | "TripRequestMine" | "TripRequestBuyer" => Some(trip_request(data)?),
        "TripCancelled" => Some(trip_changed(data, TripStatus::Cancelled)?),
        unknown => return Err(ParseError::UnknownKind(quoted(unknown))),
    };
    let trip = trip(data)?;
    let Some(kind) = kind else { return Ok(Vec::new()) };
    let digest = Sha256::digest(format!("{}\n{data}", full.event)).into();
    let version = FactVersion {
        at: full.timestamp,
        source: FactSource::Event,
        digest,
    };
    Ok(vec![Event {
        trip,
        at: full.timestamp,
        version,
        kind,
    }])
}

/// The trip's id: `trip.id`, else `tripId` as in thin notifications.
fn trip(data: &Value) -> Result<TripId, ParseError> {
    match id_at(data, &["trip", "id"], "data.trip.id", TripId::parse)? {
        Some(trip) => Ok(trip),
        None => id_at(data, &["tripId"], "data.tripId", TripId::parse)?.ok_or(ParseError::NoTrip),
    }
}

fn seller_response(data: &Value) -> Result<Option<EventKind>, ParseError> {
    let status = text_at(data, &["request", "status"])
        .unwrap_or_default()
        .to_ascii_lowercase();
    if status == "declined" {
        return declined(data).map(Some);
    }
    // A quote with an id has been made, whatever its status.
    match (quote(data)?, status.as_str()) {
        (Some(quote), _) => Ok(Some(EventKind::QuoteReceived(quote_details(data, quote)?))),
        (None, "pending") => Ok(None),
        (None, "quoted") => Err(ParseError::NoQuote),
        (None, unknown) => Err(ParseError::UnknownStatus(quoted(unknown))),
    }
}

fn quote_details(data: &Value, quote: QuoteId) -> Result<QuoteDetails, ParseError> {
    let value = &data["quote"];
    Ok(QuoteDetails {
        quote,
        rfq: rfq(data)?,
        // As relays write it, else as in Avinode's own documents.
        price: money::price(&value["totalPrice"], "amount").or_else(|| money::price(&value["sellerPrice"], "price")),
        operator: seller(data),
        aircraft_type: sanitize::printable_at(value, &["aircraft", "type"])
            .or_else(|| sanitize::printable_at(value, &["aircraft", "model"])),
        aircraft_tail: sanitize::printable_at(value, &["aircraft", "tailNumber"]),
        valid_until: text_at(value, &["validUntil"]).and_then(|text| timestamp::lenient(&text)),
        description: description::of_event(data),
    })
}

fn declined(data: &Value) -> Result<EventKind, ParseError> {
    let (rfq, quote) = (rfq(data)?, quote(data)?);
    if rfq.is_none() && quote.is_none() {
        return Err(ParseError::NothingDeclined);
    }
    Ok(EventKind::RfqDeclined {
        rfq,
        quote,
        reason: sanitize::printable_at(data, &["declineReason"]),
        operator: seller(data),
    })
}

fn message(data: &Value) -> Result<EventKind, ParseError> {
    let message = match id_at(data, &["message", "id"], "data.message.id", MessageId::parse)? {
        Some(id) => id,
        // Without an id the content identifies the message; its time distinguishes a new message from a repetition.
        None => {
            let digest = format!("digest-{}", &hex::encode(Sha256::digest(data.to_string()))[..32]);
            MessageId::parse(&digest).map_err(|why| ParseError::BadId {
                name: "data.message.id",
                why,
            })?
        }
    };
    let sender = party(&data["sender"], &["companyName", "name"]);
    Ok(EventKind::MessageReceived {
        message,
        sender,
        rfq: rfq(data)?,
    })
}

fn trip_request(data: &Value) -> Result<EventKind, ParseError> {
    let action = text_at(data, &["action"]).unwrap_or_default().to_ascii_lowercase();
    match action.as_str() {
        "created" => Ok(EventKind::TripRequested {
            rfq: rfq(data)?.ok_or(ParseError::NoRfq)?,
        }),
        "updated" => trip_changed(data, TripStatus::Updated),
        "cancelled" | "canceled" => trip_changed(data, TripStatus::Cancelled),
        "expired" => trip_changed(data, TripStatus::Expired),
        unknown => Err(ParseError::UnknownAction(quoted(unknown))),
    }
}

fn trip_changed(data: &Value, status: TripStatus) -> Result<EventKind, ParseError> {
    Ok(EventKind::TripChanged {
        rfq: rfq(data)?,
        status,
    })
}

fn rfq(data: &Value) -> Result<Option<RfqId>, ParseError> {
    id_at(data, &["request", "id"], "data.request.id", RfqId::parse)
}

fn quote(data: &Value) -> Result<Option<QuoteId>, ParseError> {
    id_at(data, &["quote", "id"], "data.quote.id", QuoteId::parse)
}

fn seller(data: &Value) -> Party {
    party(&data["seller"], &["companyName", "name"])
}

/// A company, else a person. An invalid id is dropped, never cut: a cut id would name another party.
fn party(value: &Value, names: &[&str]) -> Party {
    let id = |key| {
        text_at(value, &[key])
            .and_then(|text| ResourceId::parse(&text).ok())
            .map(|id| id.to_string())
    };
    Party {
        id: id("companyId").or_else(|| id("id")),
        name: names.iter().find_map(|name| sanitize::printable_at(value, &[name])),
    }
}

#[cfg(test)]
mod tests;
