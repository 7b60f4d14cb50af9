//! Session tracking as a Rust API: every operation of the application's `track-chat-session`, one method each on
//! [`handle::Sessions`].
//!
//! It begins the transactions, takes the locks in order (conversation, session, then what stands under it) and gives way
//! where the application waits; the SQL is in `store::tracking`. It writes as the application does, so that a trip id that it
//! sets is matched and a primary quote that it sets is pinned.

pub mod activity;
pub mod check;
pub mod create;
pub mod ending;
pub mod error;
pub mod find;
pub mod handle;
pub mod quotes;
pub mod retry;
pub mod trip;
