//! Everything that talks to Postgres below the level of SQL: the hosts of a URL ([`database_url`], [`hosts`]), connections ([`pool`],
//! [`transaction`], [`autocommit`], `connections`, `session_defaults`) and their time limits ([`limits`], `give_up`),
//! migrations ([`migrator`]), checks of a server ([`diagnostics`]), readable errors ([`server_error`]), and the private cluster
//! that runs where no database is configured ([`embedded`]).
//!
//! A private cluster is started in this order: [`service_user`] (the system user that runs it), [`binaries`] (the Postgres
//! programs), [`data_dir`] (its folder, and the lock on it), [`orphans`] (what a killed process left), [`cluster`] (the data
//! folder and the server's settings), `supervisor` (the running server). [`attach`] connects to the cluster of another process.

pub mod application_tables;
pub mod application_text;
pub mod attach;
pub mod autocommit;
pub mod binaries;
pub mod cause;
pub mod channel_listener;
pub mod child_environment;
pub mod cluster;
pub mod columns;
mod connection_health;
mod connection_settings;
mod connections;
mod counted;
pub mod data_dir;
pub mod database_url;
pub mod diagnostics;
pub mod embedded;
pub mod encoding;
pub mod encryption;
pub mod error;
mod give_up;
pub mod hosts;
pub mod interval;
mod known_hosts;
pub mod limits;
mod live_connection;
pub mod migrator;
mod no_host;
mod open_transaction;
pub mod orphans;
mod percent_encoding;
pub mod pool;
pub mod prune_step;
pub mod server_error;
pub mod service_user;
mod session_defaults;
pub mod sqlstate;
mod supervisor;
pub mod temp_database;
pub mod transaction;
