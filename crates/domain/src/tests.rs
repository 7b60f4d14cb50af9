//! Tests of the rules: with generated facts, with tables, and against a second, naive implementation.

mod apply_event;
mod cancellations;
mod decide;
mod fact_order;
pub mod generators;
mod oracle;
mod partial_facts;
mod primary_quote;
mod subject;
