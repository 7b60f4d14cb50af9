//! The only reader of the system clock: everywhere else time is a parameter, which a test can set.

use chrono::{DateTime, Utc};

#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    #[default]
    System,
    /// Always the same moment, for tests.
    Fixed(DateTime<Utc>),
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is where the system clock is read")]
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(moment) => moment,
        }
    }

    /// The moment given, by another clock, unless a test fixed this one.
    #[must_use]
    pub fn unless_fixed(self, moment: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::System => moment,
            Self::Fixed(fixed) => fixed,
        }
    }
}
