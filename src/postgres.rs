//! Postgres: how it is reached (`pool`, `transaction`, `lone`), how its schema is brought up to date (`migrator`), and the private cluster that
//! is started where nobody gave an address (`embedded`, and the files that it is made of; `beside` reaches one that another
//! process runs). `probe` asks a server what `check` tells. `span`
//! writes time spans as Postgres takes them.
//!
//! The private cluster's parts, in the order in which a start uses them: `account` (who runs it), `programs` (with what),
//! `home` (in which folder, and who holds it), `reap` (what a killed process left), `cluster` (making the data folder),
//! `supervisor` (the running server, and its end when we die).

pub mod account;
pub mod beside;
pub mod cluster;
pub mod embedded;
pub mod error;
pub mod home;
pub mod lone;
pub mod migrator;
pub mod pool;
pub mod probe;
pub mod programs;
pub mod reap;
pub mod scratch;
pub mod span;
pub mod supervisor;
pub mod transaction;
