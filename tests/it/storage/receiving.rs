//! Receiving goes on while partitions are made, attached, detached and dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use avinode_ingest::jobs::retention;
use avinode_ingest::service::ServiceSettings;
use tokio::task::JoinSet;

use super::{days_ago, receive_at};
use crate::crash::load::{body, client, post, sessions};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::partitions;
use crate::support::retention::defaults;
use crate::support::service::RunningService;
use crate::support::sql::count;

/// A request waits for at most this long while partitions change. On a machine that is otherwise idle the longest are around 50 ms;
/// the rest is for one that is not.
const LONGEST: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn under_load_partitions_are_made_and_dropped_and_every_delivery_is_answered_in_time() {
    let db = Db::new().await;
    sessions(&db.pool).await;
    partitions::replace_past_by_months(&db.pool, 12).await;
    for month in 10..=12 {
        let ahead = partitions::of_month(&db.pool, -month).await;
        db.run(&format!("DROP TABLE avinode_ingest.{ahead}")).await;
    }
    // Workers would make no difference to receiving, and hold locks on partitions that are not bounded on a slow machine.
    let settings = ServiceSettings {
        workers: 0,
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let address = service.base.replace("http://", "");
    let (next, is_done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut senders = JoinSet::new();
    for _ in 0..8 {
        let (next, is_done, address) = (next.clone(), is_done.clone(), address.clone());
        senders.spawn(async move {
            let client = client(&address);
            let mut longest = Duration::ZERO;
            while !is_done.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let begun = Instant::now();
                let answer = post(&client, &address, body(number)).await;
                assert_eq!(answer.map(|(status, ..)| status), Some(200));
                longest = longest.max(begun.elapsed());
            }
            longest
        });
    }
    let (mut made, mut dropped) = (0, 0);
    let begun = Instant::now();
    loop {
        let report = retention::run(&db.pool, &defaults(), Duration::from_secs(5))
            .await
            .unwrap();
        made += report.made.len();
        dropped += report.dropped.len();
        if !report.is_unfinished || begun.elapsed() > PATIENCE {
            break;
        }
    }
    is_done.store(true, Ordering::Relaxed);
    let mut longest = Duration::ZERO;
    while let Some(sender) = senders.join_next().await {
        longest = longest.max(sender.unwrap());
    }
    service.stop().await;
    println!(
        "made {made}, dropped {dropped} in {:?} beside {} deliveries; the longest request took {longest:?}",
        begun.elapsed(),
        next.load(Ordering::Relaxed)
    );
    let (has_all, of_the_past) = (
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.delivery_partitions() WHERE lower_id > avinode_ingest.uuid_of_time(now())").await,
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.delivery_partitions() WHERE upper_id < avinode_ingest.uuid_of_time(now() - interval '181 days')").await,
    );
    assert_eq!((has_all, of_the_past), (12, 0));
    assert!(longest < LONGEST, "{longest:?}");
    let stored = count(&db.pool, "SELECT count(*) FROM avinode_ingest.deliveries").await;
    assert_eq!(usize::try_from(stored).unwrap(), next.load(Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_reads_deliveries_for_long_delays_the_drop_and_no_delivery() {
    let db = Db::new().await;
    partitions::replace_past_by_months(&db.pool, 12).await;
    let mut reader = db.pool.application().await;
    sqlx::raw_sql("SELECT count(*) FROM avinode_ingest.deliveries")
        .execute(&mut *reader)
        .await
        .unwrap();
    let before = partitions::names(&db.pool).await;
    let (pool, config) = (db.pool.service(), defaults());
    let (report, longest) = tokio::join!(retention::run(&pool, &config, Duration::from_secs(2)), async {
        let mut longest = Duration::ZERO;
        for number in 0..100 {
            let begun = Instant::now();
            receive_at(&db.pool, days_ago(0), &body(number)).await.unwrap();
            longest = longest.max(begun.elapsed());
        }
        longest
    });
    assert!(report.unwrap().is_unfinished);
    assert!(longest < LONGEST, "{longest:?}");
    assert_eq!(partitions::names(&db.pool).await, before);
    reader.commit().await.unwrap();
    let report = retention::run(&pool, &config, Duration::from_secs(10)).await.unwrap();
    assert!(!report.is_unfinished && report.dropped.len() >= 5, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_waits_while_its_partition_is_attached_is_stored_in_it() {
    let db = Db::new().await;
    let missing = partitions::of_month(&db.pool, -2).await;
    let present: String = partitions::names(&db.pool).await.remove(0);
    db.run(&format!("DROP TABLE avinode_ingest.{missing}")).await;
    // Without any partition for the present, deliveries go to the default one.
    db.run(&format!("DROP TABLE avinode_ingest.{present}")).await;
    let service = RunningService::start(
        &db.pool,
        ServiceSettings {
            workers: 0,
            ..ServiceSettings::default()
        },
    )
    .await;
    let address = service.base.replace("http://", "");
    let client = client(&address);
    // As when a partition is made: the default partition is locked, and the new one attached.
    let mut making = db.pool.application().await;
    sqlx::raw_sql("SET LOCAL lock_timeout = '10s'; SELECT avinode_ingest.make_delivery_partition(0)")
        .execute(&mut *making)
        .await
        .unwrap();
    let posted = post(&client, &address, body(1));
    let (answer, ()) = tokio::join!(posted, async {
        crate::support::sql::until_a_backend_waits(&db.pool).await;
        making.commit().await.unwrap();
    });
    let (status, answer, _) = answer.unwrap();
    assert_eq!(status, 200, "{answer}");
    let place: String = sqlx::query_scalar("SELECT tableoid::regclass::text FROM avinode_ingest.deliveries")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(
        place,
        format!("avinode_ingest.{}", partitions::of_month(&db.pool, 0).await)
    );
    service.stop().await;
}
