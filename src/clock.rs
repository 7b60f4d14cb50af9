//! The one place that reads the system clock, so that everywhere else time is a parameter and a test can move it.

use chrono::{DateTime, Utc};

/// Tells the time: the system's, or one that a test holds still.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Always the same moment.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The current moment.
    #[expect(clippy::disallowed_methods, reason = "this is where the system clock is read")]
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(moment) => moment,
        }
    }
}
