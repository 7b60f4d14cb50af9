//! `rfqs`: what was asked of one seller, and how its lifts stand at the moment of the GET.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::ParsedDocument;
use super::json_access;
use super::lifts::{self, LiftStatus};
use super::timestamps::DocumentTimestamps;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::event::{EventKind, TripStatus};
use crate::domain::ids::RfqId;

/// That it was sent; the quotes of its answered lifts, and that they stand; what was declined; whether it was called off.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let Ok(request) = RfqId::parse(resource.id.as_str()) else {
        return ParsedDocument::default();
    };
    let stamps = DocumentTimestamps::of(data, began_at);
    let operator = json_access::operator(data, &["sellerCompany", "seller", "company"]);
    let mut reading = ParsedDocument {
        request: Some(request.clone()),
        children: json_access::resources(ResourceKind::TripMessages, json_access::linked(data, &["tripmsgs"]))
            .collect(),
        ..ParsedDocument::default()
    };
    let said = &mut reading.statements;
    said.push(stamps.settled(EventKind::TripRequested {
        request: request.clone(),
    }));
    let lifts = lifts::of(data);
    for lift in lifts.iter().filter(|lift| lift.answer == Some(LiftStatus::Quoted)) {
        // The trap: links to several quotes and no latest one say nothing of which the seller made.
        let Some(quote) = lift.quote() else { continue };
        let details = lift.details(quote.clone(), Some(request.clone()), operator.clone());
        if details.price.is_none() {
            reading
                .missing
                .extend(json_access::resource(ResourceKind::Quotes, quote.as_str()));
        }
        let of_quote = lift.stamps(began_at);
        said.extend(of_quote.made(&quote, Some(request.clone())));
        said.push(of_quote.changing(EventKind::QuoteReceived(details)));
        said.push(stamps.grown(EventKind::QuoteReaffirmed {
            quote,
            request: Some(request.clone()),
        }));
    }
    let whole = [request.clone()];
    let is_quoted = lifts.iter().any(|lift| lift.answer == Some(LiftStatus::Quoted));
    let is_declined = lifts::is_declined(data) && !is_quoted;
    for (request, quote, of_lift) in lifts::declines(&lifts, is_declined, &whole) {
        said.push(stamps.grown(EventKind::RfqDeclined {
            request,
            quote,
            reason: lifts::reason(data).or(of_lift),
            operator: operator.clone(),
        }));
    }
    if json_access::is_set(data, &["canceled", "cancelled"]) {
        said.push(stamps.grown(EventKind::TripChanged {
            request: Some(request),
            status: TripStatus::Cancelled,
        }));
    }
    reading
}
