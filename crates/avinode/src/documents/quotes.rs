//! `quotes`: one quote, often without its trip or RFQ.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::lifts::{self, LiftStatus, ParsedLift};
use super::messages::withdrawal;
use super::timestamps::{self, DocumentTimestamps};
use super::{ParsedDocument, json_access};
use crate::resource::{Resource, ResourceKind};
use crate::{description, sanitize};
use ingest_domain::event::{EventKind, QuoteDescription, QuoteDetails, QuoteOrigin};
use ingest_domain::ids::{QuoteId, RfqId};

/// A fetched quote may be one that Avinode generated, and says so. Its seller made it if its own lift is accepted, or if a
/// message or the RFQ says so, so the RFQ is reported as missing. Otherwise the document only describes the quote. If its lift is
/// open, it states no price.
pub(super) fn read(resource: &Resource, data: &Value, began_at: DateTime<Utc>) -> ParsedDocument {
    let Ok(quote) = QuoteId::parse(resource.id.as_str()) else {
        return ParsedDocument::default();
    };
    let lifts = lifts::read(data);
    let mut rfqs = json_access::rfqs(data);
    rfqs.extend(lifts.iter().flat_map(ParsedLift::rfqs));
    rfqs.sort();
    rfqs.dedup();
    let mut document = ParsedDocument {
        rfq: rfqs.first().cloned(),
        quote: Some(quote.clone()),
        ..ParsedDocument::default()
    };
    let timestamps = DocumentTimestamps::read(data, began_at);
    let is_generated = json_access::is_generated(data);
    document.events.push(timestamps.as_of_fetch(EventKind::QuoteOrigin {
        quote: quote.clone(),
        rfq: json_access::only(&rfqs),
        origin: match is_generated {
            true => QuoteOrigin::Generated,
            false => QuoteOrigin::NotGenerated,
        },
    }));
    let is_open = |lift: &ParsedLift<'_>| lift.status.is_none() && lift.has_status();
    if lifts.iter().any(is_open) {
        return document;
    }
    let details = details(data, quote.clone(), json_access::only(&rfqs), lifts.first());
    let operator = details.operator.clone();
    let events = &mut document.events;
    let is_accepted = lifts.iter().any(|lift| lift.status == Some(LiftStatus::Accepted));
    let is_received = is_accepted && !is_generated;
    events.push(timestamps.mutable(match is_received {
        true => EventKind::QuoteReceived(details),
        false => EventKind::QuoteObserved(details),
    }));
    events.extend(withdrawal(data, &quote, &lifts, timestamps, operator));
    if !is_received && !is_generated {
        for rfq in &rfqs {
            document.add_missing(ResourceKind::Rfqs, rfq.as_str());
        }
    }
    document
}

fn details(data: &Value, quote: QuoteId, rfq: Option<RfqId>, lift: Option<&ParsedLift<'_>>) -> QuoteDetails {
    let (price, unread_price) = json_access::price(data);
    QuoteDetails {
        quote,
        rfq,
        price,
        unread_price,
        operator: json_access::party(data, &["sellerCompany", "seller", "company"]),
        aircraft_type: lift
            .and_then(ParsedLift::aircraft_type)
            .or_else(|| json_access::name(&data["aircraftType"])),
        aircraft_tail: lift
            .and_then(ParsedLift::aircraft_tail)
            .or_else(|| sanitize::printable_at(data, &["aircraftTail"])),
        valid_until: json_access::valid_until(data),
        created_at: timestamps::created(data),
        description: QuoteDescription {
            message: description::message(data, &["sellerMessage"]),
            ..lift.map(ParsedLift::description).unwrap_or_default()
        },
    }
}
