//! Storage of years: the partitions of deliveries, and the retention of each table.

mod activity;
mod check;
mod delivery_lists;
mod migration;
mod partitions;
mod plans;
mod receiving;
mod retention;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

use avinode_ingest::avinode::notification::classify;
use avinode_ingest::ingest::insert;
use avinode_ingest::ingest::new_delivery::NewDelivery;

use crate::support::PATIENCE;
use crate::support::pool::Pool;

/// A UUIDv7 of this time.
fn id_at(time: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(time.timestamp()).unwrap();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.timestamp_subsec_nanos()))
}

/// Stores a body as a receiver whose clock shows this time, with the statement of receiving.
async fn receive_at(pool: &Pool, time: DateTime<Utc>, body: &[u8]) -> Result<Uuid, sqlx::Error> {
    let body = Bytes::copy_from_slice(body);
    let delivery = NewDelivery {
        id: id_at(time),
        received_at: time,
        headers: Vec::new(),
        verified_by: "hmac#1".to_owned(),
        route: classify(&body),
        body,
    };
    let connection = pool.service().autocommit(1, PATIENCE).acquire().await?;
    insert::append(connection, &[&delivery]).await?;
    Ok(delivery.id)
}

/// The partition that has this delivery; `None` if there is none.
async fn partition_of(pool: &Pool, id: Uuid) -> Option<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM avinode_ingest.deliveries AS delivery JOIN pg_class ON pg_class.oid = delivery.tableoid
         WHERE delivery.id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
    .unwrap()
}

/// Days before now; negative ones are after.
fn days_ago(days: i64) -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "partitions are made by the database's clock")]
    let now = Utc::now();
    now - chrono::TimeDelta::days(days)
}
