//! The trace of an id: what became of a quote, a trip, an RFQ, a delivery or a session.

mod cause;
mod job_text;
mod quote_cause;
mod story;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::cause::TraceCause;
pub use self::story::StoryEntry;
use crate::avinode::mentioned_ids::mentions;
use crate::postgres::transaction::Pool;
use crate::store::admin::trace::{self, TraceTarget, find};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    pub target: TraceTarget,
    /// All ids of its trips.
    pub trips: Vec<String>,
    /// In one line each: why a quote is shown, or why it is not.
    pub causes: Vec<TraceCause>,
    /// In order of time; last what holds now.
    pub story: Vec<StoryEntry>,
}

/// Returns `None` for the id of nothing that is stored.
pub async fn read(pool: &Pool, id: &str) -> Result<Option<Trace>, sqlx::Error> {
    let Some(target) = find::target(pool, id).await? else {
        return Ok(None);
    };
    let material = trace::read(pool, target, mentions).await?;
    Ok(Some(Trace {
        causes: cause::causes(&material),
        story: story::story(&material),
        target: material.target,
        trips: material.trips,
    }))
}
