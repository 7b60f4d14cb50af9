//! What was said of one quote, kept so that every order of hearing it ends alike: the newest event, and each distinct thing that
//! documents said, with when it was said first and last. Everything else about the quote is derived from that.
//!
//! An event says all that it knows. A document says what its kind of resource shows (an RFQ the aircraft, a message the price),
//! and says it again whenever it is fetched: so what one leaves out stands as another has it, and said again it is no news.

use chrono::{DateTime, Utc};

use super::event::{FactSource, FactVersion, Money, Party, QuoteDetails};

/// The most distinct things that are kept of documents; beyond that the oldest are forgotten. A quote whose price changed so
/// often has no history that anybody would miss.
const MAX_DOCUMENTS: usize = 64;

/// All that was said of a quote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuoteHistory {
    /// Its seller made it: an event said so, or a document that knows. Otherwise it may be a price that nobody quoted, and all
    /// that is kept of it waits.
    pub received: bool,
    /// By events: the newest.
    pub event: Option<Observation>,
    /// By documents: each distinct thing, what was said last first.
    pub documents: Vec<Observation>,
    /// The earliest moment at which it is known to have stood.
    pub stood_from: Option<DateTime<Utc>>,
    /// The latest.
    pub stood_at: Option<DateTime<Utc>>,
}

/// One thing said, once or again.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What.
    pub details: QuoteDetails,
    /// The earliest of the sender's stamps, or of the versions where there was none. `None` is the lowest.
    pub earliest: Option<DateTime<Utc>>,
    /// The time of its lowest version; of an event that of its only one.
    pub first_at: Option<DateTime<Utc>>,
    /// The highest version.
    pub last: FactVersion,
    /// Whether the versions' times are the sender's own stamps. Otherwise they are only when we asked.
    pub is_stamped: bool,
}

impl QuoteHistory {
    /// One thing, said once, with the sender's stamp, of a quote that was received.
    pub fn once(details: QuoteDetails, version: FactVersion, at: Option<DateTime<Utc>>) -> Self {
        let stated = Observation {
            details,
            earliest: at.or(version.at),
            first_at: version.at,
            is_stamped: at == version.at,
            last: version,
        };
        match stated.last.source {
            FactSource::Event => Self {
                received: true,
                event: Some(stated),
                ..Self::default()
            },
            FactSource::Document => Self {
                received: true,
                documents: vec![stated],
                ..Self::default()
            },
        }
    }

    /// The same of a quote of which it is not said whether it was received.
    pub fn described(details: QuoteDetails, version: FactVersion, at: Option<DateTime<Utc>>) -> Self {
        Self {
            received: false,
            ..Self::once(details, version, at)
        }
    }

    /// Nothing but that it stood at this moment.
    pub fn stood(at: Option<DateTime<Utc>>) -> Self {
        Self {
            stood_from: at,
            stood_at: at,
            ..Self::default()
        }
    }

    /// Takes in what else was said. Commutative, associative and idempotent.
    pub fn take(&mut self, other: &Self) {
        self.received |= other.received;
        if let Some(stated) = &other.event {
            match &mut self.event {
                Some(known) => known.take_event(stated),
                None => self.event = Some(stated.clone()),
            }
        }
        for stated in &other.documents {
            match self.documents.iter_mut().find(|known| known.is_same(stated)) {
                Some(known) => known.take_again(stated),
                None => self.documents.push(stated.clone()),
            }
        }
        self.documents
            .sort_by(|one, other| (&other.last, other.is_stamped).cmp(&(&one.last, one.is_stamped)));
        self.documents.truncate(MAX_DOCUMENTS);
        self.stood_from = self.stood_from.into_iter().chain(other.stood_from).min();
        self.stood_at = self.stood_at.max(other.stood_at);
    }

    /// The highest version of all; none where nothing was said but that it stood.
    pub fn version(&self) -> Option<&FactVersion> {
        self.all().map(|stated| &stated.last).max()
    }

    /// The quote as a whole: the newest document's words, their gaps filled by older ones, back to the newest event. `None`
    /// where it was not received.
    pub fn details(&self) -> Option<QuoteDetails> {
        if !self.received {
            return None;
        }
        let event = self.event.as_ref();
        let newer = |stated: &&Observation| event.is_none_or(|event| stated.last > event.last);
        let mut newest_first = self.documents.iter().filter(newer).chain(event);
        let mut whole = newest_first.next()?.details.clone();
        for stated in newest_first {
            fill(&mut whole, &stated.details);
        }
        Some(whole)
    }

    /// The earliest time of all; `None`, the lowest, where something said had none.
    pub fn first_at(&self) -> Option<DateTime<Utc>> {
        let earliest = self.all().map(|stated| stated.earliest).min().flatten();
        match self.stood_from {
            Some(stood) => earliest.min(Some(stood)),
            None => earliest,
        }
    }

    /// When something last changed: the newest stamp, or where a price came without one, when it was first seen. The first
    /// price that was seen of a quote is as old as the quote, however late we asked.
    pub fn news_at(&self, price: Option<&Money>) -> Option<DateTime<Utc>> {
        let stamps = self.all().filter(|stated| stated.is_stamped);
        let stamped = stamps.filter_map(|stated| stated.last.at).max();
        let says_it = |stated: &&Observation| stated.details.price.as_ref() == price;
        let seen = || {
            self.documents
                .iter()
                .filter(says_it)
                .filter(|stated| !stated.is_stamped)
        };
        let first_seen = seen().map(|stated| stated.first_at).min();
        let (Some(first_seen), None) = (first_seen, self.event.as_ref().filter(says_it)) else {
            return stamped;
        };
        let other = |stated: &Observation| stated.details.price.is_some() && !says_it(&stated);
        let is_change = self.all().any(|stated| other(stated) && stated.first_at < first_seen);
        let since = match is_change {
            true => first_seen,
            false => seen().map(|stated| stated.earliest).min().flatten(),
        };
        stamped.max(since)
    }

    fn all(&self) -> impl Iterator<Item = &Observation> {
        self.documents.iter().chain(&self.event)
    }
}

impl Observation {
    /// Another event: the newest stays, and the earliest time.
    fn take_event(&mut self, other: &Self) {
        let earliest = self.earliest.min(other.earliest);
        if self.last < other.last {
            *self = other.clone();
        }
        self.earliest = earliest;
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.is_stamped, &self.details) == (other.is_stamped, &other.details)
    }

    /// The same, said another time.
    fn take_again(&mut self, other: &Self) {
        self.earliest = self.earliest.min(other.earliest);
        self.first_at = self.first_at.min(other.first_at);
        if self.last < other.last {
            self.last.clone_from(&other.last);
        }
    }
}

/// Fills what is missing from what was said before.
fn fill(whole: &mut QuoteDetails, older: &QuoteDetails) {
    fn gap<T: Clone>(whole: &mut Option<T>, older: &Option<T>) {
        if whole.is_none() {
            whole.clone_from(older);
        }
    }
    gap(&mut whole.request, &older.request);
    gap(&mut whole.price, &older.price);
    if whole.operator == Party::default() {
        whole.operator.clone_from(&older.operator);
    }
    gap(&mut whole.aircraft_type, &older.aircraft_type);
    gap(&mut whole.aircraft_tail, &older.aircraft_tail);
    gap(&mut whole.valid_until, &older.valid_until);
}
