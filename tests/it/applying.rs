//! Facts and sessions after events: in any order, with any value.

mod cancellations;
mod fact_persistence;
mod infinite_timestamps;
mod odd_rows;
mod order;
mod pages;
mod pinned_primary;
mod prices;
mod timers;
