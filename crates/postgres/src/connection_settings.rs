//! How the connections of a pool are made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::hosts::DatabaseHosts;
use super::session_defaults::SessionSetup;

#[derive(Debug, Clone)]
pub(super) struct ConnectionSettings {
    pub(super) hosts: DatabaseHosts,
    pub(super) setup: SessionSetup,
    pub(super) max: u32,
    /// Bounds the wait for a connection, new or returned.
    pub(super) acquire_timeout: Duration,
    pub(super) on_acquire: AcquireHook,
}

/// Called whenever a connection is acquired.
#[derive(Clone, Default)]
pub(super) struct AcquireHook(pub(super) Option<Arc<dyn Fn() + Send + Sync>>);

impl fmt::Debug for AcquireHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcquireHook")
    }
}
