//! The row of a quote shows what Avinode stated last, whoever wrote the row: the application polls Avinode and upserts rows of
//! its own. A value that Avinode never stated is a person's, and stays.

use std::time::Duration;

use avinode_ingest::jobs::maintenance;
use serde_json::Value;

use super::setup::application_session;
use crate::support::bodies::{base, quote};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::race::delay_one_side;
use crate::support::sessions::view;
use crate::support::snapshot::dead_jobs;
use crate::support::sql::text;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

const TRIP: &str = "64956151";
const REQUEST: &str = "02000000-0000-4000-8000-000000000004";

/// Avinode's statement of a price; the seconds are its number.
fn stated(quote_id: &str, seconds: i64, price: i64) -> Value {
    let event = format!("evt-{quote_id}-{seconds}");
    quote(&event, TRIP, "arfq-1", quote_id, seconds, &price.to_string(), "USD")
}

/// The application's poll.
fn upsert(quote_id: &str, price: i64) -> String {
    format!(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status,
            avinode_quote_id, metadata)
         VALUES ('{REQUEST}', 'seller-1', 'A. Seller', {price}, {price}, 'Example 300', 'received', '{quote_id}',
            '{{\"polled\": true}}')
         ON CONFLICT (avinode_quote_id) DO UPDATE
         SET base_price = EXCLUDED.base_price, total_price = EXCLUDED.total_price"
    )
}

async fn prices(db: &Db, quote_id: &str) -> String {
    let prices: Option<String> = sqlx::query_scalar(
        "SELECT string_agg(concat_ws(' ', base_price, total_price), ', ') FROM public.quotes WHERE avinode_quote_id = $1",
    )
    .bind(quote_id)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    prices.unwrap_or_default()
}

async fn resync(db: &Db) {
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_application_inserted_shows_the_newest_price() {
    let db = Db::attached().await;
    db.run(&upsert("aquote-1", 46_400)).await;
    receive(&db.pool, &[stated("aquote-1", 0, 46_400)]).await;
    assert_eq!(prices(&db, "aquote-1").await, "46400.00 46400.00");
    receive(&db.pool, &[stated("aquote-1", 10, 50_000)]).await;
    assert_eq!(prices(&db, "aquote-1").await, "50000.00 50000.00");
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, 1);
    assert_eq!(found.primary_quote.as_deref(), Some("aquote-1"));
    let row = "SELECT concat_ws(' ', operator_id, operator_name, aircraft_type, metadata ->> 'polled', metadata ->> 'currency')
        FROM public.quotes WHERE avinode_quote_id = 'aquote-1'";
    assert_eq!(
        text(&db.pool, row).await.as_deref(),
        Some("company-1 Northwind Jets Light Jet true USD")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_order_of_polls_and_webhooks_the_row_shows_the_newest_price() {
    let db = Db::attached().await;
    // 0, 1 and 2: webhooks of 46,400, 50,000 and 60,000. 3 and 4: polls of 46,400 and 50,000.
    let orders = [
        [0, 4, 1, 2, 3],
        [3, 0, 4, 1, 2],
        [2, 0, 1, 3, 4],
        [0, 4, 2, 1, 3],
        [4, 2, 3, 1, 0],
        [3, 2, 4, 0, 1],
        [2, 3, 0, 4, 1],
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let id = format!("aquote-{number}");
        for step in order {
            match step {
                0 => receive(&db.pool, &[stated(&id, 0, 46_400)]).await,
                1 => receive(&db.pool, &[stated(&id, 10, 50_000)]).await,
                2 => receive(&db.pool, &[stated(&id, 20, 60_000)]).await,
                3 => db.run(&upsert(&id, 46_400)).await,
                _ => db.run(&upsert(&id, 50_000)).await,
            }
        }
    }
    // A poll that was last wrote an older price, which the resync finds.
    resync(&db).await;
    for (number, order) in orders.iter().enumerate() {
        let found = prices(&db, &format!("aquote-{number}")).await;
        assert_eq!(found, "60000.00 60000.00", "{order:?}");
    }
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, i32::try_from(orders.len()).unwrap());
    let (_, words) = check(&[("DATABASE_URL", &db.url())]).await.of("quotes");
    assert!(words.contains("has all known quotes"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_avinode_never_stated_stays_and_check_counts_it() {
    let db = Db::attached().await;
    receive(&db.pool, &[stated("aquote-1", 0, 46_400), stated("aquote-2", 0, 9_000)]).await;
    db.run("UPDATE public.quotes SET total_price = 47000 WHERE avinode_quote_id = 'aquote-1'")
        .await;
    receive(
        &db.pool,
        &[stated("aquote-1", 10, 50_000), stated("aquote-2", 10, 9_100)],
    )
    .await;
    resync(&db).await;
    assert_eq!(prices(&db, "aquote-1").await, "50000.00 47000.00");
    assert_eq!(prices(&db, "aquote-2").await, "9100.00 9100.00");
    let (_, words) = check(&[("DATABASE_URL", &db.url())]).await.of("quotes");
    assert!(
        words.contains("1 have a price in public.quotes that Avinode never stated")
            && words.contains("aquote-1 has 47000.00, Avinode states 50000 USD"),
        "{words}"
    );
    // Avinode states it later: the price is then no longer one that a person chose, and an older fact counts as well.
    receive(&db.pool, &[stated("aquote-1", 5, 47_000)]).await;
    assert_eq!(prices(&db, "aquote-1").await, "50000.00 50000.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_compared_as_the_column_rounds_them() {
    let db = Db::attached().await;
    db.run(&upsert("aquote-1", 1).replace(", 1, 1,", ", 46400.125, 46400.125,"))
        .await;
    let body = |seconds, price: &str| {
        let event = format!("evt-{seconds}");
        quote(&event, TRIP, "arfq-1", "aquote-1", seconds, price, "USD")
    };
    receive(&db.pool, &[body(0, "46400.125")]).await;
    receive(&db.pool, &[body(10, "50000")]).await;
    assert_eq!(prices(&db, "aquote-1").await, "50000.00 50000.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_application_polls_every_row_ends_with_the_newest_price() {
    const QUOTES: usize = 6;
    const PRICES: i64 = 12;
    let db = Db::attached().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let id = |number: usize| format!("aquote-{number}");
    // The application reads what Avinode says at the time, and writes it some time later.
    let polls = async {
        for price in 0..PRICES {
            for number in 0..QUOTES {
                let statement = sqlx::AssertSqlSafe(upsert(&id(number), 10_000 + price));
                sqlx::query(statement).execute(&db.pool).await.unwrap();
            }
            delay_one_side(Duration::from_millis(15)).await;
        }
    };
    let webhooks = async {
        for price in 0..PRICES {
            let bodies: Vec<Value> = (0..QUOTES)
                .map(|number| stated(&id(number), price, 10_000 + price))
                .collect();
            store_deliveries(&db.pool, &bodies, base()).await;
            delay_one_side(Duration::from_millis(10)).await;
        }
    };
    tokio::join!(polls, webhooks);
    workers.finish().await;
    resync(&db).await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    for number in 0..QUOTES {
        let newest = 10_000 + PRICES - 1;
        assert_eq!(prices(&db, &id(number)).await, format!("{newest}.00 {newest}.00"));
    }
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, i32::try_from(QUOTES).unwrap());
    assert!(found.primary_quote.is_some());
}
