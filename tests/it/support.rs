//! What every integration test stands on: a database of its own on one cluster, the real service in this process, and
//! real signed bodies.

pub mod bodies;
pub mod cluster;
pub mod crew;
pub mod documents;
pub mod everything;
pub mod plan;
pub mod pool;
pub mod pooler;
pub mod postgrest;
pub mod recorder;
pub mod service;
pub mod stage;
pub mod stub;
pub mod told;
pub mod world;
