//! Projection into the application's table: as far as the table accepts it, and without overwriting the application's values.

use std::time::Duration;

use avinode_ingest::jobs::maintenance;
use serde_json::json;

use super::setup::application_session;
use crate::support::bodies::{quote, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::eventually::eventually;
use crate::support::sessions::{SessionBuilder, view};
use crate::support::sql::text;
use crate::support::worker::run_jobs;

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_the_table_cannot_hold_is_counted_and_not_projected() {
    let db = Db::attached().await;
    let session = application_session(6);
    let mut free = quote("evt-1", "64956151", "arfq-1", "aquote-1", 0, "0", "USD");
    receive(&db.pool, &[free.clone()]).await;
    free["eventId"] = json!("evt-2");
    free["data"]["quote"]["id"] = json!("aquote-2");
    free["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
    receive(&db.pool, &[free]).await;
    let found = view(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (2, None));
    let facts = "SELECT count(*)::text FROM avinode_ingest.quote_facts WHERE received AND projected_id IS NULL";
    assert_eq!(text(&db.pool, facts).await.as_deref(), Some("2"));

    // An unknown constraint of the application's refuses the third one: the error is stored, the quote is counted, and the
    // other quotes are projected.
    db.run("ALTER TABLE public.quotes ADD CHECK (total_price <> 666) NOT VALID")
        .await;
    let bodies = [
        quote("evt-3", "64956151", "arfq-1", "aquote-3", 20, "666", "USD"),
        quote("evt-4", "64956151", "arfq-1", "aquote-4", 10, "777", "USD"),
    ];
    receive(&db.pool, &bodies).await;
    let found = view(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (4, None));
    let reason = "SELECT projection_error FROM avinode_ingest.quote_facts WHERE quote_id = 'aquote-3'";
    assert!(text(&db.pool, reason).await.unwrap().contains("check"));
    let price = "SELECT total_price::text FROM public.quotes WHERE avinode_quote_id = 'aquote-4'";
    assert_eq!(text(&db.pool, price).await.as_deref(), Some("777.00"));
    // A newer fact that the table accepts is projected.
    receive(
        &db.pool,
        &[quote("evt-5", "64956151", "arfq-1", "aquote-3", 30, "667", "USD")],
    )
    .await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("aquote-3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resync_projects_a_quote_once_its_session_has_a_request() {
    let db = Db::attached().await;
    let session = application_session(7);
    receive(
        &db.pool,
        &[quote("evt-1", "4ND3C3", "arfq-1", "aquote-1", 0, "9000", "EUR")],
    )
    .await;
    let found = view(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (1, None));
    db.run(&format!(
        "UPDATE public.chat_sessions SET request_id = '02000000-0000-4000-8000-000000000004' WHERE id = '{session}'"
    ))
    .await;
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
    let found = view(&db.pool, session).await;
    assert_eq!(found.quotes_received_count, 1);
    assert_eq!(found.primary_quote.as_deref(), Some("aquote-1"));
    assert_eq!(found.primary_currency.as_deref(), Some("EUR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_with_a_value_that_avinode_never_stated_is_not_overwritten() {
    let db = Db::attached().await;
    let price = |event: &str, seconds, price| quote(event, "64956151", "arfq-1", "aquote-1", seconds, price, "USD");
    receive(&db.pool, &[price("evt-1", 0, "9000")]).await;
    let row = "SELECT concat_ws(' ', status, base_price, total_price, aircraft_type, operator_name) FROM public.quotes
               WHERE avinode_quote_id = 'aquote-1'";
    assert_eq!(
        text(&db.pool, row).await.as_deref(),
        Some("received 9000.00 9000.00 Light Jet Northwind Jets")
    );
    db.run(
        "UPDATE public.quotes SET status = 'accepted', total_price = 9500, operator_name = 'Ours' \
         WHERE avinode_quote_id = 'aquote-1'",
    )
    .await;
    // Once Avinode states the application's value, it is no longer a value that a person chose.
    for (event, seconds, amount, prices) in [
        ("evt-2", 10, "9200", "9200.00 9500.00"),
        ("evt-3", 20, "9500", "9500.00 9500.00"),
        ("evt-4", 30, "9700", "9700.00 9700.00"),
    ] {
        receive(&db.pool, &[price(event, seconds, amount)]).await;
        let expected = format!("accepted {prices} Light Jet Ours");
        assert_eq!(text(&db.pool, row).await, Some(expected));
    }
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_application_deleted_stays_deleted_and_blocks_no_event() {
    let db = Db::attached().await;
    let session = application_session(6);
    let body = |event: &str, id: &str, seconds| quote(event, "64956151", "arfq-1", id, seconds, "9000", "USD");
    receive(&db.pool, &[body("evt-1", "aquote-1", 100)]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("aquote-1"));
    db.run(&format!(
        "UPDATE public.chat_sessions SET primary_quote_id = NULL WHERE id = '{session}';
         DELETE FROM public.quotes WHERE avinode_quote_id = 'aquote-1'"
    ))
    .await;
    receive(
        &db.pool,
        &[body("evt-2", "aquote-2", 50), body("evt-3", "aquote-1", 200)],
    )
    .await;
    let found = view(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (2, None));
    let dead = "SELECT count(*)::text FROM avinode_ingest.dead_jobs";
    assert_eq!(text(&db.pool, dead).await.as_deref(), Some("0"));
    let rows = "SELECT count(*)::text FROM public.quotes WHERE avinode_quote_id IN ('aquote-1', 'aquote-2')";
    assert_eq!(text(&db.pool, rows).await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_projected_once_it_has_a_price_and_not_selected_after_losing_it() {
    let db = Db::attached().await;
    let session = application_session(6);
    let priced = |event: &str, seconds, price| quote(event, "64956151", "arfq-1", "aquote-1", seconds, price, "USD");
    let without_price = |event: &str, seconds| {
        let mut body = priced(event, seconds, "1");
        body["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
        body
    };
    let projected = "SELECT min(total_price)::text FROM public.quotes WHERE avinode_quote_id = 'aquote-1'";
    let expect = async |price: Option<&str>, primary: Option<&str>| {
        let found = view(&db.pool, session).await;
        assert_eq!(
            (found.quotes_received_count, found.primary_quote.as_deref()),
            (1, primary)
        );
        assert_eq!(text(&db.pool, projected).await.as_deref(), price);
    };
    receive(&db.pool, &[without_price("evt-1", 0)]).await;
    expect(None, None).await;
    receive(&db.pool, &[priced("evt-2", 10, "9000")]).await;
    expect(Some("9000.00"), Some("aquote-1")).await;
    // The row keeps the last known price, since the column is not nullable; the session does not select the quote.
    receive(&db.pool, &[without_price("evt-3", 20)]).await;
    expect(Some("9000.00"), None).await;
    receive(&db.pool, &[priced("evt-4", 30, "9500")]).await;
    expect(Some("9500.00"), Some("aquote-1")).await;
}

/// A large table of the application's has no statistics of our index's expression until its next ANALYZE.
#[tokio::test(flavor = "multi_thread")]
async fn without_statistics_the_rows_of_new_quotes_are_found_by_the_index() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    db.run(
        "ALTER TABLE public.quotes SET (autovacuum_enabled = off);
         SET session_replication_role = replica;
         INSERT INTO public.quotes (request_id, operator_name, base_price, total_price, aircraft_type, valid_until, status,
            avinode_quote_id)
         SELECT gen_random_uuid(), 'An Operator', 1, 1, 'A Type', now(), 'received', 'aquote-old-' || n
         FROM generate_series(1, 50000) AS n",
    )
    .await;
    let bodies: Vec<_> = (1..=3)
        .map(|n| quote_of("atrip-1", &format!("aquote-{n}"), n))
        .collect();
    receive(&db.pool, &bodies).await;
    receive(&db.pool, &[quote_of("atrip-1", "aquote-4", 4)]).await;
    assert_eq!(view(&db.pool, session).await.quotes_received_count, 4);
    let read = "SELECT (SELECT idx_tup_fetch::text FROM pg_stat_user_tables WHERE relid = 'public.quotes'::regclass AND n_tup_ins >= 50004)";
    // A backend publishes its counters when it has been idle for some seconds.
    let rows = eventually(Duration::from_secs(60), "the counters are published", async || {
        text(&db.pool, read).await
    })
    .await;
    assert!(
        rows.parse::<u64>().unwrap() < 1_000,
        "{rows} rows read to project 4 quotes"
    );
}
