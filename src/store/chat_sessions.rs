//! SQL of the sessions API, which writes in the application's place.
//!
//! Its transactions do not mark themselves as ours (`store::tx`). The triggers treat them as the application's: a trip id
//! enqueues a rematch and a primary quote is pinned, as for the application's own SQL. Lock order: conversation, session,
//! then ledger, timeline and state under the session's row.

pub mod aggregate;
pub mod board;
pub mod create;
pub mod given;
pub mod lock;
pub mod page;
pub mod pg_timestamp;
pub mod positions;
pub mod quotes;
pub mod references;
pub mod search;
pub mod timeline_and_pin;
pub mod tx;
pub mod update;
