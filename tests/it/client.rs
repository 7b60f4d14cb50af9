//! The client of Avinode's API against servers that keep every byte: where credentials go and where they never go, what
//! an answer means, and the commands that stand on it.

mod answers;
mod checks;
mod credentials;
mod setup;
mod ssrf;
mod timeouts;
mod tls;
mod webhooks;
