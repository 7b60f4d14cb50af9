//! What an event adds to what is known of its trip, and what of that is worth a line in a timeline.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{ChangedFacts, Provenance, TimelineEvent, TripFacts, TripStatusFact, quote_detail};
use crate::domain::event::{Event, EventKind, FactSource, FactVersion, QuoteDetails, TripStatus};
use crate::domain::ids::{QuoteId, RfqId};
use crate::domain::quote::{DeclineFact, FactChange, Rfq, learn_decline};
use crate::domain::quote_history::QuoteHistory;

impl TripFacts {
    /// Takes an event in and tells what is worth a line in the timeline, if anything.
    ///
    /// `way` bounds the activity time: a sender's clock that runs ahead does not make a session look newer.
    pub fn learn(&mut self, event: &Event, way: Provenance, touched: &mut ChangedFacts) -> Option<TimelineEvent> {
        let version = &event.version;
        if let Some(request) = event.what.request()
            && !self.requests.contains_key(request)
        {
            // Named is known: a session may hold this RFQ and no trip id.
            self.requests.insert(request.clone(), Rfq::default());
            touched.requests.insert(request.clone());
        }
        match &event.what {
            EventKind::QuoteReceived(details) | EventKind::QuoteObserved(details) => {
                // Every fact about a quote is activity, also one that turns out to be older than what is known:
                // otherwise the order of arrival would decide `last_activity_at`.
                self.active(event.at, way, touched);
                self.quote_told(details, event, touched)
            }
            EventKind::QuoteReaffirmed { quote, .. } => {
                let stood = QuoteHistory::stood(version.at);
                if stood != QuoteHistory::default() {
                    let known = self.quotes.entry(quote.clone()).or_default();
                    let before = known.said.clone();
                    known.take(&stood);
                    if before != known.said {
                        touched.quotes.insert(quote.clone());
                    }
                }
                None
            }
            EventKind::RfqDeclined {
                request,
                quote,
                reason,
                operator,
            } => {
                let decline = DeclineFact {
                    version: version.clone(),
                    reason: reason.clone(),
                };
                // Without a stamp of its own it is what a document shows each time it is fetched.
                let is_shown = version.source == FactSource::Document && event.at.is_none();
                let is_told = |known: &DeclineFact| reason.is_none() || known.reason == *reason;
                let says_again = |known: &Option<DeclineFact>| is_shown && known.as_ref().is_some_and(is_told);
                let mut news = false;
                if let Some(request) = request {
                    let known = &mut self.requests.entry(request.clone()).or_default().declined;
                    let again = says_again(known);
                    news |= note(learn_decline(known, &decline), &mut touched.requests, request) && !again;
                }
                if let Some(quote) = quote {
                    let known = &mut self.quotes.entry(quote.clone()).or_default().declined;
                    let again = says_again(known);
                    news |= note(learn_decline(known, &decline), &mut touched.quotes, quote) && !again;
                }
                let subject = request
                    .as_ref()
                    .map(RfqId::as_str)
                    .or(quote.as_ref().map(QuoteId::as_str))?;
                news.then(|| TimelineEvent {
                    kind: "rfq_declined",
                    cause: cause("declined", subject, version),
                    at: event.at.or(version.at),
                    detail: json!({"rfq": request, "quote": quote, "reason": reason, "operator": operator.name}),
                })
            }
            EventKind::MessageReceived { message, sender, .. } => {
                self.active(event.at, way, touched);
                if !self.messages.insert(message.clone()) {
                    return None;
                }
                touched.messages.insert(message.clone());
                Some(TimelineEvent {
                    kind: "message_received",
                    cause: format!("message/{message}"),
                    at: event.at.or(version.at),
                    detail: json!({"message": message, "from": sender.name}),
                })
            }
            EventKind::TripRequested { request } => {
                let known = self.requests.entry(request.clone()).or_default();
                if std::mem::replace(&mut known.requested, true) {
                    return None;
                }
                touched.requests.insert(request.clone());
                Some(TimelineEvent {
                    kind: "trip_requested",
                    cause: format!("requested/{request}"),
                    at: event.at.or(version.at),
                    detail: json!({"rfq": request}),
                })
            }
            EventKind::TripChanged { request, status } => {
                let before = self.status.clone();
                self.take_status(&TripStatusFact {
                    status: *status,
                    version: version.clone(),
                    seen_at: version.at.filter(|_| version.source == FactSource::Document),
                });
                touched.trip |= before != self.status;
                // Documents show it each time they are fetched, and every RFQ of a trip shows it: once is news.
                let is_shown = version.source == FactSource::Document;
                let is_known =
                    |known: TripStatusFact| known.status == *status && known.version.source == FactSource::Document;
                if is_shown && before.is_some_and(is_known) {
                    return None;
                }
                Some(TimelineEvent {
                    kind: match status {
                        TripStatus::Updated => "trip_updated",
                        TripStatus::Cancelled => "trip_cancelled",
                        TripStatus::Expired => "trip_expired",
                    },
                    cause: match is_shown {
                        true => format!("trip/{}/shown", status.as_str()),
                        false => cause("trip", status.as_str(), version),
                    },
                    at: event.at.or(version.at),
                    detail: json!({"rfq": request}),
                })
            }
        }
    }

    /// Takes the repetition of an event in: activity, and nothing else.
    pub fn repeat(&mut self, event: &Event, way: Provenance, touched: &mut ChangedFacts) {
        if matches!(
            event.what,
            EventKind::QuoteReceived(_) | EventKind::MessageReceived { .. }
        ) {
            self.active(event.at, way, touched);
        }
    }

    fn active(&mut self, at: Option<DateTime<Utc>>, way: Provenance, touched: &mut ChangedFacts) {
        let least = match way {
            Provenance::Notified(received_at) => Some(at.map_or(received_at, |at| at.min(received_at))),
            Provenance::Polled(began_at) => at.map(|at| at.min(began_at)),
        };
        if self.last_activity_at < least {
            self.last_activity_at = least;
            touched.trip = true;
        }
    }

    fn quote_told(
        &mut self,
        details: &QuoteDetails,
        event: &Event,
        touched: &mut ChangedFacts,
    ) -> Option<TimelineEvent> {
        let (id, version) = (&details.quote, &event.version);
        let quote = self.quotes.entry(id.clone()).or_default();
        let before = quote.said.clone();
        let learned = match event.what {
            EventKind::QuoteObserved(_) => quote.describe(details.clone(), version, event.at),
            _ => quote.learn(details.clone(), version, event.at),
        };
        if before != quote.said {
            touched.quotes.insert(id.clone());
        }
        let at = event.at.or(version.at);
        let detail = || quote_detail(quote.fact.as_ref().map_or(details, |fact| &fact.details));
        match learned {
            FactChange::New => Some(TimelineEvent::quote_received(id.as_str(), at, detail())),
            FactChange::Newer => Some(TimelineEvent {
                kind: "quote_changed",
                cause: cause("changed", id.as_str(), version),
                at,
                detail: detail(),
            }),
            FactChange::Again | FactChange::Older | FactChange::Known | FactChange::Waits => None,
        }
    }
}

fn cause(verb: &str, subject: &str, version: &FactVersion) -> String {
    let at = version.at.map_or(0, |at| at.timestamp_micros());
    let digest: String = version.digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{verb}/{subject}/{at}-{digest}")
}

fn note<Id: Ord + Clone>(learned: FactChange, touched: &mut BTreeSet<Id>, id: &Id) -> bool {
    let news = matches!(learned, FactChange::New | FactChange::Newer);
    if news {
        touched.insert(id.clone());
    }
    news
}
