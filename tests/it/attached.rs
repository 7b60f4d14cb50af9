//! The database of an application: its schema, its rows, its writes and its roles.

mod concurrent_host_writes;
mod deadlock;
mod deletes;
mod first_attach;
mod host_writes;
pub mod migration;
mod own_role;
mod published;
mod quotes;
mod rls_roles;
mod states;
pub mod trust;
