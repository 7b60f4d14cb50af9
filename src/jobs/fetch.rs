//! Thin notifications: their resource is fetched once for all jobs of its key, stored, parsed, and applied like an event.
//!
//! Every notification is served by a GET that began after the notification was stored. Jobs that wait together share one;
//! a job that had to wait for another resource uses the document that is stored by then. The GET is outside of any
//! transaction, and its document is stored before it is applied: a failure from there on fetches nothing again.
//!
//! One process fetches at a time ([`leader`]), and its rate limit is in its memory.

pub mod download;
pub mod errors;
pub mod follow_up;
pub mod handler;
pub mod leader;
pub mod limiter_feedback;
pub mod request;
pub mod speculative;
pub mod status;
pub mod subjects;
pub mod trip_lookup;
