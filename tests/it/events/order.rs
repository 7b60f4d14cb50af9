//! Entries become visible in another order than that of their positions, and none is skipped.

use std::time::Duration;

use avinode_ingest::postgres::transaction;

use super::{Streams, append, append_and_notify, settings, with_session};
use crate::support::PATIENCE;
use crate::support::eventually::eventually;
use crate::support::pooler::Pooler;
use crate::support::sessions::{SessionBuilder, update_session};

/// Streams are woken by LISTEN: none of these tests would pass in time by this interval.
const SLOW_POLL: Duration = Duration::from_secs(50);

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_position_that_is_committed_later_is_not_skipped() {
    let (db, session) = with_session("ORDER1").await;
    let other = SessionBuilder::of_trip("ORDER2").insert(&db.pool).await;
    for is_committed in [true, false] {
        let streams = Streams::start(db.pool.service(), settings(Duration::from_millis(50))).await;
        let mut stream = streams.open("", None).await;
        let seq = if is_committed { 1 } else { 2 };
        let mut late = db.pool.application().await;
        let lower = append(&mut *late, session, seq).await;
        let higher = append_and_notify(&db.pool, other, seq).await;
        assert!(lower < higher);
        // The higher one is committed, and waits for the end of the transaction with the lower one.
        assert_eq!(stream.next_within(Duration::from_millis(500)).await, None);
        let expected = match is_committed {
            true => {
                late.commit().await.unwrap();
                vec![lower, higher]
            }
            false => {
                late.rollback().await.unwrap();
                vec![higher]
            }
        };
        let ids: Vec<i64> = stream.take(expected.len()).await.iter().map(|event| event.id).collect();
        assert_eq!(ids, expected, "committed: {is_committed}");
        streams.service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_transactions_are_streamed_completely_to_readers_that_resume_at_any_time() {
    const WRITERS: i64 = 8;
    const ENTRIES: i64 = 40;
    let (db, _) = with_session("ORDER3").await;
    let mut settings = settings(Duration::from_millis(20));
    // The service notices a client that is gone when it writes.
    settings.api.streams = 1000;
    let streams = Streams::start(db.pool.service(), settings).await;
    let mut id = streams.open("", None).await.id;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..WRITERS {
        let session = SessionBuilder::of_trip(&format!("WRITE{number}"))
            .insert(&db.pool)
            .await;
        let pool = db.pool.clone();
        writers.spawn(async move {
            for seq in 1..=ENTRIES {
                // A later commit than that of another writer, whose position is higher.
                let mut tx = pool.application().await;
                append(&mut *tx, session, seq).await;
                sqlx::query("SELECT pg_sleep(random() * 0.02)")
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                match seq % 7 {
                    0 => tx.rollback().await.unwrap(),
                    _ => tx.commit().await.unwrap(),
                }
            }
        });
    }
    let expected = WRITERS * (ENTRIES - ENTRIES / 7);
    let mut seen = Vec::new();
    // A client that reads a few entries, and then connects again.
    while seen.len() < usize::try_from(expected).unwrap() {
        let mut stream = streams.open("", Some(&id)).await;
        for _ in 0..5 {
            let Some(event) = stream
                .next_within(PATIENCE)
                .await
                .filter(|event| event.name == "timeline")
            else {
                panic!("only {} of {expected} entries came", seen.len());
            };
            seen.push(event.id);
            if seen.len() == usize::try_from(expected).unwrap() {
                break;
            }
        }
        id.clone_from(&stream.id);
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let stored: Vec<i64> = sqlx::query_scalar("SELECT position FROM avinode_ingest.timeline ORDER BY position")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(seen, stored);
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_of_the_application_holds_up_no_stream() {
    let (db, session) = with_session("ORDER4").await;
    let doomed = SessionBuilder::of_trip("ORDER5").insert(&db.pool).await;
    append(&db.pool, doomed, 1).await;
    let streams = Streams::start(db.pool.service(), settings(SLOW_POLL)).await;
    let mut stream = streams.open("", None).await;
    let mut long = db.pool.application().await;
    // It has a transaction id, and by the trigger a lock on the table of timelines.
    sqlx::query("DELETE FROM public.chat_sessions WHERE id = $1")
        .bind(doomed)
        .execute(&mut *long)
        .await
        .unwrap();
    let position = append_and_notify(&db.pool, session, 1).await;
    assert_eq!(stream.take(1).await[0].id, position);
    long.rollback().await.unwrap();
    update_session(&db.pool, session, "message_count = 1").await;
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_durable_before_it_is_sent() {
    let (db, session) = with_session("ORDER6").await;
    let streams = Streams::start(db.pool.service(), settings(SLOW_POLL)).await;
    let mut stream = streams.open("", None).await;
    for seq in 1..=10 {
        // As workers commit.
        let mut tx = db.pool.application().await;
        sqlx::query("SET LOCAL synchronous_commit = off")
            .execute(&mut *tx)
            .await
            .unwrap();
        append(&mut *tx, session, seq).await;
        sqlx::query("SELECT pg_notify('avinode_ingest_timeline', '')")
            .execute(&mut *tx)
            .await
            .unwrap();
        // Before the record of the commit, which follows.
        let written = "SELECT pg_current_wal_insert_lsn()::text";
        let written: String = sqlx::query_scalar(written).fetch_one(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        stream.take(1).await;
        let flushed = sqlx::query_scalar("SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn");
        let flushed: bool = flushed.bind(&written).fetch_one(&db.pool).await.unwrap();
        assert!(flushed, "entry {seq} was sent before it was durable");
    }
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_transaction_pooler_streams_poll() {
    let (db, session) = with_session("ORDER7").await;
    let Some(pooler) = Pooler::start(&db).await else {
        return;
    };
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(8)
        .connect_lazy_with(pooler.options());
    let pool = transaction::Pool::from(pool).behind_pooler(true);
    eventually(PATIENCE, "the pooler answers", async || pool.ping().await.is_ok()).await;
    let mut settings = settings(Duration::from_millis(100));
    settings.listens = false;
    let streams = Streams::start(pool, settings).await;
    let mut stream = streams.open("", None).await;
    let position = append(&db.pool, session, 1).await;
    assert_eq!(stream.take(1).await[0].id, position);
    streams.service.stop().await;
}
