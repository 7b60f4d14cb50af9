//! Subjects of deliveries of which no event was read: by the ids that stand in their bytes, or by the resource that they notify.

use crate::avinode::mentioned_ids::mentioned_ids;
use crate::avinode::notification::{DeliveryKind, Notification, classify};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::ids::{EventId, RfqId, TripId};
use crate::domain::subject::Subject;

/// The subject of a body that is no event, or an event that could not be read.
pub fn of_body(body: &[u8]) -> Subject {
    let mut subject = Subject::default();
    match Notification::parse(body) {
        Ok(Notification::Full(full)) => subject.event_id = full.event_id.as_ref().map(EventId::to_string),
        Ok(Notification::Thin(thin)) => subject.trip = thin.trip.as_ref().map(TripId::to_string),
        Err(_) => {}
    }
    if let DeliveryKind::Full { trip: Some(trip) } = classify(body) {
        subject.trip = Some(trip.to_string());
    }
    for id in mentioned_ids(body) {
        add(&mut subject, &id);
    }
    subject
}

/// The subject of a notification of a resource, by its id.
pub fn of_resource(id: &str, trip: Option<&TripId>) -> Subject {
    let mut subject = Subject {
        trip: trip.map(TripId::to_string),
        ..Subject::default()
    };
    add(&mut subject, id);
    subject
}

fn add(subject: &mut Subject, id: &str) {
    match Resource::by_key(id).map(|resource| (resource.kind, resource.is_rfqs_of_trip(), resource.id)) {
        Some((ResourceKind::Rfqs, false, id)) => {
            subject
                .rfqs
                .extend(RfqId::parse(id.as_str()).ok().map(|rfq| rfq.normalized()));
        }
        Some((ResourceKind::Quotes, _, id)) => subject.quotes.push(id.to_string()),
        Some((ResourceKind::Trips, _, id) | (ResourceKind::Rfqs, true, id)) if subject.trip.is_none() => {
            subject.trip = TripId::parse(id.as_str()).ok().map(|trip| trip.to_string());
        }
        _ => {}
    }
}
