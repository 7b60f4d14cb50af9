//! Apply: the one transaction in which jobs become changes of sessions, and the jobs their outcomes.
//!
//! Lock order: jobs (the fence), event keys, trips, sessions, then facts, ledger and timeline under those. Whatever a
//! job is about, the way is the same: learn facts, decide each session of the trips from all that is known, write.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::expire;
use crate::clock::Clock;
use crate::domain::decide::{Change, decide};
use crate::domain::election::Policy;
use crate::domain::event::{Event, What};
use crate::domain::id::{EventId, MessageId, QuoteId};
use crate::domain::trip::{Happening, Touched, Trip, quote_detail, received_cause};
use crate::queue::job::{Claimed, JobError, Outcome};
use crate::queue::store::{self as queue, NewJob};
use crate::store::events::{self, EventKey};
use crate::store::facts::{self, QuoteKey, Shown};
use crate::store::projection::{self, Projection};
use crate::store::sessions::{self, LockedSession, State, Write};
use crate::store::timeline::{self, Line};
use crate::store::trips;
use crate::store::writer;

/// What a job is about.
#[derive(Debug, Clone)]
pub enum Content {
    /// Events of a delivery.
    Events {
        /// `eventId`; `None` for an event without one, or replayed past the keys.
        event_id: Option<EventId>,
        /// SHA-256 of the delivery's body.
        body_sha256: [u8; 32],
        /// When the delivery was received.
        received_at: DateTime<Utc>,
        /// What it says.
        events: Vec<Event>,
    },
    /// Match a session with what is known of its trip.
    Rematch {
        /// Which session.
        session: Uuid,
    },
    /// The time of a quote has passed.
    Expire {
        /// The trip's id.
        trip: String,
        /// The quote.
        quote: QuoteId,
        /// Until when it stood.
        valid_until: DateTime<Utc>,
    },
}

/// A claimed job and what it is about.
#[derive(Debug, Clone)]
pub struct Work {
    /// The claim.
    pub job: Claimed,
    /// What it is about.
    pub content: Content,
}

/// Applies work to sessions.
pub struct Applier {
    /// The database.
    pub pool: PgPool,
    /// How the primary quote is elected.
    pub policy: Policy,
    /// The time by which quotes expire.
    pub clock: Clock,
}

/// What is left of a duplicate.
struct Duplicate {
    events: Vec<Event>,
    received_at: DateTime<Utc>,
}

/// Facts learned from a batch, before any session is looked at.
#[derive(Default)]
struct Learned {
    happenings: BTreeMap<String, Vec<(Happening, Option<Uuid>)>>,
    touched: BTreeMap<String, Touched>,
    outcomes: Vec<Outcome>,
    /// Duplicates, with another body left out: they are news of nothing, but activity none the less. Otherwise which of
    /// two came first would decide `last_activity_at`.
    duplicates: Vec<Duplicate>,
    /// Expiries for which it is too early by this worker's clock.
    early: Vec<NewJob>,
}

impl Applier {
    /// Applies a batch in one transaction and finishes its jobs. Jobs whose lease is lost are left out, silently: their
    /// new holder does them.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn apply(&self, works: &[Work]) -> Result<(), JobError> {
        if works.is_empty() {
            return Ok(());
        }
        let mut tx = writer::begin(&self.pool).await?;
        let jobs: Vec<Claimed> = works.iter().map(|work| work.job.clone()).collect();
        let held = queue::hold(&mut tx, &jobs).await?;
        let works: Vec<&Work> = works.iter().filter(|work| held.contains(&work.job.id)).collect();
        if works.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut learned = Learned::default();
        let fresh = self.enter_event_keys(&mut tx, &works, &mut learned).await?;

        let rematched: Vec<Uuid> = fresh.iter().filter_map(|work| work.session()).collect();
        let mut ids: Vec<String> = fresh.iter().flat_map(|work| work.trips()).collect();
        let repeated = learned.duplicates.iter().flat_map(|duplicate| &duplicate.events);
        ids.extend(repeated.map(|event| event.trip.as_str().to_owned()));
        if !rematched.is_empty() {
            ids.extend(sessions::trip_ids(&mut tx, &rematched).await?);
        }
        let mut locked = trips::lock(&mut tx, &ids).await?;
        let keys: Vec<String> = locked.trips.keys().cloned().collect();
        let mut sessions = sessions::lock(&mut tx, &keys, &rematched).await?;
        let messages = messages_of(&fresh, &locked.key_of);
        let mut rows = facts::load(&mut tx, &mut locked.trips, &messages).await?;

        learn(&fresh, &mut locked, now, &mut learned);
        self.write_facts(&mut tx, &locked.trips, &learned.touched).await?;
        self.schedule_expiries(&mut tx, &locked.trips, &mut learned, now)
            .await?;
        self.project(&mut tx, &locked.trips, &learned.touched, &sessions, &mut rows)
            .await?;
        let changed = self
            .change_sessions(&mut tx, &locked.trips, &mut sessions, &learned, &rows, now)
            .await?;

