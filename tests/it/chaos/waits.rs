//! The times of requests that are repeated until they succeed: from the first refusal to the success, from the first attempt to the
//! success, and between two successes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// The requests of all senders.
#[derive(Debug, Default)]
pub struct Waits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    begun: u64,
    open: BTreeMap<u64, OpenRequest>,
    succeeded: u64,
    last_success: Option<Instant>,
    longest: Longest,
    refusals: u64,
    last_refusal: Option<String>,
}

/// A request that has not succeeded yet.
#[derive(Debug)]
struct OpenRequest {
    began: Instant,
    /// The beginning of its first attempt that failed.
    refused_since: Option<Instant>,
    attempt: Instant,
}

/// The longest times so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Longest {
    /// From the first attempt of a request that was refused until it succeeded, or until now.
    pub refused: Duration,
    /// From the first attempt of a request until it succeeded, or until now.
    pub wait: Duration,
    /// Between two successes, or from the last one until now.
    pub gap: Duration,
}

impl Waits {
    /// A request begins: returns its number.
    pub fn begin(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        state.begun += 1;
        let (number, now) = (state.begun, Instant::now());
        let request = OpenRequest {
            began: now,
            refused_since: None,
            attempt: now,
        };
        state.open.insert(number, request);
        number
    }

    /// An attempt of a request failed with this answer, and will be repeated.
    pub fn refuse(&self, number: u64, answer: String) {
        let mut state = self.0.lock().unwrap();
        state.refusals += 1;
        state.last_refusal = Some(answer);
        let request = state.open.get_mut(&number).unwrap();
        let attempt = std::mem::replace(&mut request.attempt, Instant::now());
        request.refused_since.get_or_insert(attempt);
    }

    /// The request succeeded.
    pub fn end(&self, number: u64) {
        let mut state = self.0.lock().unwrap();
        state.longest = state.longest();
        state.open.remove(&number);
        state.succeeded += 1;
        state.last_success = Some(Instant::now());
    }

    pub fn longest(&self) -> Longest {
        self.0.lock().unwrap().longest()
    }

    pub fn succeeded(&self) -> u64 {
        self.0.lock().unwrap().succeeded
    }

    /// The number of attempts that failed, and the answer of the last one.
    pub fn refusals(&self) -> (u64, Option<String>) {
        let state = self.0.lock().unwrap();
        (state.refusals, state.last_refusal.clone())
    }
}

impl State {
    fn longest(&self) -> Longest {
        let longest = |times: &mut dyn Iterator<Item = Instant>| {
            let times = times.map(|time| time.elapsed());
            times.max().unwrap_or_default()
        };
        let refused = longest(&mut self.open.values().filter_map(|request| request.refused_since));
        Longest {
            refused: self.longest.refused.max(refused),
            wait: self
                .longest
                .wait
                .max(longest(&mut self.open.values().map(|request| request.began))),
            gap: self.longest.gap.max(longest(&mut self.last_success.into_iter())),
        }
    }
}
