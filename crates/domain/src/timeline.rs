//! Timeline entries: their kinds, and one constructor for each.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use strum::{Display, IntoStaticStr};
use uuid::Uuid;

use super::event::{FactSource, FactVersion, Party, QuoteDetails, TripStatus};
use super::ids::{MessageId, QuoteId, RfqId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, Display)]
#[strum(serialize_all = "snake_case")]
pub enum TimelineKind {
    QuoteReceived,
    QuoteChanged,
    RfqDeclined,
    RfqCancelled,
    QuoteAccepted,
    QuoteExpired,
    MessageReceived,
    TripRequested,
    TripUpdated,
    TripCancelled,
    TripExpired,
    TripWithheld,
    ProposalAttached,
    SessionCompleted,
    PrimaryQuotePinned,
    PrimaryQuoteUnpinned,
}

impl TimelineKind {
    /// The word in the column `timeline.kind`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn event(self, dedup_key: String, at: Option<DateTime<Utc>>, detail: Value) -> TimelineEvent {
        TimelineEvent {
            kind: self,
            dedup_key,
            at,
            detail,
        }
    }
}

/// An event for the timelines of a trip's sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEvent {
    pub kind: TimelineKind,
    /// Unique within a session: an event with the same key is written once, however often it is applied.
    pub dedup_key: String,
    /// The time at which it happened, by the sender's clock.
    pub at: Option<DateTime<Utc>>,
    /// Prices, names and reasons for people.
    pub detail: Value,
}

impl TimelineEvent {
    /// The first entry about a quote. `ledger_key` is the quote's key in the ledger, so the key is the same if the quote is
    /// counted when it arrives, on a later match, or by the API.
    pub fn quote_received(ledger_key: &str, at: Option<DateTime<Utc>>, detail: Value) -> Self {
        TimelineKind::QuoteReceived.event(format!("received/{ledger_key}"), at, detail)
    }

    pub fn quote_changed(quote: &QuoteId, version: &FactVersion, at: Option<DateTime<Utc>>, detail: Value) -> Self {
        TimelineKind::QuoteChanged.event(versioned_key("changed", quote.as_str(), version), at, detail)
    }

    pub fn quote_expired(quote: &QuoteId, valid_until: DateTime<Utc>) -> Self {
        TimelineKind::QuoteExpired.event(
            format!("expired/{quote}/{}", valid_until.timestamp_micros()),
            Some(valid_until),
            json!({"quote": quote}),
        )
    }

    /// `None` for a decline that names neither an RFQ nor a quote.
    pub fn rfq_declined(
        rfq: Option<&RfqId>,
        quote: Option<&QuoteId>,
        reason: Option<&str>,
        operator: &Party,
        version: &FactVersion,
        at: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        let subject = rfq.map(RfqId::as_str).or(quote.map(QuoteId::as_str))?;
        Some(TimelineKind::RfqDeclined.event(
            versioned_key("declined", subject, version),
            at,
            json!({"rfq": rfq, "quote": quote, "reason": reason, "operator": operator.name}),
        ))
    }

    /// One entry for each accepted quote: the key has no version.
    pub fn quote_accepted(quote: &QuoteId, rfq: Option<&RfqId>, at: Option<DateTime<Utc>>) -> Self {
        TimelineKind::QuoteAccepted.event(format!("accepted/{quote}"), at, json!({"quote": quote, "rfq": rfq}))
    }

    pub fn message_received(
        message: &MessageId,
        sender: &Party,
        text: Option<&str>,
        at: Option<DateTime<Utc>>,
    ) -> Self {
        TimelineKind::MessageReceived.event(
            format!("message/{message}"),
            at,
            json!({"message": message, "from": sender.name, "text": text}),
        )
    }

    pub fn trip_requested(rfq: &RfqId, at: Option<DateTime<Utc>>) -> Self {
        TimelineKind::TripRequested.event(format!("requested/{rfq}"), at, json!({"rfq": rfq}))
    }

