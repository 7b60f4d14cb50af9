//! Times with their ages.

use chrono::{DateTime, Utc};

use super::table::moment;
use crate::clock::Clock;
use crate::domain::age;

/// `3 min ago`, `in 2 h`.
pub fn age(at: DateTime<Utc>) -> String {
    age::age(at, Clock::System.now())
}

/// The time and its age.
pub fn moment_and_age(at: DateTime<Utc>) -> String {
    format!("{} ({})", moment(at), age(at))
}
