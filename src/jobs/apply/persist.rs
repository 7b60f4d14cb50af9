//! Projects quotes, writes changed facts and the subjects of deliveries, and inserts the jobs of expiries.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::facts::BatchChanges;
use super::payloads::{self, BatchDeliveries};
use super::refused::ApplyError;
use super::request;
use super::scope::BatchScope;
use super::trip_owners;
use crate::domain::ids::QuoteId;
use crate::domain::trip::{ChangedFacts, TripFacts};
use crate::jobs::kinds;
use crate::postgres::transaction::Transaction;
use crate::queue::enqueue::{self, InsertOptions, UniqueOptions};
use crate::queue::job::JobError;
use crate::store::delivery_subjects::DeliverySubject;
use crate::store::facts;
use crate::store::facts::quotes::{ProjectionState, QuoteKey};
use crate::store::facts::write::{FactWrites, QuoteWrite, RfqWrite};
use crate::store::projection::{self, Projected, QuoteProjection};
use crate::store::sessions::LockedSession;
use crate::store::write_mode::WriteMode;

/// Writes the changed facts of trips, the projections of quotes and the subjects of deliveries.
pub(super) async fn write(
    tx: &mut Transaction<'_>,
    trips: &BTreeMap<String, TripFacts>,
    touched: &BTreeMap<String, ChangedFacts>,
    projected: &Projected,
    subjects: &[DeliverySubject],
) -> Result<(), JobError> {
    let mut writes = FactWrites {
        subjects,
        ..FactWrites::default()
    };
    let mut quotes: BTreeSet<(&str, &QuoteId)> = projected.rows.keys().map(|(key, id)| (key.as_str(), id)).collect();
    for (key, touched) in touched {
        let Some(trip) = trips.get(key) else { continue };
        let ChangedFacts {
            trip: trip_changed,
            quotes: changed_quotes,
            newly_stated: _, // some of the quotes
            rfqs: changed_rfqs,
            messages: new_messages,
        } = touched;
        if *trip_changed {
            writes.trips.push((key, trip));
        }
        quotes.extend(changed_quotes.iter().map(|id| (key.as_str(), id)));
        writes.rfqs.extend(changed_rfqs.iter().filter_map(|id| {
            Some(RfqWrite {
                trip_key: key,
                id,
                facts: trip.rfqs.get(id)?,
            })
        }));
        writes.messages.extend(new_messages.iter().map(|id| (key.as_str(), id)));
    }
    writes.quotes.extend(quotes.into_iter().filter_map(|(trip_key, id)| {
        Some(QuoteWrite {
            trip_key,
            id,
            facts: trips.get(trip_key)?.quotes.get(id)?,
            projected: projected.rows.get(&(trip_key.to_owned(), id.clone())),
        })
    }));
    facts::write::write(tx, &writes).await?;
    for refusal in &projected.refusals {
        projection::record_refusal(tx, refusal).await?;
    }
    Ok(())
}

/// Inserts a job for the expiry of every changed quote.
pub(super) async fn schedule_expiries(
    tx: &mut Transaction<'_>,
    trips: &BTreeMap<String, TripFacts>,
    changes: &mut BatchChanges,
    now: DateTime<Utc>,
) -> Result<(), JobError> {
    let mut jobs = Vec::new();
    for (key, touched) in &changes.touched {
        for id in &touched.quotes {
            let fact = trips.get(key).and_then(|trip| trip.quotes.get(id)?.received.as_ref());
            let valid_until = fact.and_then(|fact| fact.details.valid_until);
            jobs.extend(valid_until.and_then(|until| kinds::quote_expiry(key, id, until, now)));
        }
    }
    jobs.append(&mut changes.expiries);
    // Without a timestamp the same statement is a newer fact each time, with the same expiry. The trip is locked.
    enqueue::insert(tx, &jobs, InsertOptions::unique(UniqueOptions::default())).await?;
    Ok(())
}

/// The inputs of a projection that concern its whole batch.
pub(super) struct BatchInput<'a> {
    pub(super) scope: &'a BatchScope,
    pub(super) deliveries: &'a BatchDeliveries,
    pub(super) mode: WriteMode,
}

/// Projects quotes into `public.quotes`: those with a new fact, those that could not be projected before, and those whose row
/// shows an older price.
pub(super) async fn project(
    tx: &mut Transaction<'_>,
    trips: &BTreeMap<String, TripFacts>,
    touched: &BTreeMap<String, ChangedFacts>,
    sessions: &mut [LockedSession],
    rows: &mut BTreeMap<QuoteKey, ProjectionState>,
    BatchInput {
        scope,
        deliveries,
        mode,
    }: BatchInput<'_>,
) -> Result<Projected, ApplyError> {
    let deleted_with_request = |state: &ProjectionState| matches!(state, ProjectionState::DeletedWithRequest);
    let forgotten: Vec<QuoteKey> = rows
        .extract_if(.., |_, state| deleted_with_request(state))
        .map(|(key, _)| key)
        .collect();
    if !forgotten.is_empty() {
        projection::forget(tx, &forgotten).await?;
    }
    let mut projections = Vec::new();
    for (key, trip) in trips {
        let request_id = request::of_trip(sessions, key).map(|chosen| chosen.request_id);
        // Rows that cannot move to an owner may be under a request of another agent: they stay as they are.
        let may_update = request_id.is_some() || !trip_owners::is_contested(sessions, key);
        for (id, quote) in &trip.quotes {
            let Some(facts) = &quote.received else { continue };
            let shown = rows.get(&(key.clone(), id.clone())).copied();
            let changed = touched.get(key);
            let is_changed = changed.is_some_and(|changed| changed.quotes.contains(id));
            let (row, request_id) = match shown {
                // The application deleted the row. It may insert another one, but we do not.
                Some(ProjectionState::Deleted) => (None, None),
                // Projected as it is, or refused as it is: projected again when a fact changes, or by the resync.
                Some(ProjectionState::Row(_) | ProjectionState::Refused) if !is_changed => continue,
                Some(ProjectionState::Row(_) | ProjectionState::OutdatedRow(_)) if !may_update => continue,
                Some(ProjectionState::Row(row) | ProjectionState::OutdatedRow(row)) => (Some(row), request_id),
                Some(ProjectionState::Refused | ProjectionState::DeletedWithRequest) | None => (None, request_id),
            };
            let may_have_row = row.is_some() || request_id.is_some() || shown == Some(ProjectionState::Deleted);
            if let Some(price) = projection::projectable_price(facts)
                && may_have_row
            {
                projections.push(QuoteProjection {
                    trip_key: key,
                    quote: id,
                    facts,
                    stated: &quote.stated,
                    is_newly_stated: changed.is_some_and(|changed| changed.newly_stated.contains(id)),
                    price,
                    row,
                    request_id,
                    new_id: Uuid::now_v7(),
                    payload: None,
                });
            }
        }
    }
    // A session that becomes the active one, or gets another request, is rematched.
    let complete = trips.keys().filter(|key| scope.is_complete(key));
    request::move_rows(tx, complete, sessions).await?;
    if projections.is_empty() {
        return Ok(Projected::default());
    }
    payloads::set(tx, trips, deliveries, &mut projections).await?;
    let mut projected = projection::project(tx, projections.clone(), mode).await?;
    request::set_own_requests(&projections, &mut projected.rows);
    for (key, record) in &projected.rows {
        rows.insert(key.clone(), ProjectionState::Row(record.row));
    }
    Ok(projected)
}
