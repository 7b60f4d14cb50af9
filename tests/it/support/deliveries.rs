//! Stores deliveries as the receiver does, without HTTP.

use avinode_ingest::avinode::notification::classify;
use avinode_ingest::ingest::insert;
use avinode_ingest::ingest::new_delivery::NewDelivery;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};

use super::PATIENCE;
use super::bodies::base;
use super::pool::Pool;
use super::worker::run_jobs;

/// Stores bodies as received at this time. Returns the deliveries' ids.
pub async fn store_deliveries(pool: &Pool, bodies: &[Value], received_at: DateTime<Utc>) -> Vec<Uuid> {
    let bodies: Vec<Vec<u8>> = bodies.iter().map(|body| serde_json::to_vec(body).unwrap()).collect();
    store_bytes(pool, &bodies, received_at).await
}

/// Stores bodies byte for byte.
pub async fn store_bytes(pool: &Pool, bodies: &[Vec<u8>], received_at: DateTime<Utc>) -> Vec<Uuid> {
    store(pool, bodies, received_at, Uuid::now_v7).await
}

/// Stores a body with an id of the time at which it is received, as the receiver makes them: by it the delivery is found later.
pub async fn store_at(pool: &Pool, body: &[u8], received_at: DateTime<Utc>) {
    let seconds = u64::try_from(received_at.timestamp()).unwrap();
    let time = Timestamp::from_unix(NoContext, seconds, received_at.timestamp_subsec_nanos());
    store(pool, &[body.to_vec()], received_at, || Uuid::new_v7(time)).await;
}

async fn store(pool: &Pool, bodies: &[Vec<u8>], received_at: DateTime<Utc>, id: impl Fn() -> Uuid) -> Vec<Uuid> {
    let deliveries: Vec<NewDelivery> = bodies
        .iter()
        .map(|body| {
            let body = Bytes::from(body.clone());
            let route = classify(&body);
            let verified_by = "hmac#1".to_owned();
            NewDelivery {
                id: id(),
                received_at,
                body,
                headers: Vec::new(),
                verified_by,
                route,
            }
        })
        .collect();
    insert::append(
        pool.service().autocommit(1, PATIENCE).acquire().await.unwrap(),
        &deliveries.iter().collect::<Vec<_>>(),
    )
    .await
    .unwrap();
    deliveries.iter().map(|delivery| delivery.id).collect()
}

/// Stores bodies as received at `base()`, and runs all jobs.
pub async fn receive(pool: &Pool, bodies: &[Value]) {
    store_deliveries(pool, bodies, base()).await;
    run_jobs(pool).await;
}
