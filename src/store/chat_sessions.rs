//! SQL of session tracking: what the sessions API locks, reads and writes, in the application's place.
//!
//! Its transactions do not mark themselves as ours (`store::writer`): to the triggers they are the application, so that a
//! trip id queues a match and a primary quote is pinned, as for the application's own SQL.
//! Lock order: conversation, session, then ledger, timeline and state under the session's row.

pub mod aggregate;
pub mod create;
pub mod lock;
pub mod page;
pub mod pg_timestamp;
pub mod quotes;
pub mod references;
pub mod timeline_and_pin;
pub mod tx;
pub mod update;
