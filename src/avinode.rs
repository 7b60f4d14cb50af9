//! The outside world's language: who sent a delivery, what it says, and which facts that amounts to.
//!
//! Pure but for [`client`]: no I/O, no clock, no environment; bytes, settings' texts and the time come in as parameters. In
//! the order of a delivery's way: [`signature`] before anything is read, [`json`], [`notification`], and then [`full_event`]; or,
//! where a notification is only a hint, [`client`], which fetches the [`resource`], and [`documents`].

pub mod client;
pub mod documents;
pub mod full_event;
pub mod json;
mod money;
pub mod notification;
pub mod parse_error;
pub mod resource;
pub mod resource_id;
mod sanitize;
pub mod signature;
mod timestamp;
