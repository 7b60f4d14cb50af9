//! `quotes`: one quote, often without a word of its trip or RFQ.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::lifts::{self, LiftStatus, ParsedLift};
use super::messages::{only, taken_back};
use super::timestamps::DocumentTimestamps;
use super::{ParsedDocument, json_access};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::sanitize;
use crate::domain::event::{EventKind, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};

/// A quote that can be fetched may be an automatic price: its seller made it where its own lift is answered with it, or where a
/// message or the RFQ says so, which is why the RFQ is wanted. Otherwise this describes it. Where its lift says that the seller
/// has not answered, nothing is said.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let Ok(quote) = QuoteId::parse(resource.id.as_str()) else {
        return ParsedDocument::default();
    };
    let lifts = lifts::of(data);
    let mut requests = json_access::requests(data);
    requests.extend(lifts.iter().flat_map(ParsedLift::requests));
    requests.sort();
    requests.dedup();
    let mut reading = ParsedDocument {
        request: requests.first().cloned(),
        quote: Some(quote.clone()),
        ..ParsedDocument::default()
    };
    let is_answered = |lift: &ParsedLift<'_>| lift.answer.is_some() || !lift.says_a_status();
    if !lifts.iter().all(is_answered) {
        return reading;
    }
    let stamps = DocumentTimestamps::of(data, began_at);
    let details = details(data, quote.clone(), only(&requests), lifts.first());
    let operator = details.operator.clone();
    let said = &mut reading.statements;
    said.extend(stamps.made(&quote, details.request.clone()));
    let is_received = lifts.iter().any(|lift| lift.answer == Some(LiftStatus::Quoted));
    said.push(stamps.changing(match is_received {
        true => EventKind::QuoteReceived(details),
        false => EventKind::QuoteObserved(details),
    }));
    said.extend(taken_back(data, &quote, &lifts, stamps, operator));
    if !is_received {
        let rfqs = requests.iter().map(RfqId::as_str);
        let rfqs = rfqs.filter_map(|id| json_access::resource(ResourceKind::Rfqs, id));
        reading.missing.extend(rfqs);
    }
    reading
}

fn details(data: &Value, quote: QuoteId, request: Option<RfqId>, lift: Option<&ParsedLift<'_>>) -> QuoteDetails {
    QuoteDetails {
        quote,
        request,
        price: json_access::price(data),
        operator: json_access::operator(data, &["sellerCompany", "seller", "company"]),
        aircraft_type: lift
            .and_then(ParsedLift::aircraft_type)
            .or_else(|| json_access::name(&data["aircraftType"])),
        aircraft_tail: lift
            .and_then(ParsedLift::aircraft_tail)
            .or_else(|| sanitize::shown_at(data, &["aircraftTail"])),
        valid_until: json_access::valid_until(data),
    }
}
