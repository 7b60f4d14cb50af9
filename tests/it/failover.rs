//! Several hosts in `DATABASE_URL`: the service connects to the one that accepts writes, and follows it to another.

mod drill;
mod hosts;
mod pair;
mod promotion;

use std::time::Duration;

/// From the promotion of a standby until a new delivery is acknowledged and applied.
pub const RECOVERY: Duration = Duration::from_secs(15);
