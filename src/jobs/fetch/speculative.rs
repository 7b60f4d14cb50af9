//! Requests the trips of which only sessions have an id. An agent may have invented it, so these fetches are
//! bounded in number, for each agent and in all, and take only calls that nothing else needs.

use std::collections::HashSet;
use std::time::Duration;

use rand::RngExt;
use uuid::Uuid;

use super::status;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::ids::ResourceId;
use crate::jobs::kinds;
use crate::postgres::transaction::Pool;
use crate::queue::bounded::{self, Bounds};
use crate::queue::enqueue::{self, InsertOptions, NewJob, UniqueOptions};
use crate::queue::job_kind::JobKind;
use crate::queue::rate_limit::status::LimiterStatus;
use crate::store::trip_lookup::{self, HalfKnownTrip};

/// The jobs that wait at the same time.
pub const BOUNDS: Bounds = Bounds {
    per_batch_key: 50,
    in_all: 500,
};
/// Usually a notification of the trip comes before any operator answers, and supplies the other id.
const WAIT_FOR_NOTIFICATION: Duration = Duration::from_secs(120);
/// A session without room for its trip is looked at again after ten to fifteen minutes.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(600);

/// Inserts fetches of the trips of these sessions of which only one id is known: the trip itself shows both, and a session may
/// have the one while notifications name the other.
pub async fn request_other_ids(pool: &Pool, sessions: &[Uuid]) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let trips = trip_lookup::half_known_trips(&mut tx, sessions).await?;
    tx.commit().await?;
    let requested: Vec<(&HalfKnownTrip, NewJob)> = trips.iter().filter_map(|trip| Some((trip, fetch(trip)?))).collect();
    if requested.is_empty() || status::read(pool).await? == LimiterStatus::Unserved {
        return Ok(());
    }
    let jobs: Vec<NewJob> = requested.iter().map(|(_, job)| job.clone()).collect();
    let mut tx = pool.begin().await?;
    let kind = JobKind::FetchSpeculative;
    let inserted = bounded::insert(&mut tx, kind, &jobs, &JobKind::FETCHING, BOUNDS).await?;
    let left_out: HashSet<&str> = inserted.left_out.iter().map(String::as_str).collect();
    let without_room = |job: &NewJob| job.key.as_deref().is_some_and(|key| left_out.contains(key));
    let waiting = requested.iter().filter(|(_, job)| without_room(job));
    let later: Vec<NewJob> = waiting
        .map(|(trip, _)| NewJob {
            // Apart from the rematches that something else calls for: those neither wait for this one nor replace it.
            batch_key: Some(kind.as_str().to_owned()),
            ..kinds::rematch(trip.session).due_in(WAIT_FOR_ROOM.mul_f64(rand::rng().random_range(1.0..1.5)))
        })
        .collect();
    enqueue::insert(&mut tx, &later, InsertOptions::unique(UniqueOptions::default())).await?;
    tx.commit().await
}

/// Nothing urgent follows from a trip's document; from a message's it would.
fn fetch(trip: &HalfKnownTrip) -> Option<NewJob> {
    let resource = Resource::by_id(&ResourceId::parse(&trip.id).ok()?)?;
    if resource.kind != ResourceKind::Trips {
        return None;
    }
    Some(NewJob {
        batch_key: Some(trip.agent.to_string()),
        ..kinds::fetch(JobKind::FetchSpeculative, &resource).due_in(WAIT_FOR_NOTIFICATION)
    })
}
