//! The client of Avinode's API, and the commands that use it, against servers that record every byte: which servers receive
//! credentials, and the meaning of each answer.

mod answers;
mod checks;
mod credentials;
mod setup;
mod ssrf;
mod timeouts;
mod tls;
mod webhook_targets;
mod webhooks;
