//! Shared by the integration tests: a database per test on one cluster, the real service in this process, and real signed
//! bodies.

use std::time::Duration;

pub mod actions;
pub mod activity;
pub mod alert_receiver;
pub mod bodies;
pub mod check_command;
pub mod cluster;
pub mod deliveries;
pub mod documents;
pub mod eventually;
pub mod fake_avinode;
pub mod folder;
pub mod generators;
pub mod mail_server;
pub mod old_schema;
pub mod partitions;
pub mod plan;
pub mod pool;
pub mod pooler;
pub mod postgrest;
pub mod program;
pub mod proxy;
pub mod race;
pub mod recorder;
pub mod retention;
pub mod service;
pub mod service_role;
pub mod sessions;
pub mod small_disk;
pub mod snapshot;
pub mod sql;
pub mod terminal;
pub mod throughout;
pub mod worker;
pub mod worker_pool;

/// The deadline of whatever a loaded machine makes slow.
pub const PATIENCE: Duration = Duration::from_secs(60);
