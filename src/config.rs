//! Every setting of the program: a flag, an environment variable, a default and bounds, each declared once.
//!
//! This module is the only reader of the environment. The doc comments of the fields are the `--help` texts, and
//! [`settings::settings`] lists them all, so that README's table can be held to them by a test.
//!
//! Settings come in groups that the subcommands flatten into their own arguments; a group says nothing of who uses
//! it, so nothing here imports a subcommand. Values are parsed at the door into types that cannot be wrong ([`values`],
//! [`secret`]); what one setting demands of another is checked in [`serve`]. [`mistake`] puts what is wrong into one
//! line.

pub mod avinode;
pub mod database;
pub mod log;
pub mod mistake;
pub mod parse;
pub mod secret;
pub mod serve;
pub mod settings;
pub mod since;
pub mod target;
pub mod values;
pub mod webhook;
