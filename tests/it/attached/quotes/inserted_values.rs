//! The application reads Avinode as well: a price that it inserted, and that Avinode never stated to us, is replaced by a newer one.

use std::time::Duration;

use avinode_ingest::postgres::migrator;
use serde_json::Value;

use super::setup::{application_session, poll, prices, resync, statement, webhook};
use crate::support::bodies::base;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::race::delay_one_side;
use crate::support::sessions::view;
use crate::support::snapshot::dead_jobs;
use crate::support::sql::text;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_price_replaces_one_that_only_the_application_was_told() {
    let db = Db::attached().await;
    // Ours first, its poll between; its row first, whose webhook was missed.
    webhook(&db, "aquote-1", 0, 46_400).await;
    for id in ["aquote-1", "aquote-2"] {
        db.run(&poll(id, 50_000)).await;
        resync(&db).await;
        assert_eq!(prices(&db, id).await, "50000.00 50000.00", "nothing newer is known");
        webhook(&db, id, 20, 60_000).await;
        assert_eq!(prices(&db, id).await, "60000.00 60000.00");
    }
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, 2);
    assert!(found.primary_quote.is_some());
    let (_, words) = check(&[("DATABASE_URL", &db.url())]).await.of("quotes");
    assert!(words.contains("has all known quotes"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_order_of_two_webhooks_and_a_poll_the_newest_statement_is_shown() {
    let db = Db::attached().await;
    // Webhooks of 46,400 and 60,000, and a poll of 50,000, which no webhook ever states.
    for (number, (order, expected)) in [
        ("WVP", "50000.00"),
        ("WPV", "60000.00"),
        ("PWV", "60000.00"),
        ("PVW", "60000.00"),
        // A statement that arrives late is news, and the newest one is shown.
        ("VPW", "60000.00"),
        ("VWP", "50000.00"),
        // A repetition is no news.
        ("WPW", "50000.00"),
        ("WVPWV", "50000.00"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("aquote-{number}");
        for step in order.chars() {
            match step {
                'W' => webhook(&db, &id, 0, 46_400).await,
                'V' => webhook(&db, &id, 20, 60_000).await,
                _ => db.run(&poll(&id, 50_000)).await,
            }
        }
        resync(&db).await;
        assert_eq!(prices(&db, &id).await, format!("{expected} {expected}"), "{order}");
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_a_person_wrote_stays_beside_polls() {
    let db = Db::attached().await;
    webhook(&db, "aquote-1", 0, 46_400).await;
    db.run(&poll("aquote-1", 50_000)).await;
    db.run("UPDATE public.quotes SET total_price = 47000 WHERE avinode_quote_id = 'aquote-1'")
        .await;
    webhook(&db, "aquote-1", 20, 60_000).await;
    resync(&db).await;
    assert_eq!(prices(&db, "aquote-1").await, "60000.00 47000.00");
    let (_, words) = check(&[("DATABASE_URL", &db.url())]).await.of("quotes");
    assert!(
        words.contains("1 have a price in public.quotes that Avinode never stated")
            && words.contains("aquote-1 has 47000.00, Avinode states 60000 USD"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_before_the_first_attach_follow_avinode_and_those_by_hand_do_not() {
    let db = Db::application().await;
    db.run(
        "UPDATE public.quotes SET avinode_quote_id = NULL, metadata = '{\"avinode_quote_id\": \"aquote-386512702\"}'
         WHERE avinode_quote_id = 'aquote-386512702'",
    )
    .await;
    migrator::migrate(&db.options).await.unwrap();
    let rows = "SELECT string_agg(total_price::text, ' ' ORDER BY id) FROM public.quotes";
    assert_eq!(
        text(&db.pool, rows).await.as_deref(),
        Some("45000.00 42500.00 55000.00 39000.00 10500.00 16800.00"),
        "the migration changes no row"
    );
    let bodies: Vec<Value> = (1..4)
        .map(|n| {
            let mut body = statement(&format!("aquote-38651270{n}"), n, 47_000);
            body["data"]["trip"]["id"] = "atrip-64956150".into();
            body
        })
        .collect();
    receive(&db.pool, &bodies).await;
    assert_eq!(
        text(&db.pool, rows).await.as_deref(),
        Some("47000.00 47000.00 47000.00 39000.00 10500.00 16800.00")
    );
    let statuses = "SELECT string_agg(status::text, ' ' ORDER BY id) FROM public.quotes";
    assert_eq!(
        text(&db.pool, statuses).await.as_deref(),
        Some("received analyzed rejected pending accepted accepted")
    );
    assert_eq!(view(&db.pool, application_session(1)).await.quotes_received_count, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn beside_polls_of_prices_that_no_webhook_states_every_row_ends_with_the_last_one() {
    const QUOTES: usize = 6;
    const PRICES: i64 = 10;
    let db = Db::attached().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let id = |number: usize| format!("aquote-{number}");
    let poller = |first: i64| {
        let db = &db;
        async move {
            for price in 0..PRICES {
                for number in 0..QUOTES {
                    db.run(&poll(&id(number), 20_000 + first + price)).await;
                }
                delay_one_side(Duration::from_millis(10)).await;
            }
        }
    };
    let webhooks = async {
        for price in 0..PRICES {
            let bodies: Vec<Value> = (0..QUOTES)
                .map(|number| statement(&id(number), price, 10_000 + price))
                .collect();
            store_deliveries(&db.pool, &bodies, base()).await;
            delay_one_side(Duration::from_millis(10)).await;
        }
    };
    // Two processes of the application, and ours.
    tokio::join!(poller(0), poller(500), webhooks);
    workers.finish().await;
    let last: Vec<Value> = (0..QUOTES).map(|number| statement(&id(number), 90, 90_000)).collect();
    receive(&db.pool, &last).await;
    run_jobs(&db.pool).await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    for number in 0..QUOTES {
        assert_eq!(prices(&db, &id(number)).await, "90000.00 90000.00");
    }
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, i32::try_from(QUOTES).unwrap());
}
