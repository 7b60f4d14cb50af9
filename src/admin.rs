//! Reads and actions of operators, for the operator API and for the command line: lists and states; actions on given jobs and deliveries, and
//! on many that a filter selects. Each action is recorded in the audit log by the transaction of its change.

pub mod actions;
pub mod activity;
pub mod batches;
pub mod check;
pub mod dead_letters;
pub mod export;
pub mod fetching;
pub mod job_list;
pub mod maintenance;
pub mod preview;
pub mod selection;
pub mod service;
pub mod stored_body;
pub mod summary;
pub mod trace;
pub mod views;
