//! Locks the trips of a batch, the trips related to them, and the RFQs that its events name.

use uuid::Uuid;

use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::store::related_trips::{self, RelatedTrips, usual};
use crate::store::trips::{self, LockedTrips};

/// `named_rfqs`: the pairs of trip and RFQ that events name; `rematched`: the sessions to rematch.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    ids: &[String],
    named_rfqs: &[(String, String)],
    rematched: &[Uuid],
) -> Result<(RelatedTrips, LockedTrips), JobError> {
    if rematched.is_empty() {
        if let Some(locked) = usual::lock_unrelated(tx, ids, named_rfqs).await? {
            return Ok((RelatedTrips::default(), locked));
        }
    } else {
        related_trips::lock_requests(tx, rematched).await?;
    }
    let related = related_trips::find(tx, ids, named_rfqs, rematched).await?;
    let locked = trips::lock(tx, &related.trips.iter().cloned().collect::<Vec<_>>()).await?;
    let locked = locked.ok_or_else(|| JobError::Contention("a trip was merged with another meanwhile".to_owned()))?;
    if !related.rfqs_to_lock.is_empty() {
        related_trips::lock_rfqs(tx, &related.rfqs_to_lock).await?;
    }
    if !related.rfqs_to_lock.iter().any(|rfq| related.held_rfqs.contains(rfq)) {
        return Ok((related, locked));
    }
    // While the locks were waited for, a session's RFQ may have been named under another trip.
    let related = related_trips::find(tx, ids, named_rfqs, rematched).await?;
    match related.trips.iter().all(|trip| locked.key_of.contains_key(trip)) {
        true => Ok((related, locked)),
        false => Err(JobError::Contention(
            "an RFQ was named under another trip meanwhile".to_owned(),
        )),
    }
}
