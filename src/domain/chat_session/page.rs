//! Which sessions are asked for, and from where on.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::status::SessionStatus;
use crate::domain::ids::TripId;

/// What sessions must match; all of it. Nothing given: every session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionFilter {
    /// Of this conversation.
    pub conversation_id: Option<Uuid>,
    /// Of this trip request.
    pub request_id: Option<Uuid>,
    /// Of this broker.
    pub iso_agent_id: Option<Uuid>,
    /// Of this Avinode trip, by either of its ids, however the session spells it.
    pub trip_id: Option<TripId>,
    /// With this Avinode RFP.
    pub rfp_id: Option<String>,
    /// With this Avinode RFQ, in any spelling.
    pub rfq_id: Option<String>,
    /// With this status.
    pub status: Option<SessionStatus>,
    /// With a primary quote, or without one.
    pub has_primary_quote: Option<bool>,
    /// At this step.
    pub current_step: Option<String>,
}

/// A place in a list of sessions, which is ordered by last activity, newest first, and then by id.
///
/// A session whose activity moves while a list is read moves in the list as well: it may then be seen twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCursor {
    /// `last_activity_at` in microseconds since 2000, as Postgres keeps it; its infinities are the outermost values.
    pub last_activity: i64,
    /// `chat_sessions.id`.
    pub id: Uuid,
}

/// How much of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<P> {
    /// What comes after this place.
    pub after: Option<P>,
    /// At most this many, 1 to [`MAX_LIMIT`].
    pub limit: u16,
}

/// The longest page.
pub const MAX_LIMIT: u16 = 200;
/// The page where nobody said how long.
pub const DEFAULT_LIMIT: u16 = 50;

impl<P> Default for PageRequest<P> {
    fn default() -> Self {
        Self {
            after: None,
            limit: DEFAULT_LIMIT,
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, P> {
    /// What was found, in order.
    pub data: Vec<T>,
    /// Where the rest begins, if there is more.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// Of one more than was asked for, a page and the place after it.
    pub fn cut(mut data: Vec<T>, limit: u16, place: impl Fn(&T) -> P) -> Self {
        let more = data.len() > usize::from(limit);
        data.truncate(usize::from(limit));
        let next = data.last().filter(|_| more).map(place);
        Self { data, next }
    }
}
