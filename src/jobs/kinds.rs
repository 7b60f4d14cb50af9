//! Constructors of the jobs that other jobs insert.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::avinode::resource::Resource;
use crate::domain::ids::QuoteId;
use crate::queue::enqueue::NewJob;
use crate::queue::job_kind::JobKind;

pub fn rematch(session: Uuid) -> NewJob {
    NewJob::new(JobKind::Rematch, session.to_string())
}

/// A job due when a quote expires; `None` if that is in the past. A later fact that moves `validUntil` inserts another
/// job; this one then finds that nothing has expired.
pub fn quote_expiry(trip: &str, quote: &QuoteId, valid_until: DateTime<Utc>, now: DateTime<Utc>) -> Option<NewJob> {
    let due_in = (valid_until - now).to_std().ok().filter(|due_in| !due_in.is_zero())?;
    Some(missing_quote_expiry(trip, quote, valid_until).due_in(due_in))
}

/// As [`quote_expiry`], for a job that is missing: due now. Before its time it selects again what a clock ahead took for expired,
/// and inserts itself for its time.
pub fn missing_quote_expiry(trip: &str, quote: &QuoteId, valid_until: DateTime<Utc>) -> NewJob {
    let key = format!("{trip}\t{quote}\t{}", valid_until.timestamp_micros());
    NewJob::new(JobKind::QuoteExpiry, key)
}

/// Parses the key of a quote expiry: trip, quote and time, separated by tabs, which no id contains.
pub fn parse_quote_expiry(key: &str) -> Option<(String, QuoteId, DateTime<Utc>)> {
    let mut parts = key.split('\t');
    let (trip, quote, valid_until) = (parts.next()?, parts.next()?, parts.next()?);
    let valid_until = DateTime::from_timestamp_micros(valid_until.parse().ok()?)?;
    Some((trip.to_owned(), QuoteId::parse(quote).ok()?, valid_until))
}

/// A job that fetches a resource without a notification.
pub fn fetch(kind: JobKind, resource: &Resource) -> NewJob {
    NewJob::new(kind, resource.key())
}

pub fn follow_up(resource: &Resource, due_in: Duration) -> NewJob {
    fetch(JobKind::FetchFollowUp, resource).due_in(due_in)
}
