//! The state of the hosts of a URL, shared by all pools: they all connect to one host.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// A host of several that could not be reached to end server processes there is left alone for this long.
const UNREACHABLE: Duration = Duration::from_secs(5);
const NONE: usize = usize::MAX;

/// Hosts are numbered in the order of the URL.
pub(super) struct KnownHosts {
    /// The one to try first.
    first: AtomicUsize,
    /// The one that was connected to last.
    connected: AtomicUsize,
    /// Grows when connections leave a host: those of an older generation are closed.
    generations: Box<[AtomicU64]>,
    /// One connection that ends server processes at a time, and the time of its last failure.
    controls: Box<[Mutex<Option<Instant>>]>,
}

impl KnownHosts {
    pub(super) fn new(count: usize) -> Self {
        Self {
            first: AtomicUsize::new(0),
            connected: AtomicUsize::new(NONE),
            generations: (0..count).map(|_| AtomicU64::new(0)).collect(),
            controls: (0..count).map(|_| Mutex::new(None)).collect(),
        }
    }

    fn count(&self) -> usize {
        self.generations.len()
    }

    /// Returns the order in which hosts are tried.
    pub(super) fn order(&self) -> Vec<usize> {
        let first = self.first.load(Ordering::Acquire);
        let others = (0..self.count()).filter(|host| *host != first);
        std::iter::once(first).chain(others).collect()
    }

    pub(super) fn connected(&self) -> Option<usize> {
        let connected = self.connected.load(Ordering::Acquire);
        (connected != NONE).then_some(connected)
    }

    pub(super) fn generation(&self, host: usize) -> u64 {
        self.generations[host].load(Ordering::Acquire)
    }

    /// Returns a number that grows when connections leave a host.
    pub(super) fn moves(&self) -> u64 {
        self.generations
            .iter()
            .map(|generation| generation.load(Ordering::Acquire))
            .sum()
    }

    /// A connection to this host was made, by an order that began with `first`. Connections to the host before are closed, in all pools:
    /// a primary that was replaced may accept connections and even writes. Returns whether the host is another one than before; `None`
    /// where another connection changed the order meanwhile, and not to this host.
    pub(super) fn use_host(&self, host: usize, first: usize) -> Option<bool> {
        let exchanged = self
            .first
            .compare_exchange(first, host, Ordering::AcqRel, Ordering::Acquire);
        if exchanged.is_err_and(|now| now != host) {
            return None;
        }
        let before = self.connected.swap(host, Ordering::AcqRel);
        if before != host
            && let Some(generation) = self.generations.get(before)
        {
            generation.fetch_add(1, Ordering::AcqRel);
        }
        Some(before != host)
    }

    /// Idle connections to this host are closed, and another host is tried first.
    pub(super) fn leave(&self, host: usize) {
        self.generations[host].fetch_add(1, Ordering::AcqRel);
        self.avoid(host);
    }

    /// The host did not answer: another one is tried first. A primary that was replaced without its knowledge accepts connections, and
    /// its commits wait for its standby.
    pub(super) fn avoid(&self, host: usize) {
        let next = (host + 1) % self.count();
        let _ = self
            .first
            .compare_exchange(host, next, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Waits for the right to end server processes of this host; `None` where it could not be reached a moment ago.
    pub(super) async fn control(&self, host: usize) -> Option<MutexGuard<'_, Option<Instant>>> {
        let control = self.controls[host].lock().await;
        let unreachable = control.is_some_and(|failed_at| failed_at.elapsed() < UNREACHABLE);
        (self.count() == 1 || !unreachable).then_some(control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_a_host_together_and_a_late_one_does_not_lead_back() {
        let known = KnownHosts::new(3);
        assert_eq!((known.connected(), known.order()), (None, vec![0, 1, 2]));
        assert_eq!(known.use_host(1, 0), Some(true));
        assert_eq!(known.use_host(1, 0), Some(false), "made at the same time");
        assert_eq!((known.connected(), known.order()), (Some(1), vec![1, 0, 2]));

        known.avoid(1);
        known.avoid(1);
        assert_eq!(known.order(), [2, 0, 1]);
        assert_eq!(
            (known.generation(1), known.connected()),
            (0, Some(1)),
            "it may come back"
        );
        assert_eq!(known.use_host(1, 2), Some(false));
        assert_eq!(known.generation(1), 0);

        known.avoid(1);
        assert_eq!(known.use_host(2, 2), Some(true));
        assert_eq!(known.generation(1), 1, "idle connections to the host before are closed");
        assert_eq!(known.use_host(1, 1), None, "it began before the host was left");
        assert_eq!((known.connected(), known.order()), (Some(2), vec![2, 0, 1]));

        known.leave(2);
        assert_eq!((known.generation(2), known.order()), (1, vec![0, 1, 2]));
        assert_eq!(known.moves(), 2);
    }
}
