//! A trip with two ids: once a document shows both, they are one trip, whatever the order of arrival.

mod merging;
mod order;
mod projection;
mod races;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::admin::{self, SessionView};
use serde_json::Value;
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::documents::{enqueue_merges, worker_with_documents};
use crate::support::pool::Pool;
use crate::support::service::{drain, keep};

/// The ids of one trip, as a document shows them.
const SHORT: &str = "A1B2C3";
const RESOURCE: &str = "atrip-64956150";
const BOTH: &[&[&str]] = &[&[SHORT, RESOURCE]];

async fn work(pool: &Pool) {
    drain(
        &worker_with_documents(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())),
        "w",
    )
    .await;
}

/// Receives bodies, and works off all jobs.
async fn receive(pool: &Pool, bodies: &[Value]) {
    keep(pool, bodies, base()).await;
    work(pool).await;
}

/// Merges trips by documents that show several ids, and works off all jobs.
async fn merge(pool: &Pool, documents: &[&[&str]]) {
    enqueue_merges(pool, documents).await;
    work(pool).await;
}

async fn view(pool: &Pool, session: Uuid) -> SessionView {
    admin::sessions(pool, &[session]).await.unwrap().remove(0)
}

/// A session's quote count and primary quote.
async fn count_and_primary(pool: &Pool, session: Uuid) -> (i32, Option<String>) {
    let view = view(pool, session).await;
    (view.quotes_received_count, view.primary_quote)
}

fn quote_body(trip: &str, name: &str, seconds: i64) -> Value {
    let (event, rfq) = (format!("evt-{trip}-{name}-{seconds}"), format!("arfq-{name}"));
    quote(&event, trip, &rfq, name, seconds, "10000", "USD")
}

fn with_primary(quotes: i32, primary: &str) -> (i32, Option<String>) {
    (quotes, Some(primary.to_owned()))
}

/// Each id that is not canonical, with the canonical id of its trip.
async fn merged_ids(pool: &Pool) -> Vec<(String, String)> {
    sqlx::query_as("SELECT key, merged_into FROM avinode_ingest.trips WHERE merged_into IS NOT NULL ORDER BY key")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// The text in the only row of a query.
async fn text(pool: &Pool, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}
