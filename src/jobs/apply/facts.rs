//! Applies the events of a batch to the facts of their trips, before any session is decided.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::event::{Event, EventKind};
use crate::domain::ids::{MessageId, TripId};
use crate::domain::timeline::TimelineEvent;
use crate::domain::trip::{ChangedFacts, Provenance};
use crate::jobs::kinds;
use crate::jobs::work::{ClaimedWork, JobPayload};
use crate::queue::enqueue::NewJob;
use crate::queue::outcomes::JobOutcome;
use crate::store::merge_trips::MergeResult;
use crate::store::trips;

/// The changes of a batch, before any session is decided.
#[derive(Default)]
pub(super) struct BatchChanges {
    /// New timeline events by trip, each with the delivery it came with.
    pub(super) timeline: BTreeMap<String, Vec<(TimelineEvent, Option<Uuid>)>>,
    pub(super) touched: BTreeMap<String, ChangedFacts>,
    pub(super) outcomes: Vec<JobOutcome>,
    /// Duplicates with the same body. They make no timeline entry, but an earlier one moves the time at which the event was
    /// first received: otherwise the order in which the two are applied would matter.
    pub(super) duplicates: Vec<ClaimedWork>,
    /// The number of duplicates with another body.
    pub(super) other_bodies: u64,
    /// Jobs of expiries that are still ahead.
    pub(super) expiries: Vec<NewJob>,
    /// By trip, the trips that were merged into it.
    merged: BTreeMap<String, Vec<String>>,
}

impl BatchChanges {
    /// The quotes of merged trips count as changed: their rows may show less than is known now.
    pub(super) fn add_merges(&mut self, merged: MergeResult) {
        for (key, quotes) in merged.quotes {
            let touched = self.touched.entry(key).or_default();
            touched.newly_stated.extend(quotes.iter().cloned());
            touched.quotes.extend(quotes);
        }
        self.merged = merged.into;
    }

    /// Another trip was merged into this one.
    pub(super) fn has_merged(&self, key: &str) -> bool {
        self.merged.contains_key(key)
    }

    /// Describes the merges of these trips.
    fn merges_of(&self, trips: &[TripId], key_of: &BTreeMap<String, String>) -> Vec<String> {
        let keys: BTreeSet<&String> = trips.iter().filter_map(|trip| key_of.get(trip.as_str())).collect();
        let merged = keys.into_iter().filter_map(|key| Some((key, self.merged.get(key)?)));
        merged
            .flat_map(|(key, gone)| gone.iter().map(move |gone| format!("{gone} is {key}")))
            .collect()
    }
}

/// Returns the messages of a batch: of a trip's thousands only these are loaded.
pub(super) fn messages_of(works: &[&ClaimedWork], key_of: &BTreeMap<String, String>) -> BTreeSet<(String, MessageId)> {
    let mut messages = BTreeSet::new();
    for work in works {
        for event in work.events() {
            if let (EventKind::MessageReceived { message, .. }, Some(key)) =
                (&event.kind, key_of.get(event.trip.as_str()))
            {
                messages.insert((key.clone(), message.clone()));
            }
        }
    }
    messages
}

/// Applies the batch to the facts, and describes each job's outcome.
pub(super) fn learn(
    works: &[&ClaimedWork],
    locked: &mut trips::LockedTrips,
    now: DateTime<Utc>,
    changes: &mut BatchChanges,
) {
    for work in works {
        let (outcome, detail) = match &work.payload {
            JobPayload::Events {
                source,
                same_trip,
                events,
                provenance,
                ..
            } => {
                let mut lines = changes.merges_of(same_trip, &locked.key_of);
                lines.extend(apply_events(work, events, *provenance, locked, changes));
                match lines.is_empty() {
                    true => ("nothing", format!("{source} has no new facts")),
                    false => ("applied", lines.join(", ")),
                }
            }
            JobPayload::Ignored { reason, .. } => ("ignored", reason.clone()),
            JobPayload::Shared { with } => {
                // The job that applies the document comes first.
                let mut before = changes.outcomes.iter();
                let outcome = before
                    .find(|other| other.job == *with)
                    .map_or("applied", |other| other.outcome);
                (outcome, format!("shares the document of job {with}"))
            }
            JobPayload::Rematch { session } => ("applied", format!("rematched session {session}")),
            JobPayload::QuoteExpiry {
                trip,
                quote,
                valid_until,
            } => {
                let key = locked.key_of.get(trip);
                let facts = key.and_then(|key| locked.trips.get(key));
                let expires_at = facts.and_then(|trip| trip.quotes.get(quote)?.received.as_ref()?.details.valid_until);
                // Otherwise the order of the facts would show in the timeline.
                let key = key.filter(|_| expires_at == Some(*valid_until));
                match key {
                    None => ("nothing", "the quote no longer expires at this time".to_owned()),
                    // Without another job nothing would come back to it.
                    Some(_) if *valid_until > now => {
                        changes
                            .expiries
                            .extend(kinds::quote_expiry(trip, quote, *valid_until, now));
                        ("nothing", "before its time, enqueued again".to_owned())
                    }
                    Some(key) => {
                        let happening = TimelineEvent::quote_expired(quote, *valid_until);
                        let detail = happening.summary();
                        changes.timeline.entry(key.clone()).or_default().push((happening, None));
                        ("applied", detail)
                    }
                }
            }
        };
        changes
            .outcomes
            .push(JobOutcome::new(work.job.id, outcome, detail).with_warning(warning(work)));
    }
    // After the events that they repeat, which make the timeline entries.
    for duplicate in &changes.duplicates {
        let JobPayload::Events { events, provenance, .. } = &duplicate.payload else {
            continue;
        };
        for event in events {
            if let Some(key) = locked.key_of.get(event.trip.as_str())
                && let Some(trip) = locked.trips.get_mut(key)
            {
                let touched = changes.touched.entry(key.clone()).or_default();
                let _ = trip.apply_event(event, *provenance, touched);
            }
        }
    }
}

/// The parts of the work that were sent and not understood, as one text.
fn warning(work: &ClaimedWork) -> Option<String> {
    let unread: Vec<String> = work.unread().iter().map(ToString::to_string).collect();
    (!unread.is_empty()).then(|| unread.join(", "))
}

/// Applies events to the facts of their trips, and describes the changes.
fn apply_events(
    work: &ClaimedWork,
    events: &[Event],
    provenance: Provenance,
    locked: &mut trips::LockedTrips,
    changes: &mut BatchChanges,
) -> Vec<String> {
    let mut lines = Vec::new();
    for event in events {
        if let Some(key) = locked.key_of.get(event.trip.as_str())
            && let Some(trip) = locked.trips.get_mut(key)
            && let touched = changes.touched.entry(key.clone()).or_default()
            && let Some(happening) = trip.apply_event(event, provenance, touched)
        {
            lines.push(format!("{} ({key})", happening.summary()));
            let timeline = changes.timeline.entry(key.clone()).or_default();
            timeline.push((happening, work.job.delivery_id));
        }
    }
    lines
}
