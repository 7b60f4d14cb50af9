//! Reading what relays and Avinode send: every form that is no guess, and a visible reason for the rest.

mod documents;
mod full_events;
