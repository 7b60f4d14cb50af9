//! The other id of a trip: a session may hold the resource id of a trip of which everybody else tells by its short id. The trip
//! itself shows both, so it is asked for once, where anybody fetches.

use std::time::Duration;

use uuid::Uuid;

use super::LIMITER;
use crate::avinode::resource::Resource;
use crate::avinode::resource_id::ResourceId;
use crate::domain::job_kind::JobKind;
use crate::jobs::kinds;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions, NewJob, UniqueOptions};
use crate::queue::standing::{Standing, standing};
use crate::store::trip_lookup;

/// Most often somebody tells of the trip before any seller answers: then nothing is to be fetched any more.
const UNTIL_TOLD: Duration = Duration::from_secs(120);

/// Has the trips of these sessions fetched of which one id alone is known.
pub async fn ask(pool: &Pool, sessions: &[Uuid]) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let trips = trip_lookup::half_known_trips(&mut tx, sessions).await?;
    tx.commit().await?;
    if trips.is_empty() || standing(pool, LIMITER).await? == Standing::Unserved {
        return Ok(());
    }
    let mut tx = pool.begin().await?;
    let resources = trips
        .iter()
        .filter_map(|id| Resource::by_id(&ResourceId::parse(id).ok()?));
    let jobs: Vec<NewJob> = resources.map(|trip| kinds::follow_up(&trip, UNTIL_TOLD)).collect();
    let unique = UniqueOptions {
        kinds: &JobKind::FETCHING,
        ..UniqueOptions::default()
    };
    enqueue::insert(&mut tx, &jobs, InsertOptions::unique(unique)).await?;
    tx.commit().await
}
