//! One process fetches at a time: its death, its end, and the loss of its lease.

use std::time::{Duration, Instant};

use avinode_ingest::simulator::credentials::ApiCredentials;
use nix::sys::signal::Signal;

use super::limits::{Competitor, assert_within_limit, notified_rfqs};
use super::setup::{MESSAGE, leader_with, make_due, notify, quoted};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::fake_avinode::{FakeAvinode, Fault};
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::sql::count;

/// The limit for a new leader to fetch.
const TAKEOVER: Duration = Duration::from_secs(10);

async fn holder(db: &Db) -> Option<String> {
    sqlx::query_scalar(
        "SELECT holder FROM avinode_ingest.leader_leases WHERE name = 'fetching' AND held_until > clock_timestamp()",
    )
    .fetch_optional(&db.pool)
    .await
    .unwrap()
}

/// Waits until another process than this one leads.
async fn another_leader(db: &Db, before: &str) -> String {
    eventually(PATIENCE, "another process leads", async || {
        holder(db).await.filter(|holder| !holder.starts_with(before))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_of_the_leader_another_process_fetches_within_ten_seconds_and_within_the_limit() {
    let (per_second, burst) = (20.0, 15);
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let url = db.url();
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
    let (rate, most) = (per_second.to_string(), burst.to_string());
    let base = stub.base();
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("INGEST_ROLE", "work"),
        ("AVINODE_BASE_URL", &base),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
        ("AVINODE_API_TOKEN", &api_token),
        ("AVINODE_BEARER", &bearer),
        ("AVINODE_CALLS_PER_SECOND", &rate),
        ("AVINODE_BURST", &most),
    ];
    let began = Instant::now();
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Serve::start(&settings).await);
    }
    notified_rfqs(&db, &stub, 400).await;
    for kill in 1..=2 {
        eventually(PATIENCE, "it is in the middle of it", async || {
            at_least(stub.calls().len(), kill * 100)
        })
        .await;
        let leader = another_leader(&db, "no process").await;
        let pid = leader.split('-').next().unwrap();
        let position = processes
            .iter()
            .position(|process| process.program.pid().to_string() == pid);
        processes.remove(position.unwrap()).program.kill().await;
        let killed = Instant::now();
        let calls = stub.calls().len();
        let next = another_leader(&db, &leader).await;
        let led = killed.elapsed();
        eventually(PATIENCE, "it fetches", async || stub.calls().len() > calls).await;
        let fetched = killed.elapsed();
        println!("{next} led {led:?} after kill -9 of {leader}, and fetched after {fetched:?}");
        assert!(fetched < TAKEOVER, "{fetched:?}");
    }
    let served = "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'fetch_notified'";
    eventually(PATIENCE, "all are fetched", async || {
        equal(count(&db.pool, served).await, 400)
    })
    .await;
    assert_within_limit(&stub, began, per_second, burst);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_stops_finishes_its_call_and_hands_over_immediately() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let settings = stub.settings(100.0, 100);
    let first = Competitor::start(leader_with(&db.pool, &settings), "first");
    eventually(PATIENCE, "the first leads", async || holder(&db).await).await;
    let second = Competitor::start(leader_with(&db.pool, &settings), "second");
    stub.hold();
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    stub.called(1).await;
    let stopping = tokio::spawn(first.stop());
    stub.release();
    stopping.await.unwrap();
    assert_eq!((quote_count(&db.pool, session).await, stub.count(MESSAGE)), (1, 1));
    let stopped = Instant::now();
    another_leader(&db, "first").await;
    assert!(stopped.elapsed() < Duration::from_secs(4), "{:?}", stopped.elapsed());
    second.stop().await;
    assert_eq!(holder(&db).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_loses_its_lease_cancels_its_calls_and_another_makes_them_again() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let settings = stub.settings(100.0, 100);
    let first = Competitor::start(leader_with(&db.pool, &settings), "first");
    eventually(PATIENCE, "the first leads", async || holder(&db).await).await;
    stub.hold();
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    stub.called(1).await;
    // Another process has taken the lease, and died since.
    db.run("UPDATE avinode_ingest.leader_leases SET holder = 'thief', held_until = clock_timestamp() + interval '4 seconds'")
        .await;
    let lost = Instant::now();
    // It notices with its next renewal, and leads again when the lease has run out. Its job was taken over.
    another_leader(&db, "thief").await;
    assert!(lost.elapsed() < TAKEOVER, "{:?}", lost.elapsed());
    stub.release();
    make_due(&db.pool).await;
    eventually(PATIENCE, "it is fetched", async || {
        quote_count(&db.pool, session).await == 1
    })
    .await;
    assert_eq!(stub.count(MESSAGE), 2, "the first call was cancelled");
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leader_honours_the_pause_of_the_previous_one() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    stub.fail(MESSAGE, Fault::of(429).with("retry-after", "6"));
    let settings = stub.settings(100.0, 100);
    let first = Competitor::start(leader_with(&db.pool, &settings), "first");
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    stub.called(1).await;
    let paused = Instant::now();
    first.stop().await;
    let second = Competitor::start(leader_with(&db.pool, &settings), "second");
    another_leader(&db, "first").await;
    make_due(&db.pool).await;
    stub.called(2).await;
    assert!(paused.elapsed() >= Duration::from_secs(6), "{:?}", paused.elapsed());
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_credentials_take_over_from_suspended_ones_immediately() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    stub.fail_always(Some(Fault::of(403)));
    let settings = stub.settings(100.0, 100);
    let first = Competitor::start(leader_with(&db.pool, &settings), "first");
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    stub.called(1).await;
    eventually(PATIENCE, "no process leads", async || holder(&db).await.is_none()).await;
    // The same credentials in another process wait as well.
    let same = Competitor::start(leader_with(&db.pool, &settings), "same");
    stub.fail_always(None);
    let mut other = settings.clone();
    other.client.bearer = "another".into();
    let second = Competitor::start(leader_with(&db.pool, &other), "second");
    let leader = another_leader(&db, "same").await;
    assert!(leader.starts_with("second/"), "{leader}");
    make_due(&db.pool).await;
    eventually(PATIENCE, "it is fetched", async || {
        quote_count(&db.pool, session).await == 1
    })
    .await;
    assert_eq!(stub.count(MESSAGE), 2);
    for competitor in [first, same, second] {
        competitor.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_the_leader_hands_over_to_another_process() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let url = db.url();
    let base = stub.base();
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("INGEST_ROLE", "work"),
        ("AVINODE_BASE_URL", &base),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
        ("AVINODE_API_TOKEN", "hush-token"),
        ("AVINODE_BEARER", "hush-bearer"),
    ];
    let first = Serve::start(&settings).await;
    let leader = eventually(PATIENCE, "it leads", async || holder(&db).await).await;
    let second = Serve::start(&settings).await;
    let said = first.stop(Signal::SIGTERM, Duration::from_secs(10)).await;
    assert!(said.contains("no longer fetches from Avinode"), "{said}");
    let stopped = Instant::now();
    another_leader(&db, &leader).await;
    assert!(stopped.elapsed() < Duration::from_secs(4), "{:?}", stopped.elapsed());
    second.stop(Signal::SIGTERM, Duration::from_secs(10)).await;
}
