//! Memory shared by all request bodies: a semaphore with one permit per byte. Requests do not wait for it, as waiting
//! requests would need memory as well; a body that does not fit is answered 503.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of bytes that may be held at the same time; clones share it.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Semaphore>);

/// Bytes reserved from a budget, released on drop.
#[derive(Debug)]
pub struct MemoryPermit(OwnedSemaphorePermit);

impl MemoryBudget {
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Reserves bytes, if they are free now.
    pub fn reserve(&self, bytes: usize) -> Option<MemoryPermit> {
        acquire(&self.0, bytes).map(MemoryPermit)
    }

    /// Returns the number of free bytes.
    pub fn free(&self) -> usize {
        self.0.available_permits()
    }
}

impl MemoryPermit {
    /// Reserves more bytes, if they are free now. On `false` the permit is unchanged.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let more = acquire(self.0.semaphore(), bytes);
        more.map(|more| self.0.merge(more)).is_some()
    }
}

/// `None` if the bytes are not free, or more than the 4 GiB that one permit can hold.
fn acquire(budget: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let bytes = u32::try_from(bytes).ok()?;
    Arc::clone(budget).try_acquire_many_owned(bytes).ok()
}

#[cfg(test)]
mod tests;
