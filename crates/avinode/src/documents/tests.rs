//! Documents as Avinode returns them, and malformed ones.

mod declines;
mod description;
mod identity;
mod lenient;
mod malformed;
mod messages;
mod order;
mod quotes;
mod repetition;
mod rfqs;
mod support;
mod trips;
