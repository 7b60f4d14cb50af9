//! A seller's lifts: which of them are answered, and how. Avinode links quotes to a lift that nobody made (asked-for and
//! automatic prices), so a link alone is no answer.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json_access;
use super::timestamps::DocumentTimestamps;
use crate::avinode::json::text_at;
use crate::avinode::sanitize;
use crate::domain::event::{Party, QuoteDetails};
use crate::domain::ids::{QuoteId, RfqId};

/// A lift's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiftStatus {
    /// The seller quoted.
    Quoted,
    /// The seller declined.
    Declined,
}

/// A lift and its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct ParsedLift<'v> {
    value: &'v Value,
    pub(super) answer: Option<LiftStatus>,
}

/// The lifts of a document: an RFQ's `sellerLift`, a message's or quote's `lift`.
pub(super) fn of(data: &Value) -> Vec<ParsedLift<'_>> {
    let lifts = match json_access::many(&data["sellerLift"]) {
        [] => json_access::many(&data["lift"]),
        lifts => lifts,
    };
    lifts
        .iter()
        .filter(|lift| lift.is_object())
        .map(|value| ParsedLift {
            value,
            answer: answer(value),
        })
        .collect()
}

/// The number decides, and where it is neither of the two that are known, the word.
fn answer(lift: &Value) -> Option<LiftStatus> {
    match text_at(lift, &["sourcingStatus"]).as_deref() {
        Some("2" | "2.0") => return Some(LiftStatus::Quoted),
        Some("3" | "3.0") => return Some(LiftStatus::Declined),
        _ => {}
    }
    let word = text_at(lift, &["sourcingDisplayStatus"])?.to_ascii_lowercase();
    match word.as_str() {
        "accepted" | "quoted" => Some(LiftStatus::Quoted),
        "declined" => Some(LiftStatus::Declined),
        _ => None,
    }
}

impl ParsedLift<'_> {
    /// The quote that is this lift's own: the latest one, else the only one linked. Of several nobody knows which it is.
    pub(super) fn quote(&self) -> Option<QuoteId> {
        let latest = json_access::id(&self.value["latestQuote"], QuoteId::parse);
        latest.or_else(|| match <[QuoteId; 1]>::try_from(self.quotes()) {
            Ok([only]) => Some(only),
            Err(_) => None,
        })
    }

    /// The quotes that it links, asked-for and automatic ones among them.
    pub(super) fn quotes(&self) -> Vec<QuoteId> {
        json_access::ids(json_access::linked(self.value, &["quotes", "quote"]), QuoteId::parse)
    }

    /// The RFQs that it links.
    pub(super) fn requests(&self) -> Vec<RfqId> {
        json_access::requests(self.value)
    }

    /// Whether it says how it stands, in whatever word.
    pub(super) fn says_a_status(&self) -> bool {
        json_access::text(self.value, &["sourcingStatus", "sourcingDisplayStatus"]).is_some()
    }

    /// What it says of its quote.
    pub(super) fn details(&self, quote: QuoteId, request: Option<RfqId>, operator: Party) -> QuoteDetails {
        let said = json_access::one(&self.value["latestQuote"]);
        QuoteDetails {
            quote,
            request,
            price: json_access::price(said),
            operator,
            aircraft_type: self.aircraft_type(),
            aircraft_tail: self.aircraft_tail(),
            valid_until: json_access::valid_until(said),
        }
    }

    /// The stamps of its quote.
    pub(super) fn stamps(&self, began_at: DateTime<Utc>) -> DocumentTimestamps {
        DocumentTimestamps::of(json_access::one(&self.value["latestQuote"]), began_at)
    }

    pub(super) fn aircraft_type(&self) -> Option<String> {
        json_access::name(&self.value["aircraftType"]).or_else(|| json_access::name(&self.value["aircraft"]))
    }

    pub(super) fn aircraft_tail(&self) -> Option<String> {
        let tail = json_access::name(&self.value["aircraftTail"]);
        tail.or_else(|| sanitize::shown_at(json_access::one(&self.value["aircraft"]), &["tailNumber"]))
    }

    /// Why its seller said no.
    pub(super) fn reason(&self) -> Option<String> {
        reason(self.value)
    }
}

/// Why a seller said no: `declineReason`, or what `sellerDecline` holds.
pub(super) fn reason(value: &Value) -> Option<String> {
    let decline = json_access::one(&value["sellerDecline"]);
    let inside = || {
        let keys = ["declineReason", "reason", "code"];
        keys.iter().find_map(|key| json_access::name(&decline[key]))
    };
    json_access::name(&value["declineReason"])
        .or_else(inside)
        .or_else(|| sanitize::shown_at(decline, &[]))
}

/// Whether it is said that the seller declined, with a reason or without.
pub(super) fn is_declined(value: &Value) -> bool {
    let decline = json_access::one(&value["sellerDecline"]);
    reason(value).is_some() || json_access::is_set(value, &["sellerDecline"]) || json_access::is_something(decline)
}

/// What was declined: pairs of RFQ and quote, at least one of the two in each.
///
/// The RFQ only as a whole, where no lift of it is quoted; else its declined lifts' own quotes. What is `said_as_a_whole`, in
/// words, is believed unless the lifts tell better which of them is meant. One pair names both where it can.
pub(super) fn declines(
    lifts: &[ParsedLift<'_>],
    said_as_a_whole: bool,
    requests: &[RfqId],
) -> Vec<(Option<RfqId>, Option<QuoteId>, Option<String>)> {
    let declined = || lifts.iter().filter(|lift| lift.answer == Some(LiftStatus::Declined));
    let is_quoted = lifts.iter().any(|lift| lift.answer == Some(LiftStatus::Quoted));
    let is_whole = match (is_quoted, declined().next().is_some()) {
        (true, true) => false,
        (false, true) => true,
        (_, false) => said_as_a_whole,
    };
    let mut quotes: Vec<(QuoteId, Option<String>)> = Vec::new();
    for lift in declined() {
        if let Some(quote) = lift.quote()
            && quotes.iter().all(|(known, _)| *known != quote)
        {
            quotes.push((quote, lift.reason()));
        }
    }
    let whole = if is_whole { requests } else { &[] };
    let reason = declined().find_map(ParsedLift::reason);
    let mut found = Vec::new();
    for place in 0..whole.len().max(quotes.len()) {
        let (quote, of_quote) = quotes.get(place).cloned().unzip();
        let why = of_quote.flatten().or_else(|| reason.clone());
        found.push((whole.get(place).cloned(), quote, why));
    }
    found
}
