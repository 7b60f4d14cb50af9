//! The operator API under `/v1/admin`: it authorises, parses, calls `admin` and renders.

pub mod actions;
pub mod audit;
pub mod batches;
pub mod cursors;
pub mod deliveries;
pub mod delivery_filter;
pub mod document_filter;
pub mod documents;
pub mod ids;
pub mod job_filter;
pub mod jobs;
pub mod problem;
pub mod status;
pub mod trace;
pub mod values;
