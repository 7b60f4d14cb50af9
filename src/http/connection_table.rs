//! The open connections of a server: a number for each peer, and the connection to close when all slots are taken.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::client_address::{TrustedProxies, client_key};
use super::connection_state::ConnectionState;
use super::limits::ServerLimits;

#[derive(Debug, Clone)]
pub struct ConnectionTable(Arc<TableInner>);

#[derive(Debug)]
struct TableInner {
    open: Mutex<OpenConnections>,
    max_per_peer: usize,
    proxies: TrustedProxies,
    /// A connection waits for a slot, and no open one was idle.
    wanted: AtomicBool,
}

#[derive(Debug, Default)]
struct OpenConnections {
    by_number: HashMap<u64, OpenConnection>,
    /// Connections of each peer that is no trusted proxy.
    of_peer: HashMap<IpAddr, usize>,
    next: u64,
}

#[derive(Debug)]
struct OpenConnection {
    /// `None` for a trusted proxy, which has the connections of many clients.
    peer: Option<IpAddr>,
    state: Arc<ConnectionState>,
    closing: CancellationToken,
}

/// The place of a connection in the table, until it is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    table: ConnectionTable,
    number: u64,
    pub state: Arc<ConnectionState>,
    /// Cancelled when the connection must end as soon as it is idle.
    pub closing: CancellationToken,
}

impl ConnectionTable {
    pub fn new(limits: &ServerLimits) -> Self {
        Self(Arc::new(TableInner {
            open: Mutex::default(),
            max_per_peer: limits.connections_per_peer,
            proxies: limits.proxies.clone(),
            wanted: AtomicBool::new(false),
        }))
    }

    /// Adds a connection. `None` if its peer has too many of them and none is idle; else the longest idle one is closed for it.
    pub fn open(&self, peer: IpAddr) -> Option<ConnectionSlot> {
        let counted = (!self.0.proxies.trusts(peer)).then(|| client_key(peer));
        let mut open = self.lock();
        if let Some(peer) = counted {
            let count = open.of_peer.get(&peer).copied().unwrap_or(0);
            if count >= self.0.max_per_peer && !open.close_longest_idle(|other| other.peer == Some(peer)) {
                return None;
            }
            *open.of_peer.entry(peer).or_default() += 1;
        }
        let number = open.next;
        open.next += 1;
        let (state, closing) = (Arc::new(ConnectionState::new()), CancellationToken::new());
        let connection = OpenConnection {
            peer: counted,
            state: Arc::clone(&state),
            closing: closing.clone(),
        };
        open.by_number.insert(number, connection);
        Some(ConnectionSlot {
            table: self.clone(),
            number,
            state,
            closing,
        })
    }

    /// Closes the longest idle connection of the peer that has the most, because a new connection needs a slot. If none is idle,
    /// the next one that becomes idle is closed.
    pub fn free_slot(&self) {
        let mut open = self.lock();
        let idle = open.by_number.values().filter(|open| open.is_idle());
        let counts = idle.filter_map(|idle| open.of_peer.get(&idle.peer?).copied());
        let most = counts.max();
        let found = open.close_longest_idle_of_most(most);
        self.0.wanted.store(!found, Ordering::Release);
    }

    /// No connection waits for a slot any more.
    pub fn slot_found(&self) {
        self.0.wanted.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnections {
    /// Of the peers with this many connections; of trusted proxies if there is no other peer.
    fn close_longest_idle_of_most(&mut self, most: Option<usize>) -> bool {
        let of_peer = std::mem::take(&mut self.of_peer);
        let found = self.close_longest_idle(|open| match (most, open.peer) {
            (None, _) => true,
            (Some(most), Some(peer)) => of_peer.get(&peer) == Some(&most),
            (Some(_), None) => false,
        });
        self.of_peer = of_peer;
        found
    }

    /// Closes the longest idle one of these connections. Returns `false` if none is idle.
    fn close_longest_idle(&mut self, among: impl Fn(&OpenConnection) -> bool) -> bool {
        let idle = self
            .by_number
            .values()
            .filter(|open| among(open) && !open.closing.is_cancelled());
        let idle = idle.filter_map(|open| Some((open.state.waiting_since()?, open)));
        let longest = idle.min_by_key(|(since, _)| *since);
        longest.map(|(_, open)| open.closing.cancel()).is_some()
    }
}

impl OpenConnection {
    fn is_idle(&self) -> bool {
        !self.closing.is_cancelled() && self.state.waiting_since().is_some()
    }
}

impl ConnectionSlot {
    /// Notes the end of a request; `body` is the length of its body, if known. Returns whether the connection may stay open.
    pub fn request_ended(&self, body: Option<u64>) -> bool {
        let may_follow = self.state.request_ended(body);
        may_follow && !self.table.0.wanted.swap(false, Ordering::AcqRel)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.table.lock();
        let peer = open.by_number.remove(&self.number).and_then(|removed| removed.peer);
        let Some(peer) = peer else { return };
        if let Some(count) = open.of_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                open.of_peer.remove(&peer);
            }
        }
    }
}
