//! One file per kind of job, and the registry, which is the workers' table of contents.

pub mod apply;
pub mod event;
pub mod expire;
pub mod fetch;
pub mod reconcile;
pub mod registry;
pub mod rematch;
pub mod replay;
pub mod upkeep;
