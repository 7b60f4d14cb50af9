//! A trip with two ids: once a document shows both, they are one trip, whatever the order of arrival.

mod merging;
mod order;
mod projection;
mod races;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use serde_json::Value;

use crate::support::bodies::base;
use crate::support::deliveries::store_deliveries;
use crate::support::documents::{enqueue_merges, worker_with_documents};
use crate::support::pool::Pool;
use crate::support::worker::run_until_idle;

/// The ids of one trip, as a document shows them.
const SHORT: &str = "A1B2C3";
const RESOURCE: &str = "atrip-64956150";
const BOTH: &[&[&str]] = &[&[SHORT, RESOURCE]];

/// Runs all jobs, documents included.
/// Runs all jobs, documents included.
async fn run_jobs(pool: &Pool) {
    run_until_idle(&worker_with_documents(
        pool,
        PrimaryQuotePolicy::Latest,
        Clock::Fixed(base()),
    ))
    .await;
}

/// Receives bodies, and runs all jobs.
async fn receive(pool: &Pool, bodies: &[Value]) {
    store_deliveries(pool, bodies, base()).await;
    run_jobs(pool).await;
}

/// Merges trips by documents that show several ids, and runs all jobs.
async fn merge(pool: &Pool, documents: &[&[&str]]) {
    enqueue_merges(pool, documents).await;
    run_jobs(pool).await;
}

/// Each id that is not canonical, with the canonical id of its trip.
async fn merged_ids(pool: &Pool) -> Vec<(String, String)> {
    sqlx::query_as("SELECT key, merged_into FROM avinode_ingest.trips WHERE merged_into IS NOT NULL ORDER BY key")
        .fetch_all(pool)
        .await
        .unwrap()
}