        for outcome in &mut learned.outcomes {
            if outcome.outcome == "applied" {
                outcome
                    .detail
                    .push_str(&format!("; sessions changed with it: {changed}"));
            }
        }
        queue::finish(&mut tx, &learned.outcomes).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Enters the event ids and returns the work that is no duplicate. Duplicates get their outcome here.
    async fn enter_event_keys<'a>(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        works: &[&'a Work],
        learned: &mut Learned,
    ) -> Result<Vec<&'a Work>, JobError> {
        let mut first_in_batch: BTreeMap<&str, EventKey> = BTreeMap::new();
        for work in works {
            if let (Some(event_id), Some(delivery_id), Some(body_sha256)) = work.event_key() {
                first_in_batch.entry(event_id).or_insert_with(|| EventKey {
                    event_id: event_id.to_owned(),
                    delivery_id,
                    body_sha256,
                });
            }
        }
        let keys: Vec<EventKey> = first_in_batch.into_values().collect();
        let known = if keys.is_empty() {
            Default::default()
        } else {
            events::enter(tx, &keys).await?
        };
        let mut entered: BTreeMap<&str, &EventKey> = keys
            .iter()
            .filter(|key| !known.contains_key(&key.event_id))
            .map(|key| (key.event_id.as_str(), key))
            .collect();
        let mut applied_here: BTreeMap<&str, &EventKey> = BTreeMap::new();
        let mut fresh = Vec::with_capacity(works.len());
        for work in works {
            let (Some(event_id), _, Some(body)) = work.event_key() else {
                fresh.push(*work);
                continue;
            };
            let (delivery, digest) = match (
                entered.remove(event_id),
                applied_here.get(event_id),
                known.get(event_id),
            ) {
                (Some(key), _, _) => {
                    applied_here.insert(event_id, key);
                    fresh.push(*work);
                    continue;
                }
                (None, Some(key), _) => (key.delivery_id, key.body_sha256.to_vec()),
                (None, None, Some(first)) => (first.delivery_id, first.body_sha256.clone()),
                (None, None, None) => return Err(JobError::retry("an event key went away while it was entered")),
            };
            let mut detail = format!("duplicate of delivery {delivery}");
            if digest == body {
                learned.duplicates.extend(work.as_duplicate());
            } else {
                detail.push_str(", with another body");
                tracing::info!(event_id, first = %delivery, delivery = ?work.job.delivery_id,
                    "an event id came again with another body; the first one stands");
            }
            learned.outcomes.push(Outcome {
                job: work.job.id,
                outcome: "duplicate",
                detail,
            });
        }
        Ok(fresh)
    }

    async fn write_facts(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        trips: &BTreeMap<String, Trip>,
        touched: &BTreeMap<String, Touched>,
    ) -> Result<(), JobError> {
        let mut rows = Vec::new();
        let mut quotes = Vec::new();
        let mut requests = Vec::new();
        let mut messages = Vec::new();
        for (key, touched) in touched {
            let Some(trip) = trips.get(key) else { continue };
            if touched.trip {
                rows.push((key.as_str(), trip));
            }
            quotes.extend(
                touched
                    .quotes
                    .iter()
                    .filter_map(|id| Some((key.as_str(), id, trip.quotes.get(id)?))),
            );
            requests.extend(
                touched
                    .requests
                    .iter()
                    .filter_map(|id| Some((key.as_str(), id, trip.requests.get(id)?))),
            );
            messages.extend(touched.messages.iter().map(|id| (key.clone(), id.clone())));
        }
        if !rows.is_empty() {
            trips::write(tx, &rows).await?;
        }
        if !quotes.is_empty() {
            facts::write_quotes(tx, &quotes).await?;
        }
        if !requests.is_empty() {
            facts::write_requests(tx, &requests).await?;
        }
        if !messages.is_empty() {
            facts::write_messages(tx, &messages).await?;
        }
        Ok(())
    }

    /// Queues a job for the moment at which a quote that was just learned of expires.
    async fn schedule_expiries(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        trips: &BTreeMap<String, Trip>,
        learned: &mut Learned,
        now: DateTime<Utc>,
    ) -> Result<(), JobError> {
        let mut jobs = Vec::new();
        for (key, touched) in &learned.touched {
            for id in &touched.quotes {
                let fact = trips.get(key).and_then(|trip| trip.quotes.get(id)?.fact.as_ref());
                let valid_until = fact.and_then(|fact| fact.details.valid_until);
                jobs.extend(valid_until.and_then(|until| expire::job(key, id, until, now)));
            }
        }
        jobs.append(&mut learned.early);
        if !jobs.is_empty() {
            queue::enqueue(tx, &jobs).await?;
        }
        Ok(())
    }

    /// Shows quotes in `public.quotes`: those with a new fact, and those that could not be shown before.
    async fn project(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        trips: &BTreeMap<String, Trip>,
        touched: &BTreeMap<String, Touched>,
        sessions: &[LockedSession],
        rows: &mut BTreeMap<QuoteKey, Shown>,
    ) -> Result<(), JobError> {
        let mut projections = Vec::new();
        for (key, trip) in trips {
            let request_id = sessions
                .iter()
                .filter(|session| session.trip.as_ref() == Some(key) && session.request_id.is_some())
                .min_by_key(|session| (session.created_at, session.session.id))
                .and_then(|session| session.request_id);
            for (id, fact) in trip.received() {
                let shown = rows.get(&(key.clone(), id.clone())).copied();
                let is_news = touched.get(key).is_some_and(|touched| touched.quotes.contains(id));
                let row = match shown {
                    // The application deleted the row: that stands.
                    Some(Shown::Removed) => continue,
                    // Shown as it is, or refused as it is: asked again when there is news (or by the sweep).
                    Some(Shown::At(_) | Shown::Refused) if !is_news => continue,
                    Some(Shown::At(row)) => Some(row),
                    Some(Shown::Refused) | None => None,
                };
                if projection::showable(fact).is_some() && (row.is_some() || request_id.is_some()) {
                    projections.push(Projection {
                        trip: key,
                        quote: id,
                        fact,
                        row,
                        request_id,
                        new_id: Uuid::now_v7(),
                    });
                }
            }
        }
        if projections.is_empty() {
            return Ok(());
        }
        let shown = projection::project(tx, &projections).await?;
        for (projection, row) in projections.iter().zip(shown) {
            if let Some(row) = row {
                rows.insert((projection.trip.to_owned(), projection.quote.clone()), Shown::At(row));
            }
        }
        Ok(())
    }

    /// Decides every locked session and writes what changes. Returns how many sessions changed visibly.
    async fn change_sessions(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        trips: &BTreeMap<String, Trip>,
        sessions: &mut [LockedSession],
        learned: &Learned,
        rows: &BTreeMap<QuoteKey, Shown>,
        now: DateTime<Utc>,
    ) -> Result<u64, JobError> {
        let mut writes = Vec::new();
        let mut states = Vec::new();
        let mut lines = Vec::new();
        for session in sessions {
            let trip = session.trip.as_ref().and_then(|key| trips.get(key));
            if session.trip_id.is_some() && trip.is_none() {
                // Its trip id changed between our reading and our locking; the note that change left does it.
                continue;
            }
            let change = decide(&session.session, trip, self.policy, now);
            let before = (session.elected.clone(), session.matched_trip.clone(), session.seq);
            self.add_lines(session, trip, &change, learned, &mut lines);
            let primary_quote_id = change.elected.as_ref().and_then(|elected| {
                // A row that still shows an older price shows another fact than the one elected: had the facts come in
                // another order, there would be no row.
                let row = elected.as_ref().and_then(|quote| {
                    projection::showable(trip?.quotes.get(quote)?.fact.as_ref()?)?;
                    rows.get(&(session.trip.clone()?, quote.clone()))?.row()
                });
                session.elected = elected.as_ref().map(|quote| quote.as_str().to_owned());
                (row != session.primary_quote_id).then_some(row)
            });
            session.matched_trip.clone_from(&session.trip_id);
            if before != (session.elected.clone(), session.matched_trip.clone(), session.seq) {
                states.push(State {
                    session: session.session.id,
                    elected: session.elected.clone(),
                    matched_trip: session.matched_trip.clone(),
                    seq: session.seq,
                });
            }
            writes.push(Write {
                session: session.session.id,
                change,
                primary_quote_id,
            });
        }
        let written = sessions::write(tx, &writes).await?;
        if !states.is_empty() {
            sessions::write_states(tx, &states).await?;
        }
        if !lines.is_empty() {
            timeline::append(tx, &lines).await?;
        }
        Ok(written)
    }

    /// What happened to the trip, and the quotes that are counted on a later match.
    fn add_lines(
        &self,
        session: &mut LockedSession,
        trip: Option<&Trip>,
        change: &Change,
        learned: &Learned,
        lines: &mut Vec<Line>,
    ) {
        let happened = session.trip.as_ref().and_then(|key| learned.happenings.get(key));
        let mut causes = BTreeSet::new();
        let mut add = |happening: Happening, delivery_id: Option<Uuid>| {
            if causes.insert(happening.cause.clone()) {
                session.seq += 1;
                lines.push(Line {
                    session: session.session.id,
                    seq: session.seq,
                    happening,
                    delivery_id,
                });
            }
        };
        for (happening, delivery) in happened.into_iter().flatten() {
            add(happening.clone(), *delivery);
        }
        for quote in &change.count {
            let fact = trip.and_then(|trip| trip.quotes.get(quote)?.fact.as_ref());
            if let Some(fact) = fact {
                let cause = received_cause(quote);
                let detail = quote_detail(&fact.details);
                add(
                    Happening {
                        kind: "quote_received",
                        cause,
                        at: fact.version.at,
                        detail,
                    },
                    None,
                );
            }
        }
    }
}

