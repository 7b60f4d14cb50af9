//! Quotes with rows of the application's own: the rows are found and counted once, and follow Avinode.

use std::path::Path;

use avinode_ingest::cli::fixture_run::SeededManifest;
use avinode_ingest::cli::fixtures;
use avinode_ingest::cli::manifest::FixtureManifest;
use avinode_ingest::clock::Clock;
use avinode_ingest::postgres::migrator;
use chrono::Utc;
use serde_json::Value;

use super::setup::application_session;
use crate::support::actions::replay;
use crate::support::bodies::{base, decline, message, quote, trip_cancelled};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::sessions::view;
use crate::support::sql::text;
use crate::support::worker::{run_until_idle, worker, worker_at};

#[tokio::test(flavor = "multi_thread")]
async fn all_fixtures_end_as_in_their_manifest_on_an_attached_database() {
    let db = Db::attached().await;
    let folder = Path::new("fixtures");
    let manifest = FixtureManifest::read(folder).unwrap();
    let seeded = SeededManifest::create(&db.pool, &manifest).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the fixtures' timestamps are relative to now")]
    let now = Utc::now();
    let bodies: Vec<Value> = fixtures::read(&[folder.to_owned()])
        .unwrap()
        .iter()
        .map(|fixture| serde_json::from_slice(&fixture.body(now).unwrap()).unwrap())
        .collect();
    let worker = worker_at(&db.pool, Clock::System);
    store_deliveries(&db.pool, &bodies, now).await;
    run_until_idle(&worker).await;
    seeded.follow_up(&db.pool).await.unwrap();
    run_until_idle(&worker).await;
    let sessions = seeded.sessions(&db.pool).await.unwrap();
    assert_eq!(seeded.differences(&sessions), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_that_the_application_had_counted_are_not_counted_again() {
    let db = Db::attached().await;
    let (alices, old, bobs) = (
        application_session(1),
        application_session(0x11),
        application_session(2),
    );
    let known = ["aquote-386512701", "aquote-386512702", "aquote-386512703"];
    let bodies: Vec<Value> = known
        .iter()
        .enumerate()
        .map(|(n, id)| {
            quote(
                &format!("evt-{n}"),
                "atrip-64956150",
                "arfq-1",
                id,
                n as i64,
                "47000",
                "USD",
            )
        })
        .chain([quote(
            "evt-b",
            "a1b2c3",
            "arfq-2",
            "aquote-386512711",
            5,
            "11000",
            "USD",
        )])
        .collect();
    let prices = "SELECT string_agg(total_price::text, ' ' ORDER BY id) FROM public.quotes";
    let worker = worker(&db.pool);
    let deliveries = store_deliveries(&db.pool, &bodies, base()).await;
    run_until_idle(&worker).await;
    assert_eq!(view(&db.pool, alices).await.quotes_received_count, 3);
    // A replay bypasses the event keys.
    assert_eq!(replay(&db.pool, &deliveries).await.len(), bodies.len());
    run_until_idle(&worker).await;
    assert_eq!(view(&db.pool, alices).await.quotes_received_count, 3);
    assert_eq!(
        view(&db.pool, old).await.quotes_received_count,
        3,
        "raised at the first attach"
    );
    let bobs_now = view(&db.pool, bobs).await;
    assert_eq!(bobs_now.quotes_received_count, 1);
    assert_eq!(bobs_now.primary_quote.as_deref(), Some("aquote-386512711"));
    // Newer facts are shown: the application read the values in its rows from Avinode.
    receive(
        &db.pool,
        &[quote("evt-9", "atrip-64956150", "arfq-1", known[2], 50, "54000", "USD")],
    )
    .await;
    assert_eq!(
        text(&db.pool, prices).await.as_deref(),
        Some("47000.00 47000.00 54000.00 39000.00 11000.00 16800.00")
    );

    // A fourth quote is counted. Bob's choice stays in spite of newer quotes, a decline and its expiry.
    let later = [
        quote("evt-4", "64956150", "arfq-4", "aquote-4", 100, "39000", "USD"),
        quote("evt-5", "A1B2C3", "arfq-5", "aquote-5", 100, "8000", "USD"),
        decline("evt-6", "A1B2C3", "arfq-2", 200),
        message("evt-7", "A1B2C3", "amsg-1", 200),
        trip_cancelled("evt-8", "A1B2C3", 300),
    ];
    receive(&db.pool, &later).await;
    let alices = view(&db.pool, alices).await;
    assert_eq!(alices.quotes_received_count, 4);
    assert_eq!(alices.primary_quote.as_deref(), Some("aquote-4"));
    // Another agent's session, on the trip that Alice's request names.
    assert_eq!(view(&db.pool, old).await.quotes_received_count, 3);
    let bobs = view(&db.pool, bobs).await;
    assert_eq!(bobs.quotes_received_count, 2);
    assert_eq!(bobs.primary_quote.as_deref(), Some("aquote-386512711"));
    assert_eq!(bobs.avinode_trip_status.as_deref(), Some("cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_by_an_id_with_white_space_around_it() {
    let db = Db::attached().await;
    db.run(
        "UPDATE public.quotes SET avinode_quote_id = E'\\u00a0' || avinode_quote_id || E' \\n'
         WHERE avinode_quote_id LIKE 'aquote-3865127%'",
    )
    .await;
    let rows = "SELECT count(*)::text FROM public.quotes";
    let before = text(&db.pool, rows).await;
    let body = |n: i64| {
        let (event, id) = (format!("evt-{n}"), format!("aquote-38651270{n}"));
        quote(&event, "atrip-64956150", "arfq-1", &id, n, "47000", "USD")
    };
    // One quote alone, and two together.
    receive(&db.pool, &[body(1)]).await;
    receive(&db.pool, &[body(2), body(3)]).await;
    assert_eq!(text(&db.pool, rows).await, before);
    let adopted = "SELECT count(DISTINCT projected_id)::text FROM avinode_ingest.quote_facts";
    assert_eq!(text(&db.pool, adopted).await.as_deref(), Some("3"));
    let found = view(&db.pool, application_session(1)).await;
    assert_eq!(found.quotes_received_count, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_several_rows_is_counted_once_and_projected_in_the_first() {
    let db = Db::application().await;
    // Some applications have no unique constraint on the id.
    db.run(
        "ALTER TABLE public.quotes DROP CONSTRAINT quotes_avinode_quote_id_key;
         INSERT INTO public.quotes (id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type, avinode_quote_id)
         SELECT ('04000000-0000-4000-8000-0000000001' || right(id::text, 2))::uuid, request_id, operator_id, operator_name,
             base_price, total_price, aircraft_type, avinode_quote_id
         FROM public.quotes WHERE avinode_quote_id LIKE 'aquote-38651270%'",
    )
    .await;
    migrator::migrate(&db.options).await.unwrap();
    let bodies: Vec<Value> = (1..4)
        .map(|n| {
            let (event, id) = (format!("evt-{n}"), format!("aquote-38651270{n}"));
            quote(&event, "atrip-64956150", "arfq-1", &id, n, "47000", "USD")
        })
        .collect();
    receive(&db.pool, &bodies).await;
    let found = view(&db.pool, application_session(1)).await;
    assert_eq!(found.quotes_received_count, 3);
    let rows = "SELECT string_agg(right(projected_id::text, 3), ' ' ORDER BY quote_id) FROM avinode_ingest.quote_facts";
    assert_eq!(text(&db.pool, rows).await.as_deref(), Some("001 002 003"));
}
