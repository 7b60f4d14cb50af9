//! The client of Avinode's API against servers that keep every byte: where credentials go and where they never go, what
//! an answer means, and the commands that stand on it.

mod answers;
mod checks;
mod credentials;
mod ends;
mod stage;
mod strangers;
mod tls;
mod webhooks;
