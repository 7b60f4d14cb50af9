//! Every setting of the program: a flag, an environment variable, a default and bounds, each declared once.
//!
//! This module is the only reader of the environment. The doc comments of the fields are the `--help` texts, and
//! [`setting_reference`] lists them all, so that README's table can be held to them by a test.
//!
//! Settings come in groups that the subcommands flatten into their own arguments; a group says nothing of who uses
//! it, so nothing here imports a subcommand. Values are parsed at the door into types that cannot be wrong ([`value_parsers`],
//! [`secret`]); what one setting demands of another is checked in [`serve`]. [`usage_error`] puts what is wrong into one
//! line.

pub mod avinode;
pub mod database;
pub mod log;
pub mod parse;
pub mod secret;
pub mod serve;
pub mod setting_reference;
pub mod target_url;
pub mod time_ago;
pub mod usage_error;
pub mod value_parsers;
pub mod webhook;