impl Work {
    fn event_key(&self) -> (Option<&str>, Option<Uuid>, Option<[u8; 32]>) {
        match &self.content {
            Content::Events {
                event_id: Some(event_id),
                body_sha256,
                ..
            } => (Some(event_id.as_str()), self.job.delivery_id, Some(*body_sha256)),
            _ => (None, None, None),
        }
    }

    fn as_duplicate(&self) -> Option<Duplicate> {
        match &self.content {
            Content::Events {
                events, received_at, ..
            } => Some(Duplicate {
                events: events.clone(),
                received_at: *received_at,
            }),
            _ => None,
        }
    }

    fn session(&self) -> Option<Uuid> {
        match self.content {
            Content::Rematch { session } => Some(session),
            _ => None,
        }
    }

    fn trips(&self) -> Vec<String> {
        match &self.content {
            Content::Events { events, .. } => events.iter().map(|event| event.trip.as_str().to_owned()).collect(),
            Content::Expire { trip, .. } => vec![trip.clone()],
            Content::Rematch { .. } => Vec::new(),
        }
    }
}

fn messages_of(works: &[&Work], key_of: &BTreeMap<String, String>) -> BTreeSet<(String, MessageId)> {
    let mut messages = BTreeSet::new();
    for work in works {
        let Content::Events { events, .. } = &work.content else {
            continue;
        };
        for event in events {
            if let (What::MessageReceived { message, .. }, Some(key)) = (&event.what, key_of.get(event.trip.as_str())) {
                messages.insert((key.clone(), message.clone()));
            }
        }
    }
    messages
}

