//! Applies an event to the facts of its trip, and returns the timeline event that it makes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{ChangedFacts, Provenance, TripFacts};
use crate::event::{Event, EventKind, FactSource, QuoteDetails, TripStatus};
use crate::ids::{QuoteId, RfqId};
use crate::newest_fact::{NewestFact, VersionedFact};
use crate::quote::{DeclineFact, FactChange, QuoteAcceptance, Rfq};
use crate::quote_history::QuoteHistory;
use crate::quote_history::observation::Observation;
use crate::timeline::{TimelineEvent, quote_detail};

impl TripFacts {
    /// Applies an event and returns its timeline event, if it makes one.
    ///
    /// `provenance` bounds the activity time: a sender's clock that runs ahead does not make a session look newer.
    pub fn apply_event(
        &mut self,
        event: &Event,
        provenance: Provenance,
        changed: &mut ChangedFacts,
    ) -> Option<TimelineEvent> {
        let version = &event.version;
        let happened_at = happened_at(event);
        if let Some(rfq) = event.kind.rfq()
            && !self.rfqs.contains_key(rfq)
        {
            // A session without a trip id may hold this RFQ, so every named RFQ is stored.
            self.rfqs.insert(rfq.clone(), Rfq::default());
            changed.rfqs.insert(rfq.clone());
        }
        match &event.kind {
            EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details) => {
                // A stale fact about a quote is activity too: otherwise the order of arrival would decide `last_activity_at`.
                self.record_activity(event.at, provenance, changed);
                self.apply_quote(details, event, changed)
            }
            EventKind::QuoteReaffirmed { quote, rfq: _ } => {
                let reaffirmed = QuoteHistory::of_reaffirmed(version.moment());
                self.apply_statement(quote, &reaffirmed, event, changed)
            }
            EventKind::QuoteOrigin { quote, rfq: _, origin } => {
                self.apply_statement(quote, &QuoteHistory::of_origin(*origin), event, changed)
            }
            EventKind::RfqDeclined {
                rfq,
                quote,
                reason,
                operator,
            } => {
                let is_news = self.apply_decline(rfq.as_ref(), quote.as_ref(), reason.as_deref(), event, changed);
                let entry = || {
                    let (rfq, quote, reason) = (rfq.as_ref(), quote.as_ref(), reason.as_deref());
                    TimelineEvent::rfq_declined(rfq, quote, reason, operator, version, happened_at)
                };
                is_news.then(entry)?
            }
            EventKind::MessageReceived {
                message,
                sender,
                rfq: _,
                text,
            } => {
                self.record_activity(event.at, provenance, changed);
                if !self.messages.insert(message.clone()) {
                    return None;
                }
                changed.messages.insert(message.clone());
                Some(TimelineEvent::message_received(
                    message,
                    sender,
                    text.as_deref(),
                    happened_at,
                ))
            }
            EventKind::QuoteAccepted { quote, rfq } => {
                let known = &mut self.quotes.entry(quote.clone()).or_default().accepted;
                let before = *known;
                QuoteAcceptance::record(known, QuoteAcceptance { at: event.at });
                if before != *known {
                    changed.quotes.insert(quote.clone());
                }
                let entry = || TimelineEvent::quote_accepted(quote, rfq.as_ref(), happened_at);
                before.is_none().then(entry)
            }
            EventKind::TripRequested { rfq } => {
                let known = self.rfqs.entry(rfq.clone()).or_default();
                if std::mem::replace(&mut known.sent, true) {
                    return None;
                }
                changed.rfqs.insert(rfq.clone());
                Some(TimelineEvent::trip_requested(rfq, happened_at))
            }
            EventKind::RfqCancelled { rfq } => {
                let known = self.rfqs.entry(rfq.clone()).or_default();
                let before = known.cancelled_at;
                known.record_cancellation(Some(version.moment()));
                if before != known.cancelled_at {
                    changed.rfqs.insert(rfq.clone());
                }
                before.is_none().then(|| TimelineEvent::rfq_cancelled(rfq, happened_at))
            }
            EventKind::TripChanged { rfq, status } => self.apply_status(*status, rfq.as_ref(), event, changed),
        }
    }

    fn record_activity(&mut self, at: Option<DateTime<Utc>>, provenance: Provenance, changed: &mut ChangedFacts) {
        let activity = match provenance {
            Provenance::Notified(received_at) => Some(at.map_or(received_at, |at| at.min(received_at))),
            Provenance::Polled(began_at) => at.map(|at| at.min(began_at)),
        };
        if self.last_activity_at < activity {
            self.last_activity_at = activity;
            changed.trip = true;
        }
    }

    fn apply_quote(
        &mut self,
        details: &QuoteDetails,
        event: &Event,
        changed: &mut ChangedFacts,
    ) -> Option<TimelineEvent> {
        let statement = match event.kind {
            EventKind::QuoteObserved(_) => QuoteHistory::of_observed,
            _ => QuoteHistory::of_received,
        };
        let statement = statement(details.clone(), &event.version, event.at);
        self.apply_statement(&details.quote, &statement, event, changed)
    }

    fn apply_statement(
        &mut self,
        id: &QuoteId,
        statement: &QuoteHistory,
        event: &Event,
        changed: &mut ChangedFacts,
    ) -> Option<TimelineEvent> {
        let quote = self.quotes.entry(id.clone()).or_default();
        let before = (quote.history.clone(), quote.stated.clone());
        let change = quote.record(statement, event.version.source);
        // A stale statement changes the row of a quote where the application copied its price.
        if (&before.0, &before.1) != (&quote.history, &quote.stated) {
            changed.quotes.insert(id.clone());
            let has_price = |observation: &Observation| observation.details.price.is_some();
            if statement.observations.iter().any(has_price) {
                changed.newly_stated.insert(id.clone());
            }
        }
        let detail = quote_detail(&quote.received.as_ref()?.details);
        let at = happened_at(event);
        match change {
            FactChange::Created => Some(TimelineEvent::quote_received(id.as_str(), at, detail)),
            FactChange::Updated => Some(TimelineEvent::quote_changed(id, &event.version, at, detail)),
            FactChange::Unchanged | FactChange::Pending => None,
        }
    }

    /// Returns true if the decline is worth a timeline entry.
    fn apply_decline(
        &mut self,
        rfq: Option<&RfqId>,
        quote: Option<&QuoteId>,
        reason: Option<&str>,
        event: &Event,
        changed: &mut ChangedFacts,
    ) -> bool {
        let decline = DeclineFact::of(event.version.clone(), reason.map(str::to_owned));
        // A document shows a decline without a time of its own each time it is fetched.
        let is_undated = event.version.source == FactSource::Document && event.at.is_none();
        let mut is_news = false;
        if let Some(rfq) = rfq {
            let known = &mut self.rfqs.entry(rfq.clone()).or_default().decline;
            is_news |= learn_decline(known, &decline, is_undated, &mut changed.rfqs, rfq);
        }
        if let Some(quote) = quote {
            let known = &mut self.quotes.entry(quote.clone()).or_default().decline;
            is_news |= learn_decline(known, &decline, is_undated, &mut changed.quotes, quote);
        }
        is_news
    }

    fn apply_status(
        &mut self,
        status: TripStatus,
        rfq: Option<&RfqId>,
        event: &Event,
        changed: &mut ChangedFacts,
    ) -> Option<TimelineEvent> {
        let version = &event.version;
        let is_document = version.source == FactSource::Document;
        let before = (self.status.clone(), self.status_first_seen_at);
        self.status.merge(&NewestFact::of(version.clone(), status));
        self.merge_status_first_seen_at(is_document.then(|| version.moment()));
        changed.trip |= (&before.0, before.1) != (&self.status, self.status_first_seen_at);
        // A document shows the status each time it is fetched: only the first is news.
        let is_known =
            |known: &VersionedFact<TripStatus>| known.value == status && known.version.source == FactSource::Document;
        if is_document && before.0.get().is_some_and(is_known) {
            return None;
        }
        let event_version = (!is_document).then_some(version);
        Some(TimelineEvent::trip_changed(
            status,
            rfq,
            event_version,
            happened_at(event),
        ))
    }
}

/// The time for people: the sender's own, or the GET of a document. `None` for an event without a timestamp.
fn happened_at(event: &Event) -> Option<DateTime<Utc>> {
    let version = &event.version;
    let fetched_at = (version.source == FactSource::Document).then_some(version.seen_at);
    event.at.or(version.at).or(fetched_at)
}

/// Returns true if the decline is not a repetition of the known one.
fn learn_decline<Id: Ord + Clone>(
    known: &mut DeclineFact,
    decline: &DeclineFact,
    is_undated: bool,
    changed: &mut BTreeSet<Id>,
    id: &Id,
) -> bool {
    let reason = |decline: &DeclineFact| decline.get().and_then(|fact| fact.value.clone());
    let has_reason = || reason(decline).is_none() || reason(known) == reason(decline);
    let is_repetition = is_undated && known.get().is_some() && has_reason();
    let before = known.clone();
    let is_news = known.merge(decline);
    if before != *known {
        changed.insert(id.clone());
    }
    is_news && !is_repetition
}