    /// One entry for each cancelled RFQ: the key has no version.
    pub fn rfq_cancelled(rfq: &RfqId, at: Option<DateTime<Utc>>) -> Self {
        TimelineKind::RfqCancelled.event(format!("cancelled/{rfq}"), at, json!({"rfq": rfq}))
    }

    /// The trip's new status. `event`: the version of the event that says so; `None` for a document, which shows the status
    /// each time it is fetched.
    pub fn trip_changed(
        status: TripStatus,
        rfq: Option<&RfqId>,
        event: Option<&FactVersion>,
        at: Option<DateTime<Utc>>,
    ) -> Self {
        let kind = match status {
            TripStatus::Updated => TimelineKind::TripUpdated,
            TripStatus::Cancelled => TimelineKind::TripCancelled,
            TripStatus::Expired => TimelineKind::TripExpired,
        };
        let dedup_key = match event {
            Some(version) => versioned_key("trip", status.as_str(), version),
            None => format!("trip/{}/document", status.as_str()),
        };
        kind.event(dedup_key, at, json!({"rfq": rfq}))
    }

    /// The session names a trip that belongs to another agent. One entry for each trip, without anything about the trip or its owner.
    pub fn trip_withheld(trip: &str) -> Self {
        let reason = "other agents claim this trip, and nothing proves that it is this session's: it counts no quotes of the trip";
        TimelineKind::TripWithheld.event(
            format!("withheld/{trip}"),
            None,
            json!({"trip": trip, "reason": reason}),
        )
    }

    pub fn proposal_attached(proposal: Uuid, at: DateTime<Utc>) -> Self {
        TimelineKind::ProposalAttached.event(format!("proposal/{proposal}"), Some(at), json!({"proposal": proposal}))
    }

    pub fn session_completed(at: DateTime<Utc>) -> Self {
        TimelineKind::SessionCompleted.event(format!("completed/{}", at.timestamp_micros()), Some(at), json!({}))
    }

    /// A caller of the API or a user of the console chose the primary quote. `quote`: its key in the ledger.
    pub fn primary_quote_pinned(quote: &str, at: DateTime<Utc>) -> Self {
        Self::of_pin(TimelineKind::PrimaryQuotePinned, quote, at)
    }

    /// The policy chooses the primary quote again. `quote`: the key of the one that was pinned.
    pub fn primary_quote_unpinned(quote: &str, at: DateTime<Utc>) -> Self {
        Self::of_pin(TimelineKind::PrimaryQuoteUnpinned, quote, at)
    }

    fn of_pin(kind: TimelineKind, quote: &str, at: DateTime<Utc>) -> Self {
        let dedup_key = format!("{kind}/{}", at.timestamp_micros());
        kind.event(dedup_key, Some(at), json!({"quote": quote}))
    }

    /// The event in a few words, for job outcomes: `quote_received aquote-386512791`.
    pub fn summary(&self) -> String {
        let subject = ["quote", "message", "rfq", "proposal"]
            .iter()
            .find_map(|key| self.detail.get(key)?.as_str());
        match subject {
            Some(subject) => format!("{} {subject}", self.kind),
            None => self.kind.to_string(),
        }
    }
}

/// A quote for people: `detail` of the entries about it.
pub fn quote_detail(details: &QuoteDetails) -> Value {
    let mut detail = json!({
        "quote": details.quote,
        "rfq": details.rfq,
        "operator": details.operator.name,
        "price": details.price.as_ref().map(|price| price.amount.to_string()),
        "currency": details.price.as_ref().map(|price| price.currency.clone()),
    });
    if let Some(unread) = &details.unread_price {
        detail["price_not_understood"] = json!(unread);
    }
    detail
}

fn versioned_key(verb: &str, subject: &str, version: &FactVersion) -> String {
    let at = match version.source {
        // The same event without a time makes one entry, whenever its repetitions are received.
        FactSource::Event => version.at,
        FactSource::Document => Some(version.moment()),
    };
    let at = at.map_or(0, |at| at.timestamp_micros());
    let digest = hex::encode(&version.digest[..6]);
    format!("{verb}/{subject}/{at}-{digest}")
}

#[cfg(test)]
mod tests;
