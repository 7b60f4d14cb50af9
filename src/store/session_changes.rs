//! Signals that a change of sessions sends to other tasks of this process.

use std::sync::Arc;

use tokio::sync::Notify;

/// Signals of changes; clones share them.
#[derive(Debug, Clone, Default)]
pub struct SessionChanges {
    /// Notified after a change of sessions or their timelines was committed.
    pub committed: Arc<Notify>,
    /// A job that sends a webhook is queued with each change.
    pub sends_webhooks: bool,
    /// Notified after such a job was committed.
    pub queued: Arc<Notify>,
}

impl SessionChanges {
    /// Wakes who waits for a change.
    pub fn wake(&self) {
        self.committed.notify_one();
        if self.sends_webhooks {
            self.queued.notify_one();
        }
    }
}
