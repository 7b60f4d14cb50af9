//! Learning: what a batch says is taken into the trips, before any session is looked at.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::event::{Event, EventKind};
use crate::domain::ids::{MessageId, TripId};
use crate::domain::trip::{ChangedFacts, Provenance, TimelineEvent};
use crate::jobs::kinds;
use crate::jobs::work::{ClaimedWork, DuplicateEvent, JobPayload};
use crate::queue::enqueue::NewJob;
use crate::queue::job::JobOutcome;
use crate::store::merge_trips::MergeResult;
use crate::store::trips;

/// Facts learned from a batch, before any session is looked at.
#[derive(Default)]
pub(super) struct BatchChanges {
    pub(super) happenings: BTreeMap<String, Vec<(TimelineEvent, Option<Uuid>)>>,
    pub(super) touched: BTreeMap<String, ChangedFacts>,
    pub(super) outcomes: Vec<JobOutcome>,
    /// Duplicates, with another body left out: they are news of nothing, but activity none the less. Otherwise which of
    /// two came first would decide `last_activity_at`.
    pub(super) duplicates: Vec<DuplicateEvent>,
    /// Expiries for which it is too early by this worker's clock.
    pub(super) early: Vec<NewJob>,
    /// By the key of a trip: what was merged into it.
    merged: BTreeMap<String, Vec<String>>,
}

impl BatchChanges {
    /// Notes what was merged. The quotes that came with it are news: what is shown of them may be older than what is known.
    pub(super) fn merged(&mut self, merged: MergeResult) {
        for (key, quotes) in merged.quotes {
            self.touched.entry(key).or_default().quotes.extend(quotes);
        }
        self.merged = merged.into;
    }

    /// Of the merges those of a trip, for people.
    fn merges_of(&self, trips: &[TripId], key_of: &BTreeMap<String, String>) -> Vec<String> {
        let keys: BTreeSet<&String> = trips.iter().filter_map(|trip| key_of.get(trip.as_str())).collect();
        let merged = keys.into_iter().filter_map(|key| Some((key, self.merged.get(key)?)));
        merged
            .flat_map(|(key, gone)| gone.iter().map(move |gone| format!("{gone} is {key}")))
            .collect()
    }
}

/// The messages that a batch speaks of: of a trip's thousands only these are looked up.
pub(super) fn messages_of(works: &[&ClaimedWork], key_of: &BTreeMap<String, String>) -> BTreeSet<(String, MessageId)> {
    let mut messages = BTreeSet::new();
    for work in works {
        for event in work.events() {
            if let (EventKind::MessageReceived { message, .. }, Some(key)) =
                (&event.what, key_of.get(event.trip.as_str()))
            {
                messages.insert((key.clone(), message.clone()));
            }
        }
    }
    messages
}

/// Takes everything the batch says into the trips, and words each job's outcome.
pub(super) fn learn(
    works: &[&ClaimedWork],
    locked: &mut trips::LockedTrips,
    now: DateTime<Utc>,
    learned: &mut BatchChanges,
) {
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
                Provenance::Notified(duplicate.received_at),
                learned.touched.entry(key.clone()).or_default(),
            );
        }
    }
    for work in works {
        let (outcome, detail) = match &work.payload {
            JobPayload::Events {
                events, received_at, ..
            } => words(
                "it",
                &take(work, events, Provenance::Notified(*received_at), locked, learned),
            ),
            JobPayload::Document {
                resource,
                trips,
                events,
                way,
                ..
            } => {
                let mut said = learned.merges_of(trips, &locked.key_of);
                said.extend(take(work, events, *way, locked, learned));
                words(resource, &said)
            }
            JobPayload::Shared { with } => ("applied", format!("by what was fetched for job {with}")),
            JobPayload::Rematch { session } => ("applied", format!("matched session {session}")),
            JobPayload::QuoteExpiry {
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
                        learned
                            .early
                            .extend(kinds::quote_expiry(trip, quote, *valid_until, now));
                        ("nothing", "too early by this worker's clock; queued again".to_owned())
                    }
                    None => ("nothing", "the quote stands longer by now".to_owned()),
                }
            }
        };
        learned.outcomes.push(JobOutcome {
            job: work.job.id,
            outcome,
            detail,
        });
    }
}

/// Takes events into their trips and tells what was news.
fn take(
    work: &ClaimedWork,
    events: &[Event],
    way: Provenance,
    locked: &mut trips::LockedTrips,
    learned: &mut BatchChanges,
) -> Vec<String> {
    let mut said = Vec::new();
    for event in events {
        let Some(key) = locked.key_of.get(event.trip.as_str()) else {
            continue;
        };
        let Some(trip) = locked.trips.get_mut(key) else {
            continue;
        };
        let touched = learned.touched.entry(key.clone()).or_default();
        if let Some(happening) = trip.learn(event, way, touched) {
            said.push(format!("{} ({key})", happening.cause));
            let happenings = learned.happenings.entry(key.clone()).or_default();
            happenings.push((happening, work.job.delivery_id));
        }
    }
    said
}

/// The outcome of a job whose delivery or document said these things.
fn words(what: &str, said: &[String]) -> (&'static str, String) {
    match said.is_empty() {
        true => ("nothing", format!("{what} says nothing that was not known")),
        false => ("applied", said.join(", ")),
    }
}
