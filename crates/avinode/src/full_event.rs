//! Parses full events into events. The rules decide later how an event changes a session.
//!
//! The property names are those of relays that have been seen (Avinode documents no such format), so every optional part may
//! be missing or odd.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::id_at::id_at;
use super::json::text_at;
use super::notification::FullEvent;
use super::parse_error::{ParseError, quoted};
use super::quote_price::{IN_EVENTS, QuotePrice};
use super::resource::{Resource, ResourceKind};
use super::unread_property::{self, UnreadProperty};
use super::{description, event_fields, sanitize, timestamp};
use ingest_domain::event::{Event, EventKind, FactSource, FactVersion, QuoteDetails, TripStatus};
use ingest_domain::ids::{EventId, MessageId, QuoteId};

/// Known events without a meaning for sessions.
const IGNORED: [&str; 5] = [
    "EmptyLegs",
    "EmptyLegCreatedMine",
    "EmptyLegUpdatedMine",
    "EmptyLegDeletedMine",
    "ClientLeads",
];

/// The content of a full event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedFullEvent {
    /// At most one for each quote that is named; none for a seller's answer that is still pending.
    pub events: Vec<Event>,
    /// The resources that the event only names.
    pub to_fetch: Vec<Resource>,
    /// Parts that were sent and not understood.
    pub unread: Vec<UnreadProperty>,
    /// A known event without a meaning for sessions.
    pub is_ignored: bool,
}

/// The events that a full event states; see [`read`].
///
/// # Errors
/// As [`read`].
pub fn events(full: &FullEvent, received_at: DateTime<Utc>) -> Result<Vec<Event>, ParseError> {
    read(full, received_at).map(|parsed| parsed.events)
}

/// Parses a full event.
///
/// The version's time is the event's `timestamp`; `received_at`: when the delivery was received. The digest covers the event's
/// name, its id and `data` with sorted keys, so the same event is the same fact in whatever order a relay writes it.
///
/// # Errors
/// An unknown kind, status or action, or an event without its trip or the id of its subject.
pub fn read(full: &FullEvent, received_at: DateTime<Utc>) -> Result<ParsedFullEvent, ParseError> {
    let nested = &full.data["data"];
    let is_nested = nested.is_object() || nested.is_array();
    read_content(full, received_at).map_err(|error| match error {
        unknown @ ParseError::UnknownKind(_) => unknown,
        _ if is_nested => ParseError::NestedData("event"),
        other => other,
    })
}

fn read_content(full: &FullEvent, received_at: DateTime<Utc>) -> Result<ParsedFullEvent, ParseError> {
    let data = &full.data;
    let mut parsed = ParsedFullEvent::default();
    let kinds: Vec<EventKind> = match full.event.as_str() {
        "TripRequestSellerResponse" | "TripRequestSellerResponseMine" => {
            seller_response(data, &mut parsed)?.into_iter().collect()
        }
        "TripQuoteDeclined" => vec![declined(data)?],
        "TripQuoteAccepted" => vec![accepted(data)?],
        "TripChatFromBuyer" | "TripChatFromSeller" | "TripChatMine" | "TripChatSeller" => vec![message(data)?],
        "TripRequest" | "TripRequestMine" | "TripRequestBuyer" => vec![trip_request(data)?],
        "TripCancelled" => vec![trip_changed(data, TripStatus::Cancelled)?],
        "Quotes" | "QuotedTrips" => named_quotes(data, &mut parsed)?,
        known if IGNORED.contains(&known) => {
            parsed.is_ignored = true;
            return Ok(parsed);
        }
        unknown => return Err(ParseError::UnknownKind(quoted(unknown))),
    };
    unread_property::add(&mut parsed.unread, full.unread.iter().cloned());
    let trip = match event_fields::trip(data)? {
        Some(trip) => trip,
        None if !parsed.to_fetch.is_empty() => return Ok(parsed),
        None => return Err(ParseError::NoTrip),
    };
    let id = full.event_id.as_ref().map_or("", EventId::as_str);
    for kind in kinds {
        // The quote is part of the digest where an event names several.
        let several = match (&kind, parsed.to_fetch.len()) {
            (EventKind::QuoteReceived(details), 2..) => details.quote.as_str(),
            _ => "",
        };
        let digest = Sha256::digest(format!("{}\n{id}\n{data}{several}", full.event)).into();
        let version = FactVersion {
            at: full.timestamp,
            seen_at: received_at,
            source: FactSource::Event,
            digest,
        };
        parsed.events.push(Event {
            trip: trip.clone(),
            at: full.timestamp,
            version,
            kind,
        });
    }
    Ok(parsed)
}

fn seller_response(data: &Value, parsed: &mut ParsedFullEvent) -> Result<Option<EventKind>, ParseError> {
    let status = text_at(data, &["request", "status"])
        .unwrap_or_default()
        .to_ascii_lowercase();
    if status == "declined" {
        return declined(data).map(Some);
    }
    // A quote with an id has been made, whatever its status.
    match (event_fields::quote(data)?, status.as_str()) {
        (Some(quote), _) => {
            // A flat layout has the parts of the quote beside its id.
            let (value, name) = match data["quote"].is_object() {
                true => (&data["quote"], "data.quote"),
                false => (data, "data"),
            };
            let details = quote_details(data, value, quote)?;
            unread_property::add(&mut parsed.unread, unread_parts(value, name));
            Ok(Some(EventKind::QuoteReceived(details)))
        }
        (None, "pending") => Ok(None),
        (None, "quoted") => Err(ParseError::NoQuote),
        (None, unknown) => Err(ParseError::UnknownStatus(quoted(unknown))),
    }
}

