//! Short functions on an attached database.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::admin::{self, SessionView};
use serde_json::Value;
use uuid::Uuid;

use crate::support::bodies::base;
use crate::support::pool::Pool;
use crate::support::service::{drain, keep, shift};

/// The application's session with this number.
pub fn application_session(number: u128) -> Uuid {
    Uuid::from_u128(0x0600_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// Receives bodies, and works off all jobs.
pub async fn apply(pool: &Pool, bodies: &[Value]) {
    keep(pool, bodies, base()).await;
    drain(&shift(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), "w").await;
}

pub async fn one(pool: &Pool, session: Uuid) -> SessionView {
    admin::sessions(pool, &[session]).await.unwrap().remove(0)
}

pub async fn text(pool: &Pool, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}
