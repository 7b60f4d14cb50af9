//! What every integration test stands on: a database of its own on one cluster, the real service in this process, and
//! real signed bodies.

pub mod bodies;
pub mod check_command;
pub mod cluster;
pub mod documents;
pub mod fake_avinode;
pub mod generators;
pub mod plan;
pub mod pool;
pub mod pooler;
pub mod postgrest;
pub mod recorder;
pub mod service;
pub mod service_role;
pub mod setup;
pub mod snapshot;
pub mod worker_pool;
