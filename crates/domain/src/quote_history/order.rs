//! The order of the statements about one quote. Two clocks are involved: Avinode's, by which messages are written and events
//! happen, and ours, by which documents are fetched and deliveries received.
//!
//! Statements with a time of the sender's own are ordered by it. A message may show its quote as it was written or as it is
//! now; ordered by the time at which they were written, messages are right in both cases. Other documents show the current
//! state and are ordered by their GET, unless they state different creation times of the quote.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use super::observation::Observation;
use crate::event::FactSource;

/// Sorts observations, the newest first. Depends only on which they are.
pub(super) fn newest_first(observations: &mut Vec<Observation>) {
    let (mut dated, states): (Vec<_>, Vec<_>) = observations.drain(..).partition(|it| it.at.is_some());
    let (mut with_creation, mut others): (Vec<_>, Vec<_>) =
        states.into_iter().partition(|it| it.details.created_at.is_some());
    dated.sort_by_key(|it| Reverse((it.at, it.source, it.seen_at(), it.digest)));
    with_creation.sort_by_key(|it| Reverse((it.details.created_at, as_of(it), it.source, it.digest)));
    others.sort_by_key(|it| Reverse((as_of(it), it.source, it.digest)));
    // Merged by their newest ones. Compared in pairs they may form a circle, so no sort would do.
    let mut sorted = [dated, with_creation, others].map(|list| list.into_iter().peekable());
    loop {
        let mut newest: Option<(usize, &Observation)> = None;
        for (index, list) in sorted.iter_mut().enumerate() {
            if let Some(head) = list.peek()
                && newest.is_none_or(|(_, known)| is_newer(head, known))
            {
                newest = Some((index, head));
            }
        }
        let Some((index, _)) = newest else { break };
        observations.extend(sorted[index].next());
    }
}

fn is_newer(one: &Observation, other: &Observation) -> bool {
    match (one.details.created_at, other.details.created_at) {
        (Some(one), Some(other)) if one != other => one > other,
        _ => (as_of(one), one.source, one.digest) > (as_of(other), other.source, other.digest),
    }
}

/// The time at which the statement is known to have been true: an event's own time, else when it was received; the last GET of
/// a document.
fn as_of(observation: &Observation) -> DateTime<Utc> {
    match observation.source {
        FactSource::Event => observation.first_moment(),
        FactSource::Document => observation.last_seen_at,
    }
}
