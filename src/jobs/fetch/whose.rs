//! Whose a document is: the trip that it shows, or that its notification named, or under which facts know its RFQ or quote.

use std::time::Duration;

use super::asked::Asked;
use super::{FetchJob, KINDS, next};
use crate::avinode::documents::Reading;
use crate::avinode::resource::Resource;
use crate::domain::id::{QuoteId, RequestId, TripId};
use crate::queue::enqueue;
use crate::queue::job::JobError;
use crate::store::{documents as stored, whose};

/// How long a document that names no trip waits for the RFQ that does.
const NAMELESS: Duration = Duration::from_secs(600);

impl FetchJob {
    /// The trip that a document is about: `Ok(None)` where it states nothing, the inner error where it cannot be told yet.
    pub(super) async fn whose(
        &self,
        asked: &Asked,
        resource: &Resource,
        reading: &Reading,
    ) -> Result<Result<Option<TripId>, JobError>, JobError> {
        let named = reading.trips.first().or(asked.trip.as_ref());
        if let Some(trip) = named {
            return Ok(Ok(Some(trip.clone())));
        }
        if reading.statements.is_empty() {
            return Ok(Ok(None));
        }
        let (request, quote) = (reading.request.as_ref(), reading.quote.as_ref());
        let mut tx = self.applier.pool.begin().await?;
        let found = whose::trips(&mut tx, request.map(RequestId::as_str), quote.map(QuoteId::as_str)).await?;
        if let [trip] = &found[..]
            && let Ok(trip) = TripId::parse(trip)
        {
            return Ok(Ok(Some(trip)));
        }
        let age = asked.age(self.applier.clock.now());
        let missing = next::names_the_trip(resource, reading);
        let Some(missing) = missing.filter(|_| age < NAMELESS) else {
            let why = match found.len() {
                0 => "names no trip, and no fact tells whose it is",
                _ => "names no trip, and facts tell of several whose it may be",
            };
            return Ok(Err(JobError::fail(format!("{resource} {why}"))));
        };
        // Those who wait for one RFQ share its fetch; once it has been read, facts tell whose this is.
        let newest = stored::newest(&mut tx, missing.id.as_str()).await?;
        if newest.is_none_or(|newest| newest.asked_at < asked.oldest()) {
            enqueue::enqueue_unless_live(&mut tx, &KINDS, &next::follow(&missing, None)).await?;
        }
        tx.commit().await?;
        let wait = (age / 2).clamp(Duration::from_millis(500), Duration::from_secs(60));
        Ok(Err(JobError::wait(
            format!("{resource} names no trip; {missing} is read first"),
            wait,
        )))
    }
}
