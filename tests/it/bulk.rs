//! Actions on many jobs and deliveries that a filter selects, and the record of who did what.

mod audit;
mod commands;
mod export;
mod many;
mod preview;
mod processes;
mod selections;
mod worker;

use std::sync::Arc;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::apply::JobApplier;
use avinode_ingest::store::session_changes::SessionChanges;

use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_bytes;
use crate::support::pool::Pool;

/// An applier with the default policy.
fn applier(pool: &Pool, clock: Clock) -> Arc<JobApplier> {
    Arc::new(JobApplier {
        pool: pool.service(),
        policy: PrimaryQuotePolicy::Latest,
        clock,
        changes: SessionChanges::default(),
    })
}

/// Stores this many quotes of ten deliveries for each trip, without jobs.
async fn store_without_jobs(db: &Db, deliveries: usize) {
    let bodies: Vec<Vec<u8>> = (0..deliveries)
        .map(|n| quote_of(&format!("trip{}", n / 10), &format!("aquote-{n}"), 1))
        .map(|body| serde_json::to_vec(&body).unwrap())
        .collect();
    for bodies in bodies.chunks(1_000) {
        store_bytes(&db.pool, bodies, base()).await;
    }
    db.run("TRUNCATE avinode_ingest.jobs").await;
}
