//! The admin commands about fetching, run as the real program beside a running service.

use std::time::{Duration, Instant};

use avinode_ingest::avinode::client::config::AvinodeSettings;
use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use avinode_ingest::jobs::fetch::status;
use avinode_ingest::queue::rate_limit::status::LimiterStatus;
use avinode_ingest::service::ServiceSettings;
use serde_json::json;

use super::setup::{MESSAGE, fetch_until_idle, fetching_worker, notify, quoted};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::program::run_on;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;

/// Starts a service and waits until it fetches.
async fn fetching(db: &Db, stub: &FakeAvinode) -> RunningService {
    let settings = ServiceSettings {
        avinode: Some(AvinodeSettings {
            api_lag: Duration::from_secs(1),
            ..stub.settings(100.0, 100)
        }),
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    eventually(PATIENCE, "the service fetches", async || {
        equal(status::read(&db.pool).await.unwrap(), LimiterStatus::Running)
    })
    .await;
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn reconcile_reports_gone_and_dead_resources_and_fails() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    // Of another run: reconcile must not wait for it.
    db.run("INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('fetch_follow_up', 'arfq-9')")
        .await;
    let service = fetching(&db, &stub).await;
    let reconcile = ["reconcile", "--trip", "atrip-1", "--wait", "--timeout", "60s"];
    let output = run_on(&db, &reconcile).await;
    let printed = output.all();
    assert_eq!(output.code, Some(1), "{printed}");
    assert!(printed.contains("nothing was fetched; 1 gone"), "{printed}");
    assert!(
        printed.contains("atrip-1   gone") && printed.contains("404"),
        "{printed}"
    );
    assert!(
        !printed.contains("nothing new") && !printed.contains("arfq-9"),
        "{printed}"
    );

    stub.show("trips/atrip-1", json!("odd"));
    let output = run_on(&db, &[&reconcile[..], &["--json"]].concat()).await;
    assert_eq!(output.code, Some(1), "{}", output.all());
    let printed = output.json();
    assert_eq!(printed["finished"][0]["outcome"], "dead", "{printed}");

    stub.show("trips/atrip-1", json!({"id": "atrip-1", "rfqs": []}));
    let output = run_on(&db, &reconcile).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    assert!(output.all().contains("1 fetched, nothing new"), "{}", output.all());

    let output = run_on(&db, &["reconcile", "--trip", "no-trip"]).await;
    assert_eq!(output.code, Some(1), "it cannot be fetched: {}", output.all());

    // Of all sessions, one has a trip id that is none, and one a trip that Avinode does not know.
    for trip in ["not a trip", "atrip-404"] {
        SessionBuilder::of_trip(trip).insert(&db.pool).await;
    }
    let active = ["reconcile", "--active", "--wait", "--timeout", "60s"];
    let output = run_on(&db, &active).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    for text in ["cannot be fetched", "NOT A TRIP", "atrip-404", "1 gone"] {
        assert!(output.all().contains(text), "{text}: {}", output.all());
    }
    let output = run_on(&db, &[&active[..], &["--strict"]].concat()).await;
    assert_eq!(output.code, Some(1), "{}", output.all());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_idle_once_follow_ups_that_are_due_soon_are_done() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let service = fetching(&db, &stub).await;
    db.run(
        "INSERT INTO avinode_ingest.jobs (kind, key, due_at) VALUES
            ('fetch_follow_up', 'asellermsg-1', clock_timestamp() + interval '2 seconds'),
            ('fetch_follow_up', 'asellermsg-2', clock_timestamp() + interval '1 hour'),
            ('quote_expiry', 'one', clock_timestamp() + interval '20 seconds')",
    )
    .await;
    let began = Instant::now();
    wait_until_settled(&db.pool, Duration::from_secs(15)).await.unwrap();
    assert_eq!(stub.count(MESSAGE), 1, "after {:?}", began.elapsed());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fetched_documents_are_listed_and_shown() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for price in [10_000, 9_000] {
        let mut message = quoted("asellermsg-1", "aquote-1", None, price);
        message["sellerMessage"] = json!("\u{1b}[2J");
        stub.show(MESSAGE, message);
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
    }
    let output = run_on(&db, &["documents", "list", "--resource", "asellermsg-1", "--json"]).await;
    assert_eq!(output.code, Some(0), "{}", output.all());
    let listed = output.json();
    let data = &listed["data"];
    assert_eq!(data.as_array().unwrap().len(), 2, "{listed}");
    assert!(listed["next_cursor"].is_null(), "{listed}");
    let id = data[1]["id"].to_string();
    let first = run_on(&db, &["documents", "list", "--limit", "1", "--json"])
        .await
        .json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = run_on(
        &db,
        &["documents", "list", "--limit", "1", "--json", "--cursor", cursor],
    )
    .await
    .json();
    assert_eq!([&first["data"][0], &second["data"][0]], [&data[0], &data[1]]);
    assert!(second["next_cursor"].is_null(), "{second}");

    let output = run_on(&db, &["documents", "list", "--before", &data[0]["id"].to_string()]).await;
    let printed = output.all();
    assert_eq!(printed.lines().count(), 5, "{printed}");
    assert!(printed.contains("asellermsg-1  tripmsgs"), "{printed}");

    let output = run_on(&db, &["documents", "show", &id]).await;
    let printed = output.all();
    assert!(
        printed.contains("tripmsgs/asellermsg-1") && printed.contains("10000"),
        "{printed}"
    );
    assert!(!printed.contains('\u{1b}') && !printed.contains("hush"), "{printed}");
    let output = run_on(&db, &["documents", "show", &id, "--body"]).await;
    let body = output.json();
    assert_eq!(body["data"]["sellerQuote"]["sellerPrice"]["price"], 10_000);
    let output = run_on(&db, &["documents", "show", &id, "--json"]).await;
    let printed = output.json();
    assert_eq!(printed["document"]["sha256"].as_str().unwrap().len(), 64, "{printed}");

    let output = run_on(&db, &["documents", "list", "--resource", "arfq-7"]).await;
    assert_eq!((output.code, output.all().trim()), (Some(0), "no documents"));
    let output = run_on(&db, &["documents", "show", "4711"]).await;
    assert_eq!(output.code, Some(1));
    assert!(output.all().contains("there is no document 4711"), "{}", output.all());
}
