//! The share of one client in the unfinished bodies: a client that sends slowly, without proof of who it is, must leave connections
//! and memory to others. A signature can be verified only when the body is complete, so there is no other way to tell.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client_address::client_key;

/// The unfinished bodies of each client; clones share them.
#[derive(Debug, Clone)]
pub struct PeerBodies(Arc<BodyTable>);

#[derive(Debug)]
struct BodyTable {
    max_bodies: usize,
    max_bytes: usize,
    held: Mutex<HashMap<IpAddr, HeldBodies>>,
}

#[derive(Debug, Default)]
struct HeldBodies {
    bodies: usize,
    bytes: usize,
}

/// A body that is being read; dropped when it is complete.
#[derive(Debug)]
pub struct UnfinishedBody {
    /// `None` for a body that is not counted.
    of: Option<(Arc<BodyTable>, IpAddr)>,
    bytes: usize,
}

impl PeerBodies {
    /// The limits are for each client.
    pub fn new(max_bodies: usize, max_bytes: usize) -> Self {
        Self(Arc::new(BodyTable {
            max_bodies,
            max_bytes,
            held: Mutex::default(),
        }))
    }

    /// Counts a body; `None` if the client has too many.
    pub fn begin(&self, client: IpAddr) -> Option<UnfinishedBody> {
        let key = client_key(client);
        let mut held = self.0.lock();
        let of_client = held.entry(key).or_default();
        if of_client.bodies >= self.0.max_bodies {
            return None;
        }
        of_client.bodies += 1;
        Some(UnfinishedBody {
            of: Some((Arc::clone(&self.0), key)),
            bytes: 0,
        })
    }
}

impl UnfinishedBody {
    /// Of a client that is known already.
    pub fn uncounted() -> Self {
        Self { of: None, bytes: 0 }
    }

    /// Counts bytes that have arrived; `false` if the client has too many.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let Some((table, key)) = &self.of else { return true };
        let mut held = table.lock();
        let of_client = held.entry(*key).or_default();
        if of_client.bytes + bytes > table.max_bytes {
            return false;
        }
        of_client.bytes += bytes;
        self.bytes += bytes;
        true
    }
}

impl Drop for UnfinishedBody {
    fn drop(&mut self) {
        let Some((table, key)) = &self.of else { return };
        let mut held = table.lock();
        if let Some(of_client) = held.get_mut(key) {
            of_client.bodies -= 1;
            of_client.bytes -= self.bytes;
            if of_client.bodies == 0 {
                held.remove(key);
            }
        }
    }
}

impl BodyTable {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, HeldBodies>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
