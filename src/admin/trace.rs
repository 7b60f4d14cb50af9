//! The trace of an id: what became of a quote, a trip, an RFQ, a message, a delivery or a session.

mod cause;
mod entry;
mod fetches;
mod job_text;
mod quote_cause;
mod story;
mod subject_text;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::cause::TraceCause;
pub use self::entry::StoryEntry;
use crate::avinode::mentioned_ids::mentions;
use crate::avinode::resource::Resource;
use crate::domain::ids::TripId;
use crate::postgres::transaction::Pool;
use crate::store::admin::trace::{self, TraceMaterial, TraceTarget, find};

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

/// Returns `None` for the id of nothing that is stored, if it is no id of Avinode by its form.
pub async fn read(pool: &Pool, id: &str) -> Result<Option<Trace>, sqlx::Error> {
    let Some(target) = find::target(pool, id).await? else {
        return Ok(None);
    };
    let material = trace::read(pool, target, mentions).await?;
    if is_empty(&material) && !is_avinode_id(&material.target) {
        return Ok(None);
    }
    Ok(Some(Trace {
        causes: cause::causes(&material),
        story: story::story(&material),
        target: material.target,
        trips: material.trips,
    }))
}

fn is_empty(material: &TraceMaterial) -> bool {
    material.deliveries.is_empty()
        && material.jobs.is_empty()
        && material.documents.is_empty()
        && material.quotes.is_empty()
        && material.sessions.is_empty()
}

/// Returns whether a target has an id of Avinode by its form. Any text may be a trip's in some spelling; a word without a digit is
/// none.
fn is_avinode_id(target: &TraceTarget) -> bool {
    match target {
        TraceTarget::Trip(id) => {
            let known = TripId::parse(id).is_ok_and(|trip| Resource::by_text(trip.as_str()).is_some());
            known && id.bytes().any(|byte| byte.is_ascii_digit())
        }
        TraceTarget::Delivery(_)
        | TraceTarget::Session(_)
        | TraceTarget::Quote(_)
        | TraceTarget::Rfq(_)
        | TraceTarget::Message(_) => true,
    }
}
