//! Whose a document is: the trip that it shows, or that its notification named, or under which facts know its RFQ or quote.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::request::FetchRequest;
use super::{FetchHandler, follow_up};
use crate::avinode::documents::ParsedDocument;
use crate::avinode::resource::Resource;
use crate::domain::ids::{QuoteId, RfqId, TripId};
use crate::domain::job_kind::JobKind;
use crate::jobs::kinds;
use crate::queue::enqueue::{self, InsertOptions};
use crate::queue::job::JobError;
use crate::store::{documents as stored, trip_lookup};

/// How long a document that names no trip waits for facts once its RFQ has been read, which may have been too early.
const NAMELESS: Duration = Duration::from_secs(600);
/// Where its RFQ could not be read for so long, it never will be. A little longer than an RFQ that is not there is asked for.
const NO_RFQ: Duration = Duration::from_secs(40 * 60);

impl FetchHandler {
    /// The trip that a document is about: `Ok(None)` where it states nothing, the inner error where it cannot be told yet.
    /// `read_at`: when the document was asked for, by the database's clock.
    pub(super) async fn whose(
        &self,
        asked: &FetchRequest,
        resource: &Resource,
        reading: &ParsedDocument,
        read_at: DateTime<Utc>,
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
        let found = trip_lookup::trips(&mut tx, request.map(RfqId::as_str), quote.map(QuoteId::as_str)).await?;
        if let [trip] = &found[..]
            && let Ok(trip) = TripId::parse(trip)
        {
            return Ok(Ok(Some(trip)));
        }
        let why = match found.len() {
            0 => "names no trip, and no fact tells whose it is",
            _ => "names no trip, and facts tell of several whose it may be",
        };
        let gone = JobError::fail(format!("{resource} {why}"));
        let Some(missing) = follow_up::names_the_trip(resource, reading) else {
            return Ok(Err(gone));
        };
        // Those who wait for one RFQ share its fetch; once it has been read, facts tell whose this is. However long it takes until
        // anything can be fetched: what is counted is the time since each of them was.
        let (key, now) = (missing.id.as_str(), asked.asked_at);
        let since = |moment: DateTime<Utc>| (now - moment).to_std().unwrap_or_default();
        if enqueue::keys_with_jobs(&mut tx, &JobKind::FETCHING, &[key.to_owned()])
            .await?
            .is_empty()
        {
            let newest = stored::newest(&mut tx, key).await?.map(|newest| newest.asked_at);
            match newest.filter(|newest| *newest >= read_at) {
                Some(newest) if since(newest) >= NAMELESS => return Ok(Err(gone)),
                Some(_) => {}
                None if since(read_at) >= NO_RFQ => return Ok(Err(gone)),
                None => {
                    let job = kinds::follow_up(&missing, Duration::ZERO);
                    enqueue::insert(&mut tx, &[job], InsertOptions::default()).await?;
                }
            }
        }
        tx.commit().await?;
        let wait = (since(asked.newest().max(read_at)) / 2).clamp(Duration::from_millis(500), Duration::from_secs(60));
        Ok(Err(JobError::wait(
            format!("{resource} names no trip; {missing} is read first"),
            wait,
        )))
    }
}
