//! The outside world's language: who sent a delivery, what it says, and which facts that amounts to.
//!
//! Pure: no I/O, no clock, no environment; bytes, settings' texts and the time come in as parameters. In the order of
//! a delivery's way: [`signature`] before anything is read, [`json`], [`notification`], and then [`events`], or what was fetched: [`documents`].

pub mod documents;
pub mod events;
pub mod id;
pub mod json;
mod money;
pub mod not_understood;
pub mod notification;
pub mod resource;
pub mod signature;
mod text;
mod time;
