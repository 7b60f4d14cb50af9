//! The memory that bodies may take together: a semaphore whose permits are bytes. Nobody waits for it, because those
//! who wait would be the growing queue that it is there to prevent; what does not fit is answered 503.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that may be held at once; clones share them.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Semaphore>);

/// Bytes taken from a budget, given back on drop.
#[derive(Debug)]
pub struct MemoryPermit {
    budget: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes bytes if they are there now.
    pub fn reserve(&self, bytes: usize) -> Option<MemoryPermit> {
        Some(MemoryPermit {
            budget: Arc::clone(&self.0),
            permit: take(&self.0, bytes)?,
        })
    }

    /// Bytes that nobody holds.
    pub fn free(&self) -> usize {
        self.0.available_permits()
    }
}

impl MemoryPermit {
    /// Takes more bytes if they are there now; otherwise nothing changes and the answer is `false`.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let Some(more) = take(&self.budget, bytes) else {
            return false;
        };
        self.permit.merge(more);
        true
    }
}

/// One refusal for "not free" and for "more than 4 GiB at once".
fn take(budget: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let bytes = u32::try_from(bytes).ok()?;
    Arc::clone(budget).try_acquire_many_owned(bytes).ok()
}

#[cfg(test)]
mod tests;
