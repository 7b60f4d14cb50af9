//! Postgres: how it is reached (`pool`, `transaction`, `lone`), how its schema is brought up to date (`migrator`), and the private cluster that
//! is started where nobody gave an address (`embedded`, and the files that it is made of; `beside` reaches one that another
//! process runs). `probe` asks a server what `check` tells. `span`
//! writes time spans as Postgres takes them.
//!
//! The private cluster's parts, in the order in which a start uses them: `account` (who runs it), `programs` (with what),
//! `home` (in which folder, and who holds it), `reap` (what a killed process left), `cluster` (making the data folder),
//! `supervisor` (the running server, and its end when we die).

pub mod attach;
pub mod autocommit;
pub mod binaries;
pub mod cluster;
pub mod data_dir;
pub mod diagnostics;
pub mod embedded;
pub mod error;
pub mod interval;
pub mod migrator;
pub mod orphans;
pub mod pool;
pub mod service_user;
pub mod sqlstate;
pub mod supervisor;
pub mod temp_database;
pub mod transaction;
