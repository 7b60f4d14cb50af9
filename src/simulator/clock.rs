//! The simulator's own time: seconds since the scenario began, which pass faster than the wall's.

use std::time::Duration;

use tokio::time::Instant;

/// The longest that is waited on the wall: for ever, and sums cannot overflow.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// Scenario time against wall time.
#[derive(Debug, Clone, Copy)]
pub struct ScaledClock {
    began: Instant,
    speed: f64,
}

impl ScaledClock {
    /// Begins now. `speed`, above 0, is how many seconds of the scenario pass in one of the wall's.
    pub fn start(speed: f64) -> Self {
        Self {
            began: Instant::now(),
            speed,
        }
    }

    /// The wall's instant of this second of the scenario.
    pub fn instant(&self, second: u64) -> Instant {
        self.began + self.wall(Duration::from_secs(second))
    }

    /// How long this time of the scenario takes on the wall.
    pub fn wall(&self, time: Duration) -> Duration {
        let wall = Duration::try_from_secs_f64(time.as_secs_f64() / self.speed);
        wall.unwrap_or(FOR_EVER).min(FOR_EVER)
    }

    /// How much of the scenario's time has passed since the wall's instant.
    pub fn passed(&self, since: Instant) -> Duration {
        let passed = Duration::try_from_secs_f64(since.elapsed().as_secs_f64() * self.speed);
        passed.unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests;