/// Takes everything the batch says into the trips, and words each job's outcome.
fn learn(works: &[&Work], locked: &mut trips::Locked, now: DateTime<Utc>, learned: &mut Learned) {
    for duplicate in &learned.duplicates {
        for event in &duplicate.events {
            let Some(key) = locked.key_of.get(event.trip.as_str()) else {
                continue;
            };
            let Some(trip) = locked.trips.get_mut(key) else {
                continue;
            };
            trip.repeat(
                event,
                duplicate.received_at,
                learned.touched.entry(key.clone()).or_default(),
            );
        }
    }
    for work in works {
        let (outcome, detail) = match &work.content {
            Content::Events {
                events, received_at, ..
            } => {
                let mut said = Vec::new();
                for event in events {
                    let Some(key) = locked.key_of.get(event.trip.as_str()) else {
                        continue;
                    };
                    let Some(trip) = locked.trips.get_mut(key) else {
                        continue;
                    };
                    let touched = learned.touched.entry(key.clone()).or_default();
                    if let Some(happening) = trip.learn(event, *received_at, touched) {
                        said.push(format!("{} ({key})", happening.cause));
                        let happenings = learned.happenings.entry(key.clone()).or_default();
                        happenings.push((happening, work.job.delivery_id));
                    }
                }
                match said.is_empty() {
                    true => ("nothing", "it says nothing that was not known".to_owned()),
                    false => ("applied", said.join(", ")),
                }
            }
            Content::Rematch { session } => ("applied", format!("matched session {session}")),
            Content::Expire {
                trip,
                quote,
                valid_until,
            } => {
                let known = locked
                    .key_of
                    .get(trip)
                    .and_then(|key| Some((key, locked.trips.get(key)?)));
                let stands_until =
                    known.and_then(|(_, trip)| trip.quotes.get(quote)?.fact.as_ref()?.details.valid_until);
                match known.and_then(|(key, trip)| Some((key, trip.expire(quote, now)?))) {
                    Some((key, happening)) => {
                        let detail = happening.cause.clone();
                        learned
                            .happenings
                            .entry(key.clone())
                            .or_default()
                            .push((happening, None));
                        ("applied", detail)
                    }
                    // The database's clock says that it is time and ours does not: nobody else would come back to it.
                    None if stands_until == Some(*valid_until) => {
                        learned.early.extend(expire::job(trip, quote, *valid_until, now));
                        ("nothing", "too early by this worker's clock; queued again".to_owned())
                    }
                    None => ("nothing", "the quote stands longer by now".to_owned()),
                }
            }
        };
        learned.outcomes.push(Outcome {
            job: work.job.id,
            outcome,
            detail,
        });
    }
}
