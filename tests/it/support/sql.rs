//! Short queries of tests.

use super::PATIENCE;
use super::eventually::eventually;
use super::pool::Pool;

/// The number in the only row of a query.
pub async fn count(pool: &Pool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// The text in the only row of a query.
pub async fn text(pool: &Pool, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// The number of backends that wait for a lock.
pub async fn waiting_backends(pool: &Pool) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    count(pool, waiting).await
}

/// Waits until a backend waits for a lock.
pub async fn until_a_backend_waits(pool: &Pool) {
    eventually(PATIENCE, "a backend waits for a lock", async || {
        waiting_backends(pool).await > 0
    })
    .await;
}
