//! What is known of one trip, and what an event adds to it.
//!
//! Sessions are never asked here: facts are kept by trip, so that a quote that comes before its session is not lost.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::event::{Event, QuoteDetails, Source, TripStatus, Version, What};
use super::id::{MessageId, QuoteId, RequestId};
use super::quote::{Decline, Learned, Quote, Request, learn_decline};
use super::said::Said;

/// What is known of one trip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trip {
    /// The newest thing that happened to the trip itself.
    pub status: Option<Status>,
    /// The latest activity of a seller or a chat partner: the greatest of least(event time, time received).
    pub last_activity_at: Option<DateTime<Utc>>,
    /// By quote id.
    pub quotes: BTreeMap<QuoteId, Quote>,
    /// By RFQ id.
    pub requests: BTreeMap<RequestId, Request>,
    /// Messages known, as far as they were asked for.
    pub messages: BTreeSet<MessageId>,
}

/// A trip's newest status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Updated, cancelled or expired.
    pub status: TripStatus,
    /// What it is ordered by.
    pub version: Version,
    /// The earliest time by which any document showed a status. One that is fetched again says again that a trip was
    /// cancelled; that moves the version, and is no news.
    pub seen_at: Option<DateTime<Utc>>,
}

/// Something worth a line in the timelines of the trip's sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// The kind, one of the words of the timeline: `quote_received`, `quote_changed`, `rfq_declined` and so on.
    pub kind: &'static str,
    /// What makes it one of a kind in a session: the same cause is written once, however often it is applied.
    pub cause: String,
    /// When it happened, by the sender's clock.
    pub at: Option<DateTime<Utc>>,
    /// More, for people: prices, names, reasons.
    pub detail: Value,
}

/// Which parts of a trip learning changed, so that only those are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Status or last activity.
    pub trip: bool,
    /// Quotes.
    pub quotes: BTreeSet<QuoteId>,
    /// RFQs.
    pub requests: BTreeSet<RequestId>,
    /// New messages.
    pub messages: BTreeSet<MessageId>,
}

