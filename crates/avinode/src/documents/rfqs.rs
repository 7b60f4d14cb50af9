//! `rfqs`: one RFQ, and the status of its lifts at the time of the GET.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::ParsedDocument;
use super::json_access;
use super::lifts::{self, LiftStatus, ParsedDecline};
use super::timestamps::DocumentTimestamps;
use crate::resource::{Resource, ResourceKind};
use ingest_domain::event::{EventKind, TripStatus};
use ingest_domain::ids::RfqId;

/// States that the RFQ was sent, the quotes of its accepted lifts and their validity, its declines, and a cancellation.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let Ok(rfq) = RfqId::parse(resource.id.as_str()) else {
        return ParsedDocument::default();
    };
    let timestamps = DocumentTimestamps::read(data, began_at);
    let operator = json_access::party(data, &["sellerCompany", "seller", "company"]);
    let mut document = ParsedDocument {
        rfq: Some(rfq.clone()),
        children: json_access::resources(ResourceKind::TripMessages, json_access::linked(data, &["tripmsgs"]))
            .collect(),
        ..ParsedDocument::default()
    };
    document
        .events
        .push(timestamps.immutable(EventKind::TripRequested { rfq: rfq.clone() }));
    let lifts = lifts::read(data);
    let is_accepted = |lift: &&lifts::ParsedLift<'_>| lift.status == Some(LiftStatus::Accepted);
    for lift in lifts.iter().filter(is_accepted) {
        // Several linked quotes without a latest one do not say which of them the seller made.
        let Some(quote) = lift.quote() else { continue };
        let details = lift.details(quote.clone(), Some(rfq.clone()), operator.clone());
        if details.price.is_none() {
            document.add_missing(ResourceKind::Quotes, quote.as_str());
        }
        let of_quote = lift.timestamps(began_at);
        document
            .events
            .extend(of_quote.reaffirmed_at_creation(&quote, Some(rfq.clone())));
        document
            .events
            .push(of_quote.mutable(EventKind::QuoteReceived(details)));
        document
            .events
            .push(timestamps.after_creation(EventKind::QuoteReaffirmed {
                quote,
                rfq: Some(rfq.clone()),
            }));
    }
    let document_is_declined = lifts::is_declined(data) && !lifts.iter().any(|lift| is_accepted(&lift));
    let declines = lifts::declines(&lifts, document_is_declined, std::slice::from_ref(&rfq));
    for ParsedDecline { rfq, quote, reason } in declines {
        document.events.push(timestamps.after_creation(EventKind::RfqDeclined {
            rfq,
            quote,
            reason: lifts::decline_reason(data).or(reason),
            operator: operator.clone(),
        }));
    }
    if json_access::is_set(data, &["canceled", "cancelled"]) {
        document.events.push(timestamps.after_creation(EventKind::TripChanged {
            rfq: Some(rfq),
            status: TripStatus::Cancelled,
        }));
    }
    document
}
