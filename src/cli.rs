//! The command line: one file per subcommand, and the parts that several of them share.

pub mod avinode_client;
pub mod check;
pub mod command;
pub mod configuration;
pub mod database;
pub mod deliveries;
pub mod demo;
pub mod documents;
pub mod error;
pub mod fixture_run;
pub mod fixtures;
pub mod jobs;
pub mod manifest;
pub mod migrate;
pub mod openapi;
pub mod output;
pub mod reconcile;
pub mod reload;
pub mod replay;
pub mod serve;
pub mod sessions;
pub mod sign;
pub mod signing;
pub mod simulate;
pub mod table;
pub mod webhooks;
