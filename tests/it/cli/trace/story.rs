//! The story of a quote in order of time, from the notification to the session.

use avinode_ingest::service::ServiceSettings;
use serde_json::json;

use super::{TRIP, deliver, done, trace};
use crate::fetching::setup::{MESSAGE, punctual, quoted};
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::program::run_on;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_leads_to_its_fetch_its_document_its_quote_the_row_and_the_session() {
    let (db, avinode) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    avinode.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let settings = ServiceSettings {
        avinode: Some(punctual(avinode.settings(100.0, 100))),
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let delivery = deliver(&db, &service, &avinode.thin(MESSAGE, Some(TRIP))).await;
    // A newer price by a full event, twice.
    let newer = quote("evt-1", TRIP, "arfq-1", "aquote-1", 1_000_000_000, "9000", "USD");
    deliver(&db, &service, &newer).await;
    deliver(&db, &service, &newer).await;
    done(&db).await;

    let output = run_on(&db, &["trace", "aquote-1", "--json"]).await.json();
    let story = output["story"].as_array().unwrap();
    let steps: Vec<&str> = story.iter().map(|entry| entry["step"].as_str().unwrap()).collect();
    let place = |step: &str, from: usize| {
        let found = steps[from..].iter().position(|it| *it == step);
        from + found.unwrap_or_else(|| panic!("no {step} after {from}: {output:#}"))
    };
    let mut at = 0;
    for step in [
        "received",
        "fetched",
        "parsed",
        "applied",
        "counted",
        "received",
        "parsed",
        "received",
        "duplicate",
        "row",
        "session",
    ] {
        at = place(step, at) + 1;
    }
    let times: Vec<&str> = story.iter().filter_map(|entry| entry["at"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(story[0]["delivery"], json!(delivery));
    assert!(
        story[0]["text"].as_str().unwrap().contains("verified by hmac#1"),
        "{output:#}"
    );
    let text = trace(&db, "aquote-1").await.stdout;
    for part in [
        "tripmsgs/asellermsg-1 as document ",
        "quote: trip A1B2C3, quote aquote-1",
        "quote: event evt-1, trip A1B2C3, RFQ arfq-1, quote aquote-1",
        &format!("aquote-1 for session {session}"),
        "9000",
        &format!("{session}: active, step requesting_quotes, trip A1B2C3, quotes 1/"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with("cause  aquote-1: counted for session "),
        "{text}"
    );
    service.stop().await;
}
