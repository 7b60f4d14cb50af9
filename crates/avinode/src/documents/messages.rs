//! `tripmsgs`: a seller's answer is a message, as is everything that people write to each other. The content distinguishes
//! them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json_access;
use super::lifts::{self, LiftStatus, ParsedDecline, ParsedLift};
use super::timestamps::{self, DocumentTimestamps};
use super::{ParsedDocument, UnassignedEvent};
use crate::json::text_at;
use crate::parse_error::ParseError;
use crate::resource::{Resource, ResourceKind};
use crate::{description, sanitize};
use ingest_domain::event::{EventKind, Party, QuoteDescription, QuoteDetails, QuoteOrigin};
use ingest_domain::ids::{MessageId, QuoteId, RfqId};

/// Properties that name the company of a seller's message, the preferred one first.
const SELLER: [&str; 4] = ["sellerCompany", "seller", "sender", "company"];
/// Properties that name the company of a buyer's message, the preferred one first.
const BUYER: [&str; 4] = ["sender", "buyerCompany", "buyer", "company"];

/// A seller's message with a `sellerQuote` is a quote; one that says so itself (`rfqAccepted: false`, a reason), or that has no
/// text and links a declined lift, is a decline. Every other message is chat, and so is every message with a text, whatever else
/// it carries: the linked lifts show their current status, not the content of the message. A buyer neither quotes nor declines.
///
/// # Errors
/// A seller's quote without an id.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> Result<ParsedDocument, ParseError> {
    let lifts = lifts::read(data);
    let rfqs = all_rfqs(data, &lifts);
    let mut document = ParsedDocument {
        rfq: rfqs.first().cloned(),
        ..ParsedDocument::default()
    };
    let timestamps = DocumentTimestamps::read(data, began_at);
    let chat = MessageId::parse(resource.id.as_str()).ok().map(|message| {
        timestamps.immutable(EventKind::MessageReceived {
            message,
            sender: sender(resource, data),
            rfq: json_access::only(&rfqs),
            text: sanitize::message_text(data),
        })
    });
    let seller_quote = json_access::one(&data["sellerQuote"]);
    if is_from_buyer(resource) {
        document.quote = quote_id(seller_quote, &lifts);
        document.events.extend(chat);
        return Ok(document);
    }
    let chat_with_text = chat.clone().filter(|_| sanitize::message_text(data).is_some());
    if json_access::is_something(seller_quote) {
        let quote = quote_id(seller_quote, &lifts);
        let quote = quote.ok_or_else(|| ParseError::NoSellerQuoteId(resource.to_string()))?;
        let details = details(data, quote.clone(), json_access::only(&rfqs), &lifts);
        if details.price.is_none() {
            document.add_missing(ResourceKind::Quotes, quote.as_str());
        }
        let of_quote = DocumentTimestamps::read(seller_quote, began_at).within(timestamps);
        let has_own_id = json_access::id(seller_quote, QuoteId::parse).is_some();
        let origin = match json_access::is_generated(seller_quote) {
            true => Some(QuoteOrigin::Generated),
            // The only quote that the lifts link may be one that Avinode generated: its own document tells.
            false if !has_own_id => Some(QuoteOrigin::AcceptedLift),
            false => None,
        };
        if let Some(origin) = origin {
            document.add_missing(ResourceKind::Quotes, quote.as_str());
            document.events.push(timestamps.as_of_fetch(EventKind::QuoteOrigin {
                quote: quote.clone(),
                rfq: details.rfq.clone(),
                origin,
            }));
        }
        document.events.push(of_quote.mutable(match has_own_id {
            true => EventKind::QuoteReceived(details),
            false => EventKind::QuoteObserved(details),
        }));
        let withdrawal = withdrawal(data, &quote, &lifts, of_quote, sender(resource, data));
        document.events.extend(withdrawal);
        document.events.extend(chat_with_text);
        document.quote = Some(quote);
        return Ok(document);
    }
    // A lift that is declined beside a text, or beside an acceptance, may have been declined before: its RFQ says when.
    let says_nothing_itself = chat_with_text.is_none() && !json_access::is_set(data, &["rfqAccepted"]);
    let declines = match is_declined(data) || says_nothing_itself {
        true => lifts::declines(&lifts, is_declined(data), &rfqs),
        false => Vec::new(),
    };
    if declines.is_empty() && lifts.iter().any(|lift| lift.status == Some(LiftStatus::Declined)) {
        for rfq in &rfqs {
            document.add_missing(ResourceKind::Rfqs, rfq.as_str());
        }
    }
    for ParsedDecline { rfq, quote, reason } in declines {
        document.quote = document.quote.or_else(|| quote.clone());
        document.events.push(timestamps.immutable(EventKind::RfqDeclined {
            rfq,
            quote,
            reason: lifts::decline_reason(data).or(reason),
            operator: sender(resource, data),
        }));
    }
    let chat = match document.events.is_empty() {
        true => chat,
        false => chat_with_text,
    };
    document.events.extend(chat);
    Ok(document)
}

