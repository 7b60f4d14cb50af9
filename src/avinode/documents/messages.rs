//! `tripmsgs`: a seller's answer arrives as a message, like what people write to each other. What it carries tells them apart.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json_access;
use super::lifts::{self, LiftStatus, ParsedLift};
use super::timestamps::DocumentTimestamps;
use super::{ParsedDocument, UnassignedEvent};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::event::{EventKind, Party, QuoteDetails};
use crate::domain::ids::{MessageId, QuoteId, RfqId};

/// Where the company of a seller's message is named.
const SELLER: [&str; 4] = ["sellerCompany", "seller", "sender", "company"];
/// The same of a buyer's.
const BUYER: [&str; 4] = ["sender", "buyerCompany", "buyer", "company"];

/// Of a seller's, a `sellerQuote` makes it a quote; else a "no" in any of the places where one was seen makes it a decline.
/// Everything else is a chat message, and so is what has a text of its own, whatever it carries: the lifts that it links show
/// how they stand, not what it says. A buyer neither quotes nor declines.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let lifts = lifts::of(data);
    let requests = requests(data, &lifts);
    let mut reading = ParsedDocument {
        request: requests.first().cloned(),
        ..ParsedDocument::default()
    };
    let stamps = DocumentTimestamps::of(data, began_at);
    let message = MessageId::parse(resource.id.as_str()).ok().map(|message| {
        stamps.settled(EventKind::MessageReceived {
            message,
            sender: operator(resource, data),
            request: only(&requests),
        })
    });
    let said = json_access::one(&data["sellerQuote"]);
    if is_of_the_buyer(resource) {
        reading.quote = quote(said, &lifts);
        reading.statements.extend(message);
        return reading;
    }
    let message_of_its_own = message
        .clone()
        .filter(|_| json_access::text(data, &["content"]).is_some());
    let is_quote = json_access::is_something(said);
    if let (true, Some(quote)) = (is_quote, quote(said, &lifts)) {
        let details = details(data, quote.clone(), only(&requests), &lifts);
        if details.price.is_none() {
            reading
                .missing
                .extend(json_access::resource(ResourceKind::Quotes, quote.as_str()));
        }
        let of_quote = DocumentTimestamps::of(said, began_at).or_created(stamps);
        reading
            .statements
            .extend(of_quote.made(&quote, details.request.clone()));
        reading
            .statements
            .push(of_quote.changing(EventKind::QuoteReceived(details)));
        reading
            .statements
            .extend(taken_back(data, &quote, &lifts, stamps, operator(resource, data)));
        reading.statements.extend(message_of_its_own);
        reading.quote = Some(quote);
        return reading;
    }
    if is_quote {
        // A quote that nobody can name: the RFQ may show it as a lift's own.
        let rfqs = requests.iter().map(RfqId::as_str);
        reading
            .missing
            .extend(rfqs.filter_map(|id| json_access::resource(ResourceKind::Rfqs, id)));
    }
    let declines = match is_quote {
        true => Vec::new(),
        false => lifts::declines(&lifts, lifts::is_declined(data), &requests),
    };
    for (request, quote, of_lift) in declines {
        reading.quote = reading.quote.or_else(|| quote.clone());
        let declined = EventKind::RfqDeclined {
            request,
            quote,
            reason: lifts::reason(data).or(of_lift),
            operator: operator(resource, data),
        };
        // Where it says something else, a "no" of its lifts alone may be an old one.
        reading.statements.push(match message_of_its_own {
            Some(_) if !lifts::is_declined(data) => stamps.shown(declined),
            _ => stamps.settled(declined),
        });
    }
    let chat = match reading.statements.is_empty() {
        true => message,
        false => message_of_its_own,
    };
    reading.statements.extend(chat);
    reading
}

/// A message that carries a quote and says no to it as well: the "no" stands at the moment of the GET.
pub(super) fn taken_back(
    data: &Value,
    quote: &QuoteId,
    lifts: &[ParsedLift<'_>],
    stamps: DocumentTimestamps,
    operator: Party,
) -> Option<UnassignedEvent> {
    let declined = |lift: &ParsedLift<'_>| lift.answer == Some(LiftStatus::Declined);
    let is_its_own = |lift: &ParsedLift<'_>| lifts.len() == 1 || lift.quote().as_ref() == Some(quote);
    let is_declined = lifts::is_declined(data) || lifts.iter().any(|lift| declined(lift) && is_its_own(lift));
    is_declined.then(|| {
        stamps.standing(EventKind::RfqDeclined {
            request: None,
            quote: Some(quote.clone()),
            reason: lifts::reason(data).or_else(|| lifts.iter().find_map(ParsedLift::reason)),
            operator,
        })
    })
}

/// The quote's own id, else the only one that the lifts link.
fn quote(said: &Value, lifts: &[ParsedLift<'_>]) -> Option<QuoteId> {
    json_access::id(said, QuoteId::parse).or_else(|| {
        let mut linked: Vec<QuoteId> = lifts.iter().flat_map(ParsedLift::quotes).collect();
        linked.sort();
        linked.dedup();
        match <[QuoteId; 1]>::try_from(linked) {
            Ok([only]) => Some(only),
            Err(_) => None,
        }
    })
}

/// What is said of a quote, with the aircraft of the lift that links it, or of the only lift.
fn details(data: &Value, quote: QuoteId, request: Option<RfqId>, lifts: &[ParsedLift<'_>]) -> QuoteDetails {
    let said = json_access::one(&data["sellerQuote"]);
    let lift = match lifts {
        [only] => Some(only),
        several => several.iter().find(|lift| lift.quotes().contains(&quote)),
    };
    QuoteDetails {
        quote,
        request,
        price: json_access::price(said),
        operator: match json_access::operator(data, &SELLER) {
            unnamed if unnamed == Party::default() => json_access::operator(said, &SELLER),
            named => named,
        },
        aircraft_type: lift.and_then(ParsedLift::aircraft_type),
        aircraft_tail: lift.and_then(ParsedLift::aircraft_tail),
        valid_until: json_access::valid_until(said),
    }
}

fn operator(resource: &Resource, data: &Value) -> Party {
    let is_buyer = is_of_the_buyer(resource);
    json_access::operator(data, if is_buyer { &BUYER } else { &SELLER })
}

fn is_of_the_buyer(resource: &Resource) -> bool {
    resource.id.as_str().to_ascii_lowercase().starts_with("abuyer")
}

/// The RFQs that it or its lifts link.
fn requests(data: &Value, lifts: &[ParsedLift<'_>]) -> Vec<RfqId> {
    let mut found = json_access::requests(data);
    for request in lifts.iter().flat_map(ParsedLift::requests) {
        if !found.contains(&request) {
            found.push(request);
        }
    }
    found
}

/// The one RFQ that it is about; of several nobody knows which.
pub(super) fn only(requests: &[RfqId]) -> Option<RfqId> {
    match requests {
        [only] => Some(only.clone()),
        _ => None,
    }
}
