//! The console: web pages for a broker's staff and for admins, on the admin listener under `/console`. A further view of what `/v1`
//! reads and changes: the operations are in `sessions` and `admin`.

pub mod access;
pub mod assets;
pub mod board;
pub mod card;
pub mod cookie;
pub mod document;
pub mod error;
pub mod events;
pub mod form;
pub mod format;
pub mod layout;
pub mod operations;
pub mod origin;
pub mod router;
pub mod security_headers;
pub mod session;
pub mod session_actions;
pub mod sign_in;
pub mod state;
