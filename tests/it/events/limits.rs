//! The bounds of streams, and their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{STREAMS, Streams, append_and_notify, settings, with_session};

const SLOW_POLL: Duration = Duration::from_secs(50);

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_end_in_order_at_shutdown() {
    let (db, session) = with_session("LIMIT1").await;
    let streams = Streams::start(db.pool.service(), settings(SLOW_POLL)).await;
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        open.push(streams.open("", None).await);
    }
    let refused = streams.connect("", None).await;
    assert_eq!(refused.headers()["retry-after"], "5");
    drop(refused);
    assert_eq!(streams.problem("", None).await, (503, "too-many-streams".to_owned()));
    open.pop();
    // The service notices a client that is gone when it writes.
    let mut seq = 0;
    let again = loop {
        seq += 1;
        append_and_notify(&db.pool, session, seq).await;
        open[0].take(1).await;
        let response = streams.connect("", None).await;
        if response.status() == 200 {
            break response;
        }
        assert!(seq < 1000, "a client that left made no room for another");
    };
    let began = tokio::time::Instant::now();
    let summary = streams.service.stop().await;
    assert_eq!(summary.cut_off, 0);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for mut stream in open {
        while stream.next().await.is_some() {}
    }
    again.bytes().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_streams_share_one_reader() {
    let (db, session) = with_session("LIMIT2").await;
    let acquired = Arc::new(AtomicUsize::new(0));
    let counted = acquired.clone();
    let pool = db.pool.service().on_acquire(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let mut settings = settings(SLOW_POLL);
    // No other part of the process uses the database meanwhile.
    settings.workers = 0;
    let streams = Streams::start(pool, settings).await;
    let mut open = vec![streams.open("", None).await];
    let mut seq = 0;
    let mut cost = Vec::new();
    for number in [1, STREAMS] {
        while open.len() < number {
            open.push(streams.open("", None).await);
        }
        let before = acquired.load(Ordering::Relaxed);
        for _ in 0..10 {
            seq += 1;
            append_and_notify(&db.pool, session, seq).await;
            for stream in &mut open {
                assert_eq!(stream.take(1).await[0].data["seq"], seq);
            }
        }
        cost.push(acquired.load(Ordering::Relaxed) - before);
    }
    println!("transactions for ten entries with 1 and {STREAMS} streams: {cost:?}");
    assert!(cost[1] <= cost[0] + 10, "{cost:?}");
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlives_the_limits_for_idle_connections_and_heads() {
    let (db, session) = with_session("LIMIT3").await;
    let mut settings = settings(SLOW_POLL);
    settings.server.idle_time = Duration::from_millis(200);
    settings.server.header_time = Duration::from_millis(200);
    let streams = Streams::start(db.pool.service(), settings).await;
    let mut stream = streams.open("", None).await;
    assert_eq!(stream.next_within(Duration::from_millis(1500)).await, None);
    append_and_notify(&db.pool, session, 1).await;
    assert_eq!(stream.take(1).await[0].data["seq"], 1);
    streams.service.stop().await;
}
