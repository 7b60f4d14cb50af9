//! Filters, pages and cursors of lists.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::status::SessionStatus;
use crate::ids::TripId;

/// Conditions that a session must all match; without any, every session matches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionFilter {
    pub conversation_id: Option<Uuid>,
    pub request_id: Option<Uuid>,
    pub iso_agent_id: Option<Uuid>,
    /// Either id of the trip, however the session spells it; a session without a trip id has that of its request.
    pub trip_id: Option<TripId>,
    pub rfp_id: Option<String>,
    /// In any spelling, and also where the session holds it as the id of its RFP.
    pub rfq_id: Option<String>,
    pub status: Option<SessionStatus>,
    pub has_primary_quote: Option<bool>,
    pub current_step: Option<String>,
}

/// A position in a list of sessions, which is ordered by last activity, newest first, and then by id.
///
/// A session with new activity moves while a list is read, so it may appear twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCursor {
    /// `last_activity_at` in microseconds since 2000, as Postgres stores it; the infinities are the extreme values.
    pub last_activity: i64,
    pub id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<P> {
    /// The page begins after this position.
    pub after: Option<P>,
    /// 1 to [`MAX_LIMIT`].
    pub limit: u16,
}

pub const MAX_LIMIT: u16 = 200;
pub const DEFAULT_LIMIT: u16 = 50;

impl<P> Default for PageRequest<P> {
    fn default() -> Self {
        Self {
            after: None,
            limit: DEFAULT_LIMIT,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, P> {
    pub data: Vec<T>,
    /// The position at which the next page begins; `None` on the last page.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// A page from `limit + 1` rows: the last row only shows that there are more.
    pub fn from_rows(mut data: Vec<T>, limit: impl Into<i64>, position: impl Fn(&T) -> P) -> Self {
        let limit = usize::try_from(limit.into()).unwrap_or(0);
        let has_more = data.len() > limit;
        data.truncate(limit);
        let next = data.last().filter(|_| has_more).map(position);
        Self { data, next }
    }
}
