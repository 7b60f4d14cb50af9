//! Agents who write their own sessions and requests under row-level security, as PostgREST sends it, get no quotes of another
//! agent's trip.

mod checks;
mod claims;
mod rfqs;
pub mod setup;
