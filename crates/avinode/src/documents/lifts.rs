//! A seller's lifts and their status. Avinode also links quotes that no seller made to a lift (generated prices), so a link
//! alone is no answer.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json_access;
use super::timestamps::{self, DocumentTimestamps};
use crate::json::text_at;
use crate::{description, sanitize};
use ingest_domain::event::{Party, QuoteDescription, QuoteDetails};
use ingest_domain::ids::{QuoteId, RfqId};

/// The status of an answered lift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiftStatus {
    /// The seller quoted.
    Accepted,
    Declined,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ParsedLift<'v> {
    value: &'v Value,
    /// `None` for an open lift, or one without a known status.
    pub(super) status: Option<LiftStatus>,
}

/// The decline of an RFQ, of a quote, or of both: at least one is named.
pub(super) struct ParsedDecline {
    pub(super) rfq: Option<RfqId>,
    pub(super) quote: Option<QuoteId>,
    pub(super) reason: Option<String>,
}

/// The lifts of a document: an RFQ's `sellerLift`, a message's or quote's `lift`.
pub(super) fn read(data: &Value) -> Vec<ParsedLift<'_>> {
    let lifts = match json_access::many(&data["sellerLift"]) {
        [] => json_access::many(&data["lift"]),
        lifts => lifts,
    };
    lifts
        .iter()
        .filter(|lift| lift.is_object())
        .map(|value| ParsedLift {
            value,
            status: status(value),
        })
        .collect()
}

/// The number decides; the display status only if the number is not one of the two known ones.
fn status(lift: &Value) -> Option<LiftStatus> {
    match text_at(lift, &["sourcingStatus"]).as_deref() {
        Some("2" | "2.0") => return Some(LiftStatus::Accepted),
        Some("3" | "3.0") => return Some(LiftStatus::Declined),
        _ => {}
    }
    let word = text_at(lift, &["sourcingDisplayStatus"])?.to_ascii_lowercase();
    match word.as_str() {
        "accepted" | "quoted" => Some(LiftStatus::Accepted),
        "declined" => Some(LiftStatus::Declined),
        _ => None,
    }
}

impl ParsedLift<'_> {
    /// The quote that the seller made last, according to the lift.
    pub(super) fn latest_quote(&self) -> Option<QuoteId> {
        json_access::id(&self.value["latestQuote"], QuoteId::parse)
    }

    /// True if the lift says that Avinode generated its latest quote.
    pub(super) fn latest_is_generated(&self) -> bool {
        json_access::is_generated(json_access::one(&self.value["latestQuote"]))
    }

    /// The lift's own quote: the latest one, else the only linked one. Several linked quotes are ambiguous.
    pub(super) fn quote(&self) -> Option<QuoteId> {
        self.latest_quote().or_else(|| json_access::only(&self.linked_quotes()))
    }

    /// The linked quotes, generated ones included.
    pub(super) fn linked_quotes(&self) -> Vec<QuoteId> {
        json_access::ids(json_access::linked(self.value, &["quotes", "quote"]), QuoteId::parse)
    }

    pub(super) fn rfqs(&self) -> Vec<RfqId> {
        json_access::rfqs(self.value)
    }

    /// True if the lift has a status, also an unknown one.
    pub(super) fn has_status(&self) -> bool {
        json_access::text(self.value, &["sourcingStatus", "sourcingDisplayStatus"]).is_some()
    }

    /// The details of the lift's quote.
    pub(super) fn details(&self, quote: QuoteId, rfq: Option<RfqId>, operator: Party) -> QuoteDetails {
        let latest_quote = json_access::one(&self.value["latestQuote"]);
        let (price, unread_price) = json_access::price(latest_quote);
        QuoteDetails {
            quote,
            rfq,
            price,
            unread_price,
            operator,
            aircraft_type: self.aircraft_type(),
            aircraft_tail: self.aircraft_tail(),
            valid_until: json_access::valid_until(latest_quote),
            created_at: timestamps::created(latest_quote),
            description: QuoteDescription {
                message: description::message(latest_quote, &["sellerMessage"]),
                ..self.description()
            },
        }
    }

    /// The details that the lift has for a quote that it only links.
    pub(super) fn details_of_linked(&self, quote: QuoteId, rfq: Option<RfqId>, operator: Party) -> QuoteDetails {
        QuoteDetails {
            quote,
            rfq,
            price: None,
            unread_price: None,
            operator,
            aircraft_type: self.aircraft_type(),
            aircraft_tail: self.aircraft_tail(),
            valid_until: None,
            created_at: None,
            description: self.description(),
        }
    }

    /// The timestamps of the lift's quote.
    pub(super) fn timestamps(&self, began_at: DateTime<Utc>) -> DocumentTimestamps {
        DocumentTimestamps::read(json_access::one(&self.value["latestQuote"]), began_at)
    }

    pub(super) fn aircraft_type(&self) -> Option<String> {
        json_access::name(&self.value["aircraftType"]).or_else(|| json_access::name(&self.value["aircraft"]))
    }

    pub(super) fn aircraft_tail(&self) -> Option<String> {
        let tail = json_access::name(&self.value["aircraftTail"]);
        tail.or_else(|| sanitize::printable_at(json_access::one(&self.value["aircraft"]), &["tailNumber"]))
    }

    /// The aircraft beside its type and registration.
    pub(super) fn description(&self) -> QuoteDescription {
        let aircraft = json_access::one(&self.value["aircraft"]);
        QuoteDescription {
            aircraft_model: sanitize::printable_at(aircraft, &["model"]),
            aircraft_capacity: description::capacity(self.value, "maxPax")
                .or_else(|| description::capacity(aircraft, "capacity")),
            ..QuoteDescription::default()
        }
    }

    pub(super) fn decline_reason(&self) -> Option<String> {
        decline_reason(self.value)
    }
}

