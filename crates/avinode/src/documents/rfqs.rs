//! `rfqs`: one RFQ, and the status of its lifts at the time of the GET.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::ParsedDocument;
use super::json_access;
use super::lifts::{self, LiftStatus, ParsedDecline};
use super::timestamps::DocumentTimestamps;
use crate::resource::{Resource, ResourceKind};
use ingest_domain::event::{EventKind, Party, QuoteOrigin};
use ingest_domain::ids::{QuoteId, RfqId};

/// States that the RFQ was sent, the quotes of its accepted lifts and their validity, its declines, and its cancellation.
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
        read_accepted(lift, &rfq, &operator, timestamps, began_at, &mut document);
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
        document
            .events
            .push(timestamps.after_creation(EventKind::RfqCancelled { rfq }));
    }
    document
}

/// The quotes of an accepted lift. Its latest quote is the seller's; where the RFQ shows none, each linked quote is fetched, which
/// tells whether Avinode generated it.
fn read_accepted(
    lift: &lifts::ParsedLift<'_>,
    rfq: &RfqId,
    operator: &Party,
    of_rfq: DocumentTimestamps,
    began_at: DateTime<Utc>,
    document: &mut ParsedDocument,
) {
    let reaffirmed = |quote: QuoteId| {
        of_rfq.after_creation(EventKind::QuoteReaffirmed {
            quote,
            rfq: Some(rfq.clone()),
        })
    };
    let origin = |quote: QuoteId, origin| {
        of_rfq.as_of_fetch(EventKind::QuoteOrigin {
            quote,
            rfq: Some(rfq.clone()),
            origin,
        })
    };
    let Some(latest) = lift.latest_quote() else {
        for quote in lift.linked_quotes() {
            document.add_missing(ResourceKind::Quotes, quote.as_str());
            let details = lift.details_of_linked(quote.clone(), Some(rfq.clone()), operator.clone());
            document.events.extend([
                of_rfq.as_of_fetch(EventKind::QuoteObserved(details)),
                origin(quote.clone(), QuoteOrigin::AcceptedLift),
                reaffirmed(quote),
            ]);
        }
        return;
    };
    if lift.latest_is_generated() {
        document.events.push(origin(latest, QuoteOrigin::Generated));
        return;
    }
    let details = lift.details(latest.clone(), Some(rfq.clone()), operator.clone());
    if details.price.is_none() {
        document.add_missing(ResourceKind::Quotes, latest.as_str());
    }
    document
        .events
        .push(lift.timestamps(began_at).mutable(EventKind::QuoteReceived(details)));
    document.events.push(reaffirmed(latest));
}
