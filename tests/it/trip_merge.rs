//! A trip that is known by two ids: once a document shows both, they are one trip, in whatever order everything came.

mod merging;
mod order;
mod races;
mod shown;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::admin::{self, SessionView};
use serde_json::Value;
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::documents::{shift_with_documents, show};
use crate::support::pool::Pool;
use crate::support::service::{drain, keep};

/// The ids of one trip, as a document shows them.
const SHORT: &str = "A1B2C3";
const RESOURCE: &str = "atrip-64956150";
const BOTH: &[&[&str]] = &[&[SHORT, RESOURCE]];

async fn work(pool: &Pool) {
    drain(
        &shift_with_documents(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())),
        "w",
    )
    .await;
}

/// Keeps bodies and does all that follows from them.
async fn told(pool: &Pool, bodies: &[Value]) {
    keep(pool, bodies, base()).await;
    work(pool).await;
}

/// A document shows ids to be of one trip, and all is done that follows from it.
async fn shown(pool: &Pool, documents: &[&[&str]]) {
    show(pool, documents).await;
    work(pool).await;
}

async fn view(pool: &Pool, session: Uuid) -> SessionView {
    admin::sessions(pool, &[session]).await.unwrap().remove(0)
}

/// How many quotes a session has counted, and its primary one.
async fn counted(pool: &Pool, session: Uuid) -> (i32, Option<String>) {
    let seen = view(pool, session).await;
    (seen.quotes_received_count, seen.primary_quote)
}

fn quoted(trip: &str, name: &str, seconds: i64) -> Value {
    let (event, rfq) = (format!("evt-{trip}-{name}-{seconds}"), format!("arfq-{name}"));
    quote(&event, trip, &rfq, name, seconds, "10000", "USD")
}

fn some(quotes: i32, primary: &str) -> (i32, Option<String>) {
    (quotes, Some(primary.to_owned()))
}

/// From each id to the one that stands for its trip, as the rows say.
async fn leads(pool: &Pool) -> Vec<(String, String)> {
    sqlx::query_as("SELECT key, merged_into FROM avinode_ingest.trips WHERE merged_into IS NOT NULL ORDER BY key")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// One text of one row.
async fn text(pool: &Pool, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}