/// A seller's reason: `declineReason`, or a reason within `sellerDecline`.
pub(super) fn decline_reason(value: &Value) -> Option<String> {
    let decline = json_access::one(&value["sellerDecline"]);
    let nested = || {
        let keys = ["declineReason", "reason", "code"];
        keys.iter().find_map(|key| json_access::name(&decline[key]))
    };
    json_access::name(&value["declineReason"])
        .or_else(nested)
        .or_else(|| sanitize::printable_at(decline, &[]))
}

/// True if the document says that the seller declined, with or without a reason.
pub(super) fn is_declined(value: &Value) -> bool {
    let decline = json_access::one(&value["sellerDecline"]);
    decline_reason(value).is_some()
        || json_access::is_set(value, &["sellerDecline"])
        || json_access::is_something(decline)
}

/// The declines that a document states about its RFQs and their lifts.
///
/// An RFQ is declined as a whole if one of its lifts is declined and none accepted; otherwise only the quotes of its declined
/// lifts are. `document_is_declined`, the statement of the document itself, counts only if no lift is declined. One decline
/// names both an RFQ and a quote if there are both.
pub(super) fn declines(lifts: &[ParsedLift<'_>], document_is_declined: bool, rfqs: &[RfqId]) -> Vec<ParsedDecline> {
    let declined = || lifts.iter().filter(|lift| lift.status == Some(LiftStatus::Declined));
    let has_accepted = lifts.iter().any(|lift| lift.status == Some(LiftStatus::Accepted));
    let rfq_is_declined = match (has_accepted, declined().next().is_some()) {
        (true, true) => false,
        (false, true) => true,
        (_, false) => document_is_declined,
    };
    let mut quotes: Vec<(QuoteId, Option<String>)> = Vec::new();
    for lift in declined() {
        if let Some(quote) = lift.quote()
            && quotes.iter().all(|(known, _)| *known != quote)
        {
            quotes.push((quote, lift.decline_reason()));
        }
    }
    let declined_rfqs = if rfq_is_declined { rfqs } else { &[] };
    let any_reason = declined().find_map(ParsedLift::decline_reason);
    let mut found = Vec::new();
    for index in 0..declined_rfqs.len().max(quotes.len()) {
        let (quote, of_quote) = quotes.get(index).cloned().unzip();
        found.push(ParsedDecline {
            rfq: declined_rfqs.get(index).cloned(),
            quote,
            reason: of_quote.flatten().or_else(|| any_reason.clone()),
        });
    }
    found
}
