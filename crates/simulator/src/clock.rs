//! Scenario time: seconds since the scenario began, which pass faster than real time.

use std::time::Duration;

use tokio::time::Instant;

/// The longest real wait. It bounds sums, which could overflow otherwise.
const FOREVER: Duration = Duration::from_secs(1_000_000);

/// Converts between scenario time and real time.
#[derive(Debug, Clone, Copy)]
pub struct ScaledClock {
    began: Instant,
    speed: f64,
}

impl ScaledClock {
    /// Starts now. `speed`, above 0, is the number of scenario seconds per real second.
    pub fn start(speed: f64) -> Self {
        Self {
            began: Instant::now(),
            speed,
        }
    }

    /// Returns the real instant of a second of the scenario.
    pub fn instant(&self, second: u64) -> Instant {
        self.began + self.real(Duration::from_secs(second))
    }

    /// Converts scenario time to real time.
    pub fn real(&self, time: Duration) -> Duration {
        let real = Duration::try_from_secs_f64(time.as_secs_f64() / self.speed);
        real.unwrap_or(FOREVER).min(FOREVER)
    }

    /// Returns the scenario time that has passed since a real instant.
    pub fn elapsed(&self, since: Instant) -> Duration {
        let elapsed = Duration::try_from_secs_f64(since.elapsed().as_secs_f64() * self.speed);
        elapsed.unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests;
