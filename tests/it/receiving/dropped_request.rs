//! A sender that disconnects drops its request: the delivery is stored all the same.

use std::time::Duration;

use avinode_ingest::avinode::notification::classify;
use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::ingest::group_commit::receiver;
use avinode_ingest::ingest::memory_budget::MemoryBudget;
use avinode_ingest::ingest::new_delivery::NewDelivery;
use bytes::Bytes;
use futures_util::FutureExt;
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::sql::count;

const BODY: &[u8] = br#"{"a":1}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_whose_request_is_dropped_is_stored_and_its_memory_released() {
    let db = Db::new().await;
    let (receiver, committer) = receiver(&db.pool.service(), 10, || ());
    let memory = MemoryBudget::new(BODY.len());
    let delivery = NewDelivery {
        id: Uuid::now_v7(),
        received_at: base(),
        headers: Vec::new(),
        verified_by: "hmac#1".to_owned(),
        route: classify(BODY),
        body: Bytes::from_static(BODY),
    };
    // Polled once, before the committer runs, and dropped.
    let permit = memory.reserve(BODY.len()).unwrap();
    assert!(receiver.receive(delivery, permit).now_or_never().is_none());
    assert_eq!(memory.free(), 0, "the waiting delivery holds its memory");

    let heartbeat = HeartbeatRegistry::new().register("receiver", Duration::from_secs(60));
    tokio::spawn(committer.run(heartbeat));
    eventually(PATIENCE, "its memory is released", async || memory.free() == BODY.len()).await;
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.deliveries").await,
        1
    );
}
