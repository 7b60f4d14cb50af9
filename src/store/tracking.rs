//! SQL of session tracking: what the sessions API locks, reads and writes, in the application's place.
//!
//! Its transactions do not mark themselves as ours (`store::writer`): to the triggers they are the application, so that a
//! trip id queues a match and a primary quote is pinned, as for the application's own SQL.
//! Lock order: conversation, session, then ledger, timeline and state under the session's row.

pub mod begin;
pub mod change;
pub mod find;
pub mod lock;
pub mod moment;
pub mod notes;
pub mod quotes;
pub mod refer;
pub mod start;
pub mod whole;
