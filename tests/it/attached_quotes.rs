//! Quotes on the database of an application, whose tables are stricter than ours and hold rows of its own.

use std::path::Path;
use std::time::Duration;

use avinode_ingest::cli::fixtures;
use avinode_ingest::cli::manifest::Manifest;
use avinode_ingest::cli::scenario::Staged;
use avinode_ingest::clock::Clock;
use avinode_ingest::domain::election::Policy;
use avinode_ingest::jobs::replay::replay;
use avinode_ingest::jobs::upkeep;
use avinode_ingest::postgres::migrator;
use avinode_ingest::store::inspect::{self, SessionView};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bodies::{base, decline, message, quote, trip};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::{drain, keep, shift};

/// A session of the application's, by its number.
fn application_session(number: u128) -> Uuid {
    Uuid::from_u128(0x0600_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// Applies bodies and everything that follows from them.
async fn apply(pool: &Pool, bodies: &[Value]) {
    keep(pool, bodies, base()).await;
    drain(&shift(pool, Policy::Latest, Clock::Fixed(base())), "w").await;
}

async fn one(pool: &Pool, session: Uuid) -> SessionView {
    inspect::sessions(pool, &[session]).await.unwrap().remove(0)
}

async fn text(pool: &Pool, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_fixtures_end_as_their_manifest_says_on_the_applications_tables() {
    let db = Db::attached().await;
    let folder = Path::new("fixtures");
    let manifest = Manifest::read(folder).unwrap();
    let staged = Staged::make(&db.pool, &manifest).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the fixtures' moments lie around now")]
    let now = Utc::now();
    let bodies: Vec<Value> = fixtures::read(&[folder.to_owned()])
        .unwrap()
        .iter()
        .map(|fixture| serde_json::from_slice(&fixture.body(now).unwrap()).unwrap())
        .collect();
    let shift = shift(&db.pool, Policy::Latest, Clock::System);
    keep(&db.pool, &bodies, now).await;
    drain(&shift, "w").await;
    staged.afterwards(&db.pool).await.unwrap();
    drain(&shift, "w").await;
    let sessions = staged.sessions(&db.pool).await.unwrap();
    assert_eq!(staged.differences(&sessions), Vec::<String>::new());
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
    let rows = "SELECT string_agg(quotes::text, ' ' ORDER BY id) FROM public.quotes";
    let before = text(&db.pool, rows).await;
    let shift = shift(&db.pool, Policy::Latest, Clock::Fixed(base()));
    let deliveries = keep(&db.pool, &bodies, base()).await;
    drain(&shift, "w").await;
    assert_eq!(one(&db.pool, alices).await.quotes_received_count, 3);
    // Past the event keys as well.
    assert_eq!(replay(&db.pool, &deliveries).await.unwrap().len(), bodies.len());
    drain(&shift, "w").await;
    assert_eq!(one(&db.pool, alices).await.quotes_received_count, 3);
    assert_eq!(one(&db.pool, old).await.quotes_received_count, 0);
    let bobs_now = one(&db.pool, bobs).await;
    assert_eq!(bobs_now.quotes_received_count, 1);
    assert_eq!(bobs_now.primary_quote.as_deref(), Some("aquote-386512711"));
    // The rows are the application's: newer facts are known, and change nothing in them.
    apply(
        &db.pool,
        &[quote("evt-9", "atrip-64956150", "arfq-1", known[2], 50, "55000", "USD")],
    )
    .await;
    apply(
        &db.pool,
        &[quote(
            "evt-10",
            "atrip-64956150",
            "arfq-1",
            known[2],
            60,
            "56000",
            "USD",
        )],
    )
    .await;
    assert_eq!(text(&db.pool, rows).await, before);

    // A fourth quote is news, and Bob's choice stands through newer quotes, a decline and the passing of its time.
    let news = [
        quote("evt-4", "64956150", "arfq-4", "aquote-4", 100, "39000", "USD"),
        quote("evt-5", "A1B2C3", "arfq-5", "aquote-5", 100, "8000", "USD"),
        decline("evt-6", "A1B2C3", "arfq-2", 200),
        message("evt-7", "A1B2C3", "amsg-1", 200),
        trip("evt-8", "A1B2C3", "arfq-2", "cancelled", 300),
    ];
    apply(&db.pool, &news).await;
    let alices = one(&db.pool, alices).await;
    assert_eq!(alices.quotes_received_count, 4);
    assert_eq!(alices.primary_quote.as_deref(), Some("aquote-4"));
    assert_eq!(one(&db.pool, old).await.quotes_received_count, 1);
    let bobs = one(&db.pool, bobs).await;
    assert_eq!(bobs.quotes_received_count, 2);
    assert_eq!(bobs.primary_quote.as_deref(), Some("aquote-386512711"));
    assert_eq!(bobs.avinode_trip_status.as_deref(), Some("cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_the_table_cannot_hold_is_counted_and_not_shown() {
    let db = Db::attached().await;
    let session = application_session(6);
    let mut free = quote("evt-1", "64956151", "arfq-1", "aquote-1", 0, "0", "USD");
    apply(&db.pool, &[free.clone()]).await;
    free["eventId"] = json!("evt-2");
    free["data"]["quote"]["id"] = json!("aquote-2");
    free["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
    apply(&db.pool, &[free]).await;
    let found = one(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (2, None));
    let facts = "SELECT count(*)::text FROM avinode_ingest.quotes WHERE received AND projected_id IS NULL";
    assert_eq!(text(&db.pool, facts).await.as_deref(), Some("2"));

    // A rule of the application's that we do not know of refuses a third: its reason is kept, and neither the count nor
    // the neighbours suffer.
    db.run("ALTER TABLE public.quotes ADD CHECK (total_price <> 666) NOT VALID")
        .await;
    let bodies = [
        quote("evt-3", "64956151", "arfq-1", "aquote-3", 20, "666", "USD"),
        quote("evt-4", "64956151", "arfq-1", "aquote-4", 10, "777", "USD"),
    ];
    apply(&db.pool, &bodies).await;
    let found = one(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (4, None));
    let reason = "SELECT projection_error FROM avinode_ingest.quotes WHERE quote_id = 'aquote-3'";
    assert!(text(&db.pool, reason).await.unwrap().contains("check"));
    let shown = "SELECT total_price::text FROM public.quotes WHERE avinode_quote_id = 'aquote-4'";
    assert_eq!(text(&db.pool, shown).await.as_deref(), Some("777.00"));
    // A newer fact that it can hold is shown.
    apply(
        &db.pool,
        &[quote("evt-5", "64956151", "arfq-1", "aquote-3", 30, "667", "USD")],
    )
    .await;
    assert_eq!(one(&db.pool, session).await.primary_quote.as_deref(), Some("aquote-3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_waits_for_a_request_and_is_shown_by_the_sweep_once_there_is_one() {
    let db = Db::attached().await;
    let session = application_session(7);
    apply(
        &db.pool,
        &[quote("evt-1", "4ND3C3", "arfq-1", "aquote-1", 0, "9000", "EUR")],
    )
    .await;
    let found = one(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (1, None));
    db.run(&format!(
        "UPDATE public.chat_sessions SET request_id = '02000000-0000-4000-8000-000000000004' WHERE id = '{session}'"
    ))
    .await;
    upkeep::turn(&db.pool, "a test", Duration::from_secs(60), false)
        .await
        .unwrap();
    drain(&shift(&db.pool, Policy::Latest, Clock::Fixed(base())), "w").await;
    let found = one(&db.pool, session).await;
    assert_eq!(found.quotes_received_count, 1);
    assert_eq!(found.primary_quote.as_deref(), Some("aquote-1"));
    assert_eq!(found.primary_currency.as_deref(), Some("EUR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_changed_in_a_quote_is_its_own_from_then_on() {
    let db = Db::attached().await;
    let price = |event: &str, seconds, price| quote(event, "64956151", "arfq-1", "aquote-1", seconds, price, "USD");
    apply(&db.pool, &[price("evt-1", 0, "9000")]).await;
    let row = "SELECT concat_ws(' ', status, base_price, total_price, aircraft_type, operator_name) FROM public.quotes
               WHERE avinode_quote_id = 'aquote-1'";
    assert_eq!(
        text(&db.pool, row).await.as_deref(),
        Some("received 9000.00 9000.00 Light Jet A. Seller")
    );
    db.run(
        "UPDATE public.quotes SET status = 'accepted', total_price = 9500, operator_name = 'Ours' \
         WHERE avinode_quote_id = 'aquote-1'",
    )
    .await;
    let expected = |base: &str| Some(format!("accepted {base} 9500.00 Light Jet Ours"));
    // The second is what the application had written: that it agrees for once does not make the column ours.
    for (event, seconds, amount, base) in [
        ("evt-2", 10, "9200", "9200.00"),
        ("evt-3", 20, "9500", "9500.00"),
        ("evt-4", 30, "9700", "9700.00"),
    ] {
        apply(&db.pool, &[price(event, seconds, amount)]).await;
        assert_eq!(text(&db.pool, row).await, expected(base));
    }
    let found = one(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_row_that_the_application_deleted_stays_deleted_and_stops_nothing() {
    let db = Db::attached().await;
    let session = application_session(6);
    let body = |event: &str, id: &str, seconds| quote(event, "64956151", "arfq-1", id, seconds, "9000", "USD");
    apply(&db.pool, &[body("evt-1", "aquote-1", 100)]).await;
    assert_eq!(one(&db.pool, session).await.primary_quote.as_deref(), Some("aquote-1"));
    db.run(&format!(
        "UPDATE public.chat_sessions SET primary_quote_id = NULL WHERE id = '{session}';
         DELETE FROM public.quotes WHERE avinode_quote_id = 'aquote-1'"
    ))
    .await;
    apply(
        &db.pool,
        &[body("evt-2", "aquote-2", 50), body("evt-3", "aquote-1", 200)],
    )
    .await;
    let found = one(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (2, None));
    let dead = "SELECT count(*)::text FROM avinode_ingest.dead_jobs";
    assert_eq!(text(&db.pool, dead).await.as_deref(), Some("0"));
    let rows = "SELECT count(*)::text FROM public.quotes WHERE avinode_quote_id IN ('aquote-1', 'aquote-2')";
    assert_eq!(text(&db.pool, rows).await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_applications_is_found_though_its_id_was_pasted_with_spaces() {
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
    // One by itself, and two together.
    apply(&db.pool, &[body(1)]).await;
    apply(&db.pool, &[body(2), body(3)]).await;
    assert_eq!(text(&db.pool, rows).await, before);
    let shown = "SELECT count(DISTINCT projected_id)::text FROM avinode_ingest.quotes";
    assert_eq!(text(&db.pool, shown).await.as_deref(), Some("3"));
    let found = one(&db.pool, application_session(1)).await;
    assert_eq!(found.quotes_received_count, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_stand_in_several_rows_are_counted_once_and_shown_by_the_first() {
    let db = Db::application().await;
    // Some applications have no rule that an id stands in one row only.
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
    apply(&db.pool, &bodies).await;
    let found = one(&db.pool, application_session(1)).await;
    assert_eq!(found.quotes_received_count, 3);
    let rows = "SELECT string_agg(right(projected_id::text, 3), ' ' ORDER BY quote_id) FROM avinode_ingest.quotes";
    assert_eq!(text(&db.pool, rows).await.as_deref(), Some("001 002 003"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_without_a_price_is_shown_once_it_has_one_and_a_price_taken_back_is_not_proposed() {
    let db = Db::attached().await;
    let session = application_session(6);
    let priced = |event: &str, seconds, price| quote(event, "64956151", "arfq-1", "aquote-1", seconds, price, "USD");
    let priceless = |event: &str, seconds| {
        let mut body = priced(event, seconds, "1");
        body["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
        body
    };
    let shown = "SELECT min(total_price)::text FROM public.quotes WHERE avinode_quote_id = 'aquote-1'";
    let expect = async |price: Option<&str>, primary: Option<&str>| {
        let found = one(&db.pool, session).await;
        assert_eq!(
            (found.quotes_received_count, found.primary_quote.as_deref()),
            (1, primary)
        );
        assert_eq!(text(&db.pool, shown).await.as_deref(), price);
    };
    apply(&db.pool, &[priceless("evt-1", 0)]).await;
    expect(None, None).await;
    apply(&db.pool, &[priced("evt-2", 10, "9000")]).await;
    expect(Some("9000.00"), Some("aquote-1")).await;
    // The row keeps the last price that was known, for its column takes no other; the session does not propose it.
    apply(&db.pool, &[priceless("evt-3", 20)]).await;
    expect(Some("9000.00"), None).await;
    apply(&db.pool, &[priced("evt-4", 30, "9500")]).await;
    expect(Some("9500.00"), Some("aquote-1")).await;
}
