//! `tripmsgs`: a seller's answer is a message, as is everything that people write to each other. The content distinguishes
//! them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json_access;
use super::lifts::{self, LiftStatus, ParsedDecline, ParsedLift};
use super::timestamps::DocumentTimestamps;
use super::{ParsedDocument, UnassignedEvent};
use crate::description;
use crate::resource::{Resource, ResourceKind};
use ingest_domain::event::{EventKind, Party, QuoteDescription, QuoteDetails};
use ingest_domain::ids::{MessageId, QuoteId, RfqId};

/// Properties that name the company of a seller's message, the preferred one first.
const SELLER: [&str; 4] = ["sellerCompany", "seller", "sender", "company"];
/// Properties that name the company of a buyer's message, the preferred one first.
const BUYER: [&str; 4] = ["sender", "buyerCompany", "buyer", "company"];

/// A seller's message with a `sellerQuote` is a quote; one with a decline in any of the known places is a decline. Every
/// other message is chat, and so is every message with a text, whatever else it carries: the linked lifts show their current
/// status, not the content of the message. A buyer neither quotes nor declines.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
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
        })
    });
    let seller_quote = json_access::one(&data["sellerQuote"]);
    if is_from_buyer(resource) {
        document.quote = quote_id(seller_quote, &lifts);
        document.events.extend(chat);
        return document;
    }
    let chat_with_text = chat.clone().filter(|_| json_access::text(data, &["content"]).is_some());
    let is_quote = json_access::is_something(seller_quote);
    if let (true, Some(quote)) = (is_quote, quote_id(seller_quote, &lifts)) {
        let details = details(data, quote.clone(), json_access::only(&rfqs), &lifts);
        if details.price.is_none() {
            document.add_missing(ResourceKind::Quotes, quote.as_str());
        }
        let of_quote = DocumentTimestamps::read(seller_quote, began_at).or_created(timestamps);
        document
            .events
            .extend(of_quote.reaffirmed_at_creation(&quote, details.rfq.clone()));
        document
            .events
            .push(of_quote.mutable(EventKind::QuoteReceived(details)));
        let withdrawal = withdrawal(data, &quote, &lifts, timestamps, sender(resource, data));
        document.events.extend(withdrawal);
        document.events.extend(chat_with_text);
        document.quote = Some(quote);
        return document;
    }
    if is_quote {
        // A quote without an id: the RFQ may show it as a lift's own quote.
        for rfq in &rfqs {
            document.add_missing(ResourceKind::Rfqs, rfq.as_str());
        }
    }
    let declines = match is_quote {
        true => Vec::new(),
        false => lifts::declines(&lifts, lifts::is_declined(data), &rfqs),
    };
    for ParsedDecline { rfq, quote, reason } in declines {
        document.quote = document.quote.or_else(|| quote.clone());
        let declined = EventKind::RfqDeclined {
            rfq,
            quote,
            reason: lifts::decline_reason(data).or(reason),
            operator: sender(resource, data),
        };
        // In a chat message, the decline of a linked lift may be an old one.
        document.events.push(match chat_with_text {
            Some(_) if !lifts::is_declined(data) => timestamps.undated(declined),
            _ => timestamps.immutable(declined),
        });
    }
    let chat = match document.events.is_empty() {
        true => chat,
        false => chat_with_text,
    };
    document.events.extend(chat);
    document
}

/// The decline of a quote in the same document as the quote. It is true at the time of the GET.
pub(super) fn withdrawal(
    data: &Value,
    quote: &QuoteId,
    lifts: &[ParsedLift<'_>],
    timestamps: DocumentTimestamps,
    operator: Party,
) -> Option<UnassignedEvent> {
    let is_declined_lift = |lift: &ParsedLift<'_>| lift.status == Some(LiftStatus::Declined);
    let is_own_lift = |lift: &ParsedLift<'_>| lifts.len() == 1 || lift.quote().as_ref() == Some(quote);
    let is_declined = lifts::is_declined(data) || lifts.iter().any(|lift| is_declined_lift(lift) && is_own_lift(lift));
    is_declined.then(|| {
        timestamps.as_of_fetch(EventKind::RfqDeclined {
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
    QuoteDetails {
        quote,
        rfq,
        price: json_access::price(seller_quote),
        operator: match json_access::party(data, &SELLER) {
            unnamed if unnamed == Party::default() => json_access::party(seller_quote, &SELLER),
            named => named,
        },
        aircraft_type: lift.and_then(ParsedLift::aircraft_type),
        aircraft_tail: lift.and_then(ParsedLift::aircraft_tail),
        valid_until: json_access::valid_until(seller_quote),
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
