//! Faults of the database and of the way to it: the service waits for nothing without a limit, says what is wrong, and goes on when
//! the fault is over.

mod clocks;
mod disk_full;
mod locked_tables;
mod messages;
mod read_only;
pub mod ready;
mod restarts;
mod silent_connections;
mod standby;
mod warnings;

/// Within this time of the end of a fault, or of the loss of its connections, the service goes on.
pub const RECOVERY: std::time::Duration = std::time::Duration::from_secs(10);
