//! Avinode's formats and API: verifies the sender of a delivery, parses deliveries and documents, and fetches resources.
//!
//! All but [`client`] is pure: no I/O, no clock, no environment; bytes, settings and the time are parameters. A delivery
//! passes [`signature`], then [`json`] and [`notification`]. A full event is parsed by [`full_event`]; for a thin
//! notification, [`client`] fetches the [`resource`], and [`documents`] parses it.

pub mod client;
mod description;
pub mod documents;
mod event_fields;
pub mod full_event;
mod id_at;
pub mod json;
pub mod mentioned_ids;
mod money;
pub mod notification;
pub mod parse_error;
mod quote_price;
pub mod resource;
mod sanitize;
pub mod signature;
mod timestamp;
pub mod unread_property;
