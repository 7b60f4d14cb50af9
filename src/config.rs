//! The settings: each is a flag, an environment variable, a default and bounds, declared once.
//!
//! Only this module reads the environment. The doc comments of the fields are the `--help` texts, and [`setting_reference`]
//! collects them for docs/configuration.md.
//!
//! Settings come in groups that subcommands flatten into their own arguments; no group knows a subcommand. clap parses single
//! values into types that cannot be wrong ([`value_parsers`], [`quantity`]). It takes secrets as they are, so that its messages
//! never hold one: they are checked afterwards ([`secret`]), as are demands of one setting on another ([`serve`]).

pub mod alerts;
pub mod avinode;
pub mod console;
pub mod database;
pub mod events;
pub mod healthcheck;
pub mod http;
pub mod log;
pub mod operator_api;
pub mod parse;
pub mod quantity;
pub mod retention;
pub mod secret;
pub mod secret_file;
pub mod secret_length;
pub mod serve;
pub mod service_manager;
pub mod setting_error;
pub mod setting_reference;
pub mod target_url;
pub mod terminal;
pub mod time_ago;
pub mod transport;
pub mod unknown_variable;
pub mod value_parsers;
pub mod webhook;
pub mod webhook_path;
