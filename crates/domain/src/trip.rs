//! The facts of one trip.
//!
//! Facts are stored by trip and know no sessions, so that a quote that arrives before its session is not lost.

mod apply_event;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::event::{FactSource, TripStatus};
use super::ids::{MessageId, QuoteId, RfqId};
use super::newest_fact::{NewestFact, VersionedFact};
use super::quote::{QuoteFacts, ReceivedQuote, Rfq};

/// Everything known about one trip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TripFacts {
    pub status: NewestFact<TripStatus>,
    /// The earliest time at which a document showed a status. A document repeats a cancellation whenever it is fetched; that
    /// moves the version and is no change.
    pub status_first_seen_at: Option<DateTime<Utc>>,
    /// The latest activity of a seller or a chat partner: the greatest of least(event time, time received).
    pub last_activity_at: Option<DateTime<Utc>>,
    /// Boxed: a node of the map has room for eleven quotes, and most trips have fewer.
    pub quotes: BTreeMap<QuoteId, Box<QuoteFacts>>,
    pub rfqs: BTreeMap<RfqId, Rfq>,
    /// The known ones among the messages that were looked up.
    pub messages: BTreeSet<MessageId>,
    /// `None` if `quotes` and `rfqs` are all of the trip's. Otherwise they are those that were asked for.
    pub others: Option<OtherFacts>,
}

/// The quotes and RFQs of a trip that were not loaded, as far as every rule needs them. A trip may have thousands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherFacts {
    /// The number of RFQs that were sent.
    pub sent_rfqs: usize,
    pub has_contacted_sellers: bool,
    /// The number of RFQs, sent or not, that were not cancelled.
    pub open_rfqs: usize,
    pub cancelled_rfqs: usize,
}

/// A trip's newest status, with the time to display: for a status from documents, the time at which it was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripStatusFact {
    pub status: TripStatus,
    pub at: Option<DateTime<Utc>>,
}

/// The source of the knowledge of an event. It decides which time counts as activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// A delivery reported it at this time: activity even without a time of the sender's own.
    Notified(DateTime<Utc>),
    /// A GET that began at this time found it, without a notification: activity only with a time of the sender's own.
    Polled(DateTime<Utc>),
}

/// The parts of a trip that applying events changed; only these are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFacts {
    /// Status or last activity.
    pub trip: bool,
    pub quotes: BTreeSet<QuoteId>,
    /// Those of the quotes about which a statement with a price is new.
    pub newly_stated: BTreeSet<QuoteId>,
    pub rfqs: BTreeSet<RfqId>,
    pub messages: BTreeSet<MessageId>,
}

impl TripFacts {
    /// The received quotes: those that a session counts.
    pub fn received_quotes(&self) -> impl Iterator<Item = (&QuoteId, &ReceivedQuote)> {
        self.quotes
            .iter()
            .filter_map(|(id, quote)| quote.received.as_ref().map(|received| (id, received)))
    }

    /// This trip and others as one trip.
    pub fn merged_with<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut merged = self.clone();
        for other in others {
            merged.merge(other);
        }
        merged
    }

    fn merge(&mut self, other: &Self) {
        let Self {
            status,
            status_first_seen_at,
            last_activity_at,
            quotes,
            rfqs,
            messages,
            others: _, // trips are merged with all of their facts
        } = other;
        self.status.merge(status);
        self.merge_status_first_seen_at(*status_first_seen_at);
        self.last_activity_at = self.last_activity_at.max(*last_activity_at);
        for (id, quote) in quotes {
            self.quotes.entry(id.clone()).or_default().merge(quote);
        }
        for (id, rfq) in rfqs {
            self.rfqs.entry(id.clone()).or_default().merge(rfq);
        }
        self.messages.extend(messages.iter().cloned());
    }

    /// The status of the trip itself, or cancelled if that is older than the cancellation of the last of its RFQs.
    pub fn displayed_status(&self) -> Option<TripStatusFact> {
        let own = self.status.get();
        let stands = |VersionedFact { version, value }: &VersionedFact<TripStatus>, called_off_at| {
            *value == TripStatus::Cancelled || version.moment() > called_off_at
        };
        if let Some(called_off_at) = self.called_off_at()
            && !own.is_some_and(|own| stands(own, called_off_at))
        {
            return Some(TripStatusFact {
                status: TripStatus::Cancelled,
                at: Some(called_off_at),
            });
        }
        let VersionedFact { version, value } = own?;
        let at = match version.source {
            FactSource::Event => version.at,
            FactSource::Document => self.status_first_seen_at.or(Some(version.moment())),
        };
        Some(TripStatusFact { status: *value, at })
    }

    /// The time at which the last of the trip's known RFQs was cancelled; `None` if there is none, or one is open.
    fn called_off_at(&self) -> Option<DateTime<Utc>> {
        let is_open = self.others.is_some_and(|others| others.open_rfqs > 0) || self.open_rfqs() > 0;
        let cancelled = self.rfqs.values().filter_map(|rfq| rfq.cancelled_at).max();
        cancelled.filter(|_| !is_open)
    }

    /// The number of loaded RFQs that were not cancelled.
    pub fn open_rfqs(&self) -> usize {
        self.rfqs.values().filter(|rfq| rfq.cancelled_at.is_none()).count()
    }

    /// The trip may be called off by RFQs of which the times are not loaded.
    pub fn needs_cancellations_of_others(&self) -> bool {
        let all_cancelled = |others: OtherFacts| others.open_rfqs == 0 && others.cancelled_rfqs > 0;
        self.others.is_some_and(all_cancelled) && self.open_rfqs() == 0
    }

    /// The number of distinct RFQs that were sent.
    pub fn sent_rfqs(&self) -> usize {
        let others = self.others.map_or(0, |others| others.sent_rfqs);
        others + self.rfqs.values().filter(|rfq| rfq.sent).count()
    }

    /// A seller was contacted: an RFQ was sent, or a quote or decline arrived.
    pub fn has_contacted_sellers(&self) -> bool {
        self.others.is_some_and(|others| others.has_contacted_sellers)
            || self.received_quotes().next().is_some()
            || self.quotes.values().any(|quote| quote.decline.get().is_some())
            || self.rfqs.values().any(|rfq| rfq.sent || rfq.decline.get().is_some())
    }

    fn merge_status_first_seen_at(&mut self, other: Option<DateTime<Utc>>) {
        self.status_first_seen_at = self.status_first_seen_at.into_iter().chain(other).min();
    }
}