/// `Quotes` and `QuotedTrips` name quotes, in `quote`, `quotes` or as the event's own subject, and state those that have a
/// price. Each quote that can be fetched is fetched as well, and a trip of which no quote is named.
fn named_quotes(data: &Value, parsed: &mut ParsedFullEvent) -> Result<Vec<EventKind>, ParseError> {
    let is_declined =
        text_at(data, &["request", "status"]).is_some_and(|status| status.eq_ignore_ascii_case("declined"));
    let mut kinds = Vec::new();
    for (name, value, quote) in event_fields::quotes(data)? {
        let details = quote_details(data, value, quote.clone())?;
        unread_property::add(&mut parsed.unread, unread_parts(value, &name));
        let resource = Resource::by_text(quote.as_str()).filter(|it| it.kind == ResourceKind::Quotes);
        parsed.to_fetch.extend(resource);
        if details.price.is_some() && !is_declined {
            kinds.push(EventKind::QuoteReceived(details));
        }
    }
    if parsed.to_fetch.is_empty() && kinds.is_empty() {
        let trip = event_fields::trip(data)?.and_then(|trip| Resource::by_text(trip.as_str()));
        parsed.to_fetch.extend(trip.filter(|it| it.kind == ResourceKind::Trips));
    }
    match parsed.to_fetch.is_empty() && kinds.is_empty() {
        true => Err(ParseError::NothingNamed),
        false => Ok(kinds),
    }
}

/// `value`: the quote; `data` has what is about the RFQ and the seller.
fn quote_details(data: &Value, value: &Value, quote: QuoteId) -> Result<QuoteDetails, ParseError> {
    let QuotePrice { price, unread } = QuotePrice::read(value, &IN_EVENTS);
    Ok(QuoteDetails {
        quote,
        rfq: event_fields::rfq(data)?,
        price,
        unread_price: unread.map(|unread| unread.to_string()),
        operator: event_fields::seller(data),
        aircraft_type: sanitize::printable_at(value, &["aircraft", "type"])
            .or_else(|| sanitize::printable_at(value, &["aircraft", "model"])),
        aircraft_tail: sanitize::printable_at(value, &["aircraft", "tailNumber"]),
        valid_until: text_at(value, &["validUntil"]).and_then(|text| timestamp::end_of_validity(&text)),
        created_at: text_at(value, &["createdOn"]).and_then(|text| timestamp::lenient(&text)),
        description: description::of_event(data),
    })
}

/// The parts of a quote that were sent and not understood.
fn unread_parts(quote: &Value, name: &str) -> impl Iterator<Item = UnreadProperty> {
    let price = QuotePrice::read(quote, &IN_EVENTS).unread;
    let until = timestamp::unread(quote, "validUntil", timestamp::end_of_validity);
    price.into_iter().chain(until).map(move |it| it.within(name))
}

fn declined(data: &Value) -> Result<EventKind, ParseError> {
    let (rfq, quote) = (event_fields::rfq(data)?, event_fields::quote(data)?);
    if rfq.is_none() && quote.is_none() {
        return Err(ParseError::NothingDeclined);
    }
    Ok(EventKind::RfqDeclined {
        rfq,
        quote,
        reason: event_fields::decline_reason(data),
        operator: event_fields::seller(data),
    })
}

fn accepted(data: &Value) -> Result<EventKind, ParseError> {
    Ok(EventKind::QuoteAccepted {
        quote: event_fields::quote(data)?.ok_or(ParseError::NothingAccepted)?,
        rfq: event_fields::rfq(data)?,
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
    Ok(EventKind::MessageReceived {
        message,
        sender: event_fields::party(&data["sender"], &["companyName", "name"]),
        rfq: event_fields::rfq(data)?,
        text: sanitize::message_text(&data["message"]).or_else(|| sanitize::message_text(data)),
    })
}

fn trip_request(data: &Value) -> Result<EventKind, ParseError> {
    let action = text_at(data, &["action"]).unwrap_or_default().to_ascii_lowercase();
    match action.as_str() {
        "created" => Ok(EventKind::TripRequested {
            rfq: event_fields::rfq(data)?.ok_or(ParseError::NoRfq)?,
        }),
        "updated" => trip_changed(data, TripStatus::Updated),
        // The event is about the RFQ that it names; `TripCancelled` is about the trip.
        "cancelled" | "canceled" => match event_fields::rfq(data)? {
            Some(rfq) => Ok(EventKind::RfqCancelled { rfq }),
            None => trip_changed(data, TripStatus::Cancelled),
        },
        "expired" => trip_changed(data, TripStatus::Expired),
        unknown => Err(ParseError::UnknownAction(quoted(unknown))),
    }
}

fn trip_changed(data: &Value, status: TripStatus) -> Result<EventKind, ParseError> {
    Ok(EventKind::TripChanged {
        rfq: event_fields::rfq(data)?,
        status,
    })
}

#[cfg(test)]
mod tests;