impl Trip {
    /// Takes an event in and tells what is worth a line in the timeline, if anything.
    ///
    /// `received_at` bounds the activity time: a sender's clock that runs ahead does not make a session look newer. `None`
    /// where nobody told us and we asked by ourselves: then only what bears a stamp is activity.
    pub fn learn(
        &mut self,
        event: &Event,
        received_at: Option<DateTime<Utc>>,
        touched: &mut Touched,
    ) -> Option<Happening> {
        let version = &event.version;
        if let Some(request) = event.what.request()
            && !self.requests.contains_key(request)
        {
            // Named is known: a session may hold this RFQ and no trip id.
            self.requests.insert(request.clone(), Request::default());
            touched.requests.insert(request.clone());
        }
        match &event.what {
            What::QuoteReceived(details) => {
                // Every fact about a quote is activity, also one that turns out to be older than what is known:
                // otherwise the order of arrival would decide `last_activity_at`.
                self.active(event.at, received_at, touched);
                self.quote_received(details, event, touched)
            }
            What::QuoteStands { quote, .. } => {
                let stood = Said::stood(version.at);
                if stood != Said::default() {
                    let known = self.quotes.entry(quote.clone()).or_default();
                    let before = known.said.clone();
                    known.take(&stood);
                    if before != known.said {
                        touched.quotes.insert(quote.clone());
                    }
                }
                None
            }
            What::RfqDeclined {
                request,
                quote,
                reason,
                operator,
            } => {
                let decline = Decline {
                    version: version.clone(),
                    reason: reason.clone(),
                };
                // Without a stamp of its own it is what a document shows each time it is fetched.
                let is_shown = version.source == Source::Document && event.at.is_none();
                let says_again =
                    |known: &Option<Decline>| is_shown && known.as_ref().is_some_and(|known| known.reason == *reason);
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
                    .map(RequestId::as_str)
                    .or(quote.as_ref().map(QuoteId::as_str))?;
                news.then(|| Happening {
                    kind: "rfq_declined",
                    cause: cause("declined", subject, version),
                    at: event.at.or(version.at),
                    detail: json!({"rfq": request, "quote": quote, "reason": reason, "operator": operator.name}),
                })
            }
            What::MessageReceived { message, sender, .. } => {
                self.active(event.at, received_at, touched);
                if !self.messages.insert(message.clone()) {
                    return None;
                }
                touched.messages.insert(message.clone());
                Some(Happening {
                    kind: "message_received",
                    cause: format!("message/{message}"),
                    at: event.at.or(version.at),
                    detail: json!({"message": message, "from": sender.name}),
                })
            }
            What::TripRequested { request } => {
                let known = self.requests.entry(request.clone()).or_default();
                if std::mem::replace(&mut known.requested, true) {
                    return None;
                }
                touched.requests.insert(request.clone());
                Some(Happening {
                    kind: "trip_requested",
                    cause: format!("requested/{request}"),
                    at: event.at.or(version.at),
                    detail: json!({"rfq": request}),
                })
            }
            What::TripChanged { request, status } => {
                let before = self.status.clone();
                self.take_status(&Status {
                    status: *status,
                    version: version.clone(),
                    seen_at: version.at.filter(|_| version.source == Source::Document),
                });
                touched.trip |= before != self.status;
                // Documents show it each time they are fetched, and every RFQ of a trip shows it: once is news.
                let is_shown = version.source == Source::Document;
                let is_known = |known: Status| known.status == *status && known.version.source == Source::Document;
                if is_shown && before.is_some_and(is_known) {
                    return None;
                }
                Some(Happening {
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
    pub fn repeat(&mut self, event: &Event, received_at: Option<DateTime<Utc>>, touched: &mut Touched) {
        if matches!(event.what, What::QuoteReceived(_) | What::MessageReceived { .. }) {
            self.active(event.at, received_at, touched);
        }
    }

    /// What the passing of a quote's `validUntil` is worth, if it has passed.
    pub fn expire(&self, quote: &QuoteId, now: DateTime<Utc>) -> Option<Happening> {
        let valid_until = self.quotes.get(quote)?.fact.as_ref()?.details.valid_until?;
        (valid_until <= now).then(|| Happening {
            kind: "quote_expired",
            cause: format!("expired/{quote}/{}", valid_until.timestamp_micros()),
            at: Some(valid_until),
            detail: json!({"quote": quote}),
        })
    }

    /// The quotes that were received, which is what a session counts.
    pub fn received(&self) -> impl Iterator<Item = (&QuoteId, &super::quote::Fact)> {
        self.quotes
            .iter()
            .filter_map(|(id, quote)| quote.fact.as_ref().map(|fact| (id, fact)))
    }

    /// This trip and others that turn out to be the same, as one.
    pub fn with<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut whole = self.clone();
        for other in others {
            if let Some(status) = &other.status {
                whole.take_status(status);
            }
            whole.last_activity_at = whole.last_activity_at.max(other.last_activity_at);
            for (id, quote) in &other.quotes {
                let known = whole.quotes.entry(id.clone()).or_default();
                known.take(&quote.said);
                if let Some(decline) = &quote.declined {
                    learn_decline(&mut known.declined, decline);
                }
            }
            for (id, request) in &other.requests {
                let known = whole.requests.entry(id.clone()).or_default();
                known.requested |= request.requested;
                if let Some(decline) = &request.declined {
                    learn_decline(&mut known.declined, decline);
                }
            }
            whole.messages.extend(other.messages.iter().cloned());
        }
        whole
    }

    /// The newest status with the time that people are told: of one that documents show, when it was first seen.
    pub fn shown_status(&self) -> Option<Status> {
        let mut status = self.status.clone()?;
        if status.version.source == Source::Document {
            status.version.at = status.seen_at.or(status.version.at);
        }
        Some(status)
    }

    /// How many distinct RFQs were sent out.
    pub fn requested(&self) -> usize {
        self.requests.values().filter(|request| request.requested).count()
    }

    /// Whether sellers have been asked: an RFQ went out, or an answer came back.
    pub fn has_requests(&self) -> bool {
        self.received().next().is_some()
            || self.quotes.values().any(|quote| quote.declined.is_some())
            || self
                .requests
                .values()
                .any(|request| request.requested || request.declined.is_some())
    }

    /// Commutative, associative and idempotent: the newest stays, and the earliest time.
    fn take_status(&mut self, status: &Status) {
        let Some(known) = &mut self.status else {
            self.status = Some(status.clone());
            return;
        };
        let seen_at = known.seen_at.into_iter().chain(status.seen_at).min();
        if known.version < status.version {
            known.clone_from(status);
        }
        known.seen_at = seen_at;
    }

    fn active(&mut self, at: Option<DateTime<Utc>>, received_at: Option<DateTime<Utc>>, touched: &mut Touched) {
        let least = at.into_iter().chain(received_at).min(); // none where there is neither
        if self.last_activity_at < least {
            self.last_activity_at = least;
            touched.trip = true;
        }
    }

    fn quote_received(&mut self, details: &QuoteDetails, event: &Event, touched: &mut Touched) -> Option<Happening> {
        let (id, version) = (&details.quote, &event.version);
        let quote = self.quotes.entry(id.clone()).or_default();
        let before = quote.said.clone();
        let learned = quote.learn(details.clone(), version.clone(), event.at);
        if before != quote.said {
            touched.quotes.insert(id.clone());
        }
        let (kind, cause) = match learned {
            Learned::New => ("quote_received", received_cause(id)),
            Learned::Newer => ("quote_changed", cause("changed", id.as_str(), version)),
            Learned::Again | Learned::Older | Learned::Known => return None,
        };
        Some(Happening {
            kind,
            cause,
            at: event.at.or(version.at),
            detail: quote_detail(quote.fact.as_ref().map_or(details, |fact| &fact.details)),
        })
    }
}

/// The cause of a quote's first line in a timeline; the same whether it was counted on arrival or on a later match.
pub fn received_cause(quote: &QuoteId) -> String {
    format!("received/{quote}")
}

/// A quote for people.
pub fn quote_detail(details: &QuoteDetails) -> Value {
    json!({
        "quote": details.quote,
        "rfq": details.request,
        "operator": details.operator.name,
        "price": details.price.as_ref().map(|price| price.amount.to_string()),
        "currency": details.price.as_ref().map(|price| price.currency.clone()),
    })
}

fn cause(verb: &str, subject: &str, version: &Version) -> String {
    let at = version.at.map_or(0, |at| at.timestamp_micros());
    let digest: String = version.digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{verb}/{subject}/{at}-{digest}")
}

fn note<Id: Ord + Clone>(learned: Learned, touched: &mut BTreeSet<Id>, id: &Id) -> bool {
    let news = matches!(learned, Learned::New | Learned::Newer);
    if news {
        touched.insert(id.clone());
    }
    news
}
