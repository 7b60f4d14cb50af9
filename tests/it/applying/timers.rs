//! The expiry of a quote is a timer and not work: it is not listed with work, not discarded with it, and made again.

use avinode_ingest::clock::Clock;
use avinode_ingest::jobs::maintenance;
use chrono::Duration;

use crate::support::bodies::{at, base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::program::run_on;
use crate::support::sessions::{SessionBuilder, view};
use crate::support::sql::count;
use crate::support::worker::{run_until_idle, worker_at};

const TRIP: &str = "atrip-1";
const TIMERS: &str = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'";

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_expiry_is_made_again_and_the_expired_quote_stops_leading() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let mut expiring = quote_of(TRIP, "q2", 2);
    expiring["data"]["quote"]["validUntil"] = at(60).into();
    let now = base() + Duration::seconds(2);
    store_deliveries(&db.pool, &[quote_of(TRIP, "q1", 1), expiring], now).await;
    run_until_idle(&worker_at(&db.pool, Clock::Fixed(now))).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q2"));
    // Not due by the database's clock either.
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() + interval '1 hour'")
        .await;
    let id = count(
        &db.pool,
        "SELECT id FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'",
    )
    .await
    .to_string();

    let listed = run_on(&db, &["jobs", "list"]).await.all();
    assert!(!listed.contains("quote_expiry"), "{listed}");
    for with in [&["--all"][..], &["--kind", "quote_expiry"]] {
        let listed = run_on(&db, &[&["jobs", "list"], with].concat()).await.all();
        assert!(listed.contains("quote_expiry"), "{with:?}: {listed}");
    }
    let refused = run_on(&db, &["jobs", "discard", &id]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.all());
    assert!(
        refused.all().contains("nothing was discarded") && refused.all().contains("--force"),
        "{}",
        refused.all()
    );
    assert_eq!(count(&db.pool, TIMERS).await, 1);

    let forced = run_on(&db, &["jobs", "discard", "--force", &id]).await;
    assert_eq!(forced.code, Some(0), "{}", forced.all());
    assert_eq!(count(&db.pool, TIMERS).await, 0);
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    assert_eq!(count(&db.pool, TIMERS).await, 1, "made again");
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    assert_eq!(count(&db.pool, TIMERS).await, 1, "once");

    let later = Clock::Fixed(base() + Duration::seconds(60));
    run_until_idle(&worker_at(&db.pool, later)).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q1"),
        "q2 expired"
    );
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    assert_eq!(count(&db.pool, TIMERS).await, 0, "nothing is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_expiry_is_made_again_and_waits_for_its_time() {
    let db = Db::new().await;
    SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let mut expiring = quote_of(TRIP, "q1", 1);
    expiring["data"]["quote"]["validUntil"] = at(1_000_000_000).into();
    let now = base() + Duration::seconds(1);
    store_deliveries(&db.pool, &[expiring], now).await;
    run_until_idle(&worker_at(&db.pool, Clock::Fixed(now))).await;
    let key = "SELECT max(key) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'";
    let before: Option<String> = sqlx::query_scalar(key).fetch_one(&db.pool).await.unwrap();
    db.run("DELETE FROM avinode_ingest.jobs").await;
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_until_idle(&worker_at(&db.pool, Clock::Fixed(now))).await;
    let after: Option<String> = sqlx::query_scalar(key).fetch_one(&db.pool).await.unwrap();
    assert!(before.is_some() && before == after, "{before:?} {after:?}");
    let waiting = "SELECT count(*) FROM avinode_ingest.jobs WHERE due_at > clock_timestamp() + interval '10 years'";
    assert_eq!(count(&db.pool, waiting).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_judged_expired_by_a_clock_ahead_is_selected_again_when_the_clock_is_right() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let now = Clock::System.now();
    let mut expiring = quote_of(TRIP, "q1", 1);
    expiring["data"]["quote"]["validUntil"] = (now + Duration::hours(12)).to_rfc3339().into();
    store_deliveries(&db.pool, &[expiring], now).await;
    run_until_idle(&worker_at(&db.pool, Clock::Fixed(now + Duration::days(1)))).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote,
        None,
        "expired by that clock"
    );
    assert_eq!(count(&db.pool, TIMERS).await, 0);

    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_until_idle(&worker_at(&db.pool, Clock::System)).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q1"));
    assert_eq!(count(&db.pool, TIMERS).await, 1, "and it still expires");
}