/// True if the message itself says that the seller declined: `rfqAccepted: false`, or a decline as in other documents.
fn is_declined(data: &Value) -> bool {
    let refuses = |value: &Value| match value {
        Value::Bool(accepted) => !accepted,
        other => text_at(other, &[]).is_some_and(|text| text.eq_ignore_ascii_case("false")),
    };
    refuses(&data["rfqAccepted"]) || lifts::is_declined(data)
}

/// The decline of a quote in the same document as the quote. `timestamps`: those of the quote.
pub(super) fn withdrawal(
    data: &Value,
    quote: &QuoteId,
    lifts: &[ParsedLift<'_>],
    timestamps: DocumentTimestamps,
    operator: Party,
) -> Option<UnassignedEvent> {
    let is_declined_lift = |lift: &ParsedLift<'_>| lift.status == Some(LiftStatus::Declined);
    let is_own_lift = |lift: &ParsedLift<'_>| lifts.len() == 1 || lift.quote().as_ref() == Some(quote);
    let is_declined = is_declined(data) || lifts.iter().any(|lift| is_declined_lift(lift) && is_own_lift(lift));
    is_declined.then(|| {
        timestamps.beside_mutable(EventKind::RfqDeclined {
            rfq: None,
            quote: Some(quote.clone()),
            reason: lifts::decline_reason(data).or_else(|| lifts.iter().find_map(ParsedLift::decline_reason)),
            operator,
        })
    })
}

/// The quote's own id, else the only quote that the lifts link.
fn quote_id(seller_quote: &Value, lifts: &[ParsedLift<'_>]) -> Option<QuoteId> {
    json_access::id(seller_quote, QuoteId::parse).or_else(|| {
        let mut linked: Vec<QuoteId> = lifts.iter().flat_map(ParsedLift::linked_quotes).collect();
        linked.sort();
        linked.dedup();
        json_access::only(&linked)
    })
}

/// The quote's details, with the aircraft of the only lift, or of the lift that links the quote.
fn details(data: &Value, quote: QuoteId, rfq: Option<RfqId>, lifts: &[ParsedLift<'_>]) -> QuoteDetails {
    let seller_quote = json_access::one(&data["sellerQuote"]);
    let lift = match lifts {
        [only] => Some(only),
        several => several.iter().find(|lift| lift.linked_quotes().contains(&quote)),
    };
    let (price, unread_price) = json_access::price(seller_quote);
    QuoteDetails {
        quote,
        rfq,
        price,
        unread_price,
        operator: match json_access::party(data, &SELLER) {
            unnamed if unnamed == Party::default() => json_access::party(seller_quote, &SELLER),
            named => named,
        },
        aircraft_type: lift.and_then(ParsedLift::aircraft_type),
        aircraft_tail: lift.and_then(ParsedLift::aircraft_tail),
        valid_until: json_access::valid_until(seller_quote),
        created_at: timestamps::created(seller_quote),
        description: QuoteDescription {
            message: description::message(seller_quote, &["sellerMessage"])
                .or_else(|| description::message(data, &["sellerMessage", "message", "content"])),
            ..lift.map(ParsedLift::description).unwrap_or_default()
        },
    }
}

fn sender(resource: &Resource, data: &Value) -> Party {
    let from_buyer = is_from_buyer(resource);
    json_access::party(data, if from_buyer { &BUYER } else { &SELLER })
}

fn is_from_buyer(resource: &Resource) -> bool {
    resource.id.as_str().to_ascii_lowercase().starts_with("abuyer")
}

/// The RFQs that the message or its lifts link.
fn all_rfqs(data: &Value, lifts: &[ParsedLift<'_>]) -> Vec<RfqId> {
    let mut found = json_access::rfqs(data);
    for rfq in lifts.iter().flat_map(ParsedLift::rfqs) {
        if !found.contains(&rfq) {
            found.push(rfq);
        }
    }
    found
}
