//! The state of a connection, from its reads and its requests: reading a head, handling a request, or idle. It decides when the
//! connection has waited too long, and whether another request may follow.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::{Instant, sleep_until};

use super::head_scan::HeadScan;
use super::limits::ServerLimits;

#[derive(Debug)]
pub struct ConnectionState(Mutex<StateInner>);

#[derive(Debug)]
struct StateInner {
    phase: Phase,
    scan: HeadScan,
}

/// The activity of a connection.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// A head is awaited or being read since this time: the first one from the beginning, a later one from its first byte.
    Head(Instant),
    /// A request is being handled.
    Request,
    /// A response is sent that has no end of its own.
    Stream,
    /// Nothing was received since the last response.
    Idle(Instant),
}

/// The reason why a connection has waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitedTooLong {
    Idle,
    Head,
}

impl ConnectionState {
    pub fn new() -> Self {
        Self(Mutex::new(StateInner {
            phase: Phase::Head(Instant::now()),
            scan: HeadScan::default(),
        }))
    }

    /// Notes bytes that arrived, and makes an invalid head one that the parser refuses.
    pub fn received(&self, bytes: &mut [u8]) {
        let mut inner = self.lock();
        if matches!(inner.phase, Phase::Idle(_)) {
            inner.phase = Phase::Head(Instant::now());
        }
        inner.scan.scan(bytes);
    }

    pub fn request_began(&self) {
        self.lock().phase = Phase::Request;
    }

    /// Notes that a request with a body of this length is answered; `None` if the length is unknown. Returns whether another
    /// request may follow.
    pub fn request_ended(&self, body: Option<u64>) -> bool {
        let mut inner = self.lock();
        let scan = std::mem::take(&mut inner.scan);
        inner.phase = Phase::Idle(Instant::now());
        body.is_some_and(|body| scan.is_followed_by(body))
    }

    /// Notes that the response to the request has no end of its own.
    pub fn stream_began(&self) {
        self.lock().phase = Phase::Stream;
    }

    pub fn is_streaming(&self) -> bool {
        matches!(self.lock().phase, Phase::Stream)
    }

    /// Returns since when no request is being handled.
    pub fn waiting_since(&self) -> Option<Instant> {
        match self.lock().phase {
            Phase::Head(since) | Phase::Idle(since) => Some(since),
            Phase::Request | Phase::Stream => None,
        }
    }

    /// Returns when the connection has waited too long. A change of the phase wakes no task, because that would cost every request
    /// a timer: the phase is looked at four times in the time for a head.
    pub async fn waited_too_long(&self, limits: &ServerLimits) -> WaitedTooLong {
        loop {
            let now = Instant::now();
            let (deadline, reason) = match self.lock().phase {
                Phase::Head(since) => (since + limits.header_time, WaitedTooLong::Head),
                Phase::Idle(since) => (since + limits.idle_time, WaitedTooLong::Idle),
                Phase::Request | Phase::Stream => (now + limits.header_time, WaitedTooLong::Head),
            };
            if deadline <= now {
                return reason;
            }
            sleep_until(deadline.min(now + limits.header_time / 4)).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, StateInner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ConnectionState {
    fn default() -> Self {
        Self::new()
    }
}
