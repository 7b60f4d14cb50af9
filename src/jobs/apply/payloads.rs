//! Finds the body of the newest event about each projected quote: in the batch, or else among the stored deliveries.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::avinode::full_event;
use crate::avinode::notification::Notification;
use crate::domain::event::{Event, EventKind, FactSource};
use crate::domain::trip::TripFacts;
use crate::jobs::work::{ClaimedWork, JobPayload};
use crate::postgres::transaction::Transaction;
use crate::store::deliveries::StoredDelivery;
use crate::store::projection::QuoteProjection;
use crate::store::projection::payload::{self, EventStatement, QuotePayload, WantedPayload};

/// The deliveries of a batch by the statements about quotes that they contain.
pub(super) type BatchDeliveries = BTreeMap<EventStatement, Arc<StoredDelivery>>;

/// Returns the deliveries of a batch, duplicates included: an earlier one is the first delivery of the statement.
pub(super) fn of_batch<'a>(works: impl Iterator<Item = &'a ClaimedWork>) -> BatchDeliveries {
    let mut deliveries = BatchDeliveries::new();
    for work in works {
        if let JobPayload::Events {
            delivery: Some(delivery),
            events,
            ..
        } = &work.payload
        {
            add(&mut deliveries, events, delivery);
        }
    }
    deliveries
}

/// Sets the payloads of projections. A quote whose delivery was deleted keeps the payload that its row has.
pub(super) async fn set(
    tx: &mut Transaction<'_>,
    trips: &BTreeMap<String, TripFacts>,
    batch: &BatchDeliveries,
    projections: &mut [QuoteProjection<'_>],
) -> Result<(), sqlx::Error> {
    let newest = |projection: &QuoteProjection<'_>| {
        let quote = trips.get(projection.trip_key)?.quotes.get(projection.quote)?;
        quote.history.newest_event().map(EventStatement::of)
    };
    let wanted: Vec<WantedPayload<'_>> = projections
        .iter()
        .filter_map(|projection| {
            Some(WantedPayload {
                trip_key: projection.trip_key,
                quote: projection.quote,
                statement: newest(projection).filter(|statement| !batch.contains_key(statement))?,
            })
        })
        .collect();
    let stored = payload::read_missing(tx, &wanted).await?;
    let mut deliveries = batch.clone();
    for delivery in stored.into_iter().map(Arc::new) {
        add(&mut deliveries, &events_of(&delivery), &delivery);
    }
    for projection in projections {
        let Some(statement) = newest(projection) else { continue };
        let delivery = deliveries.get(&statement).cloned();
        projection.payload = delivery.map(|delivery| QuotePayload { statement, delivery });
    }
    Ok(())
}

fn add(deliveries: &mut BatchDeliveries, events: &[Event], delivery: &Arc<StoredDelivery>) {
    for Event { version, kind, .. } in events {
        if matches!(kind, EventKind::QuoteReceived(_)) && version.source == FactSource::Event {
            let statement = EventStatement {
                at: version.at,
                first_seen_at: version.seen_at,
                digest: version.digest,
            };
            deliveries.entry(statement).or_insert_with(|| Arc::clone(delivery));
        }
    }
}

/// The events of a stored delivery; none if it is no full event.
fn events_of(delivery: &StoredDelivery) -> Vec<Event> {
    match Notification::parse(&delivery.body) {
        Ok(Notification::Full(full)) => full_event::events(&full, delivery.received_at).unwrap_or_default(),
        _ => Vec::new(),
    }
}
