//! Actions of an admin.

use avinode_ingest::admin::actions;
use avinode_ingest::domain::actor::{Acting, Actor};
use avinode_ingest::postgres::transaction::Pool;
use uuid::Uuid;

pub fn acting() -> Acting {
    Acting::new(Actor::command_line("a-test", "here"), None)
}

/// Retries jobs, and returns those that were changed.
pub async fn retry(pool: &Pool, ids: &[i64]) -> Vec<i64> {
    actions::retry(pool, ids, &acting()).await.unwrap().done
}

/// Replays deliveries, and returns those that were enqueued.
pub async fn replay(pool: &Pool, ids: &[Uuid]) -> Vec<Uuid> {
    actions::replay(pool, ids, &acting()).await.unwrap().enqueued
}
