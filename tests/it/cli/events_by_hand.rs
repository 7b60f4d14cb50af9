//! `trigger` and `tail`: an event is sent by hand, and is seen with its outcome; `jobs summary` counts what waits.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::crash::program::Program;
use crate::support::PATIENCE;
use crate::support::bodies::{base, event};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::program::{run, run_on};
use crate::support::service::{RunningService, SECRET};
use crate::support::sessions::{SessionBuilder, view};
use crate::support::sql::count;
use crate::support::worker::run_jobs;

/// The line of `tail` for a delivery that was applied. On a slow machine one that says that it is queued comes before.
async fn applied(tail: &Program, delivery: &Value) -> Value {
    let delivery = delivery.as_str().unwrap();
    eventually(PATIENCE, delivery, async || {
        let said = tail.said();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut lines = lines.filter(|line| line["id"] == delivery);
        lines.find(|line| line["outcome"] == "applied").ok_or(said.clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_triggered_quote_of_a_session_counts_for_it_and_tail_shows_it_applied() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let service = RunningService::start(&db.pool, Default::default()).await;
    let (url, id) = (db.url(), session.to_string());
    let variables = [("DATABASE_URL", url.as_str())];
    let mut tail = Program::start("tail --json --since 1h", &variables);
    let trigger = async |arguments: &[&str]| {
        let target = ["--url", &service.base, "--secret", SECRET];
        run(&[&["trigger"], arguments, &target].concat(), &variables).await
    };
    let sent = trigger(&[
        "quote",
        "--session",
        &id,
        "--price",
        "123.45",
        "--currency",
        "EUR",
        "--json",
    ])
    .await;
    assert_eq!(sent.code, Some(0), "{}", sent.all());
    let sent = sent.json();
    assert_eq!(sent["ids"]["trip"], json!("A1B2C3"));
    let line = applied(&tail, &sent["delivery"]).await;
    assert_eq!(
        [&line["outcome"], &line["quotes"][0]],
        [&json!("applied"), &sent["ids"]["quote"]]
    );
    let seen = view(&db.pool, session).await;
    assert_eq!(seen.quotes_received_count, 1);
    assert_eq!(seen.primary_price.unwrap().to_string(), "123.45");
    // A lower price of the same quote is no second quote; the other kinds are applied as well.
    let quote = sent["ids"]["quote"].as_str().unwrap();
    let rfq = sent["ids"]["RFQ"].as_str().unwrap();
    let lower = trigger(&[
        "quote",
        "--session",
        &id,
        "--quote",
        quote,
        "--rfq",
        rfq,
        "--price",
        "100",
    ])
    .await;
    assert!(lower.stdout.contains("see avinode-ingest trace "), "{}", lower.all());
    eventually(PATIENCE, "the lower price", async || {
        let seen = view(&db.pool, session).await;
        let price = seen.primary_price.map(|price| price.to_string());
        equal((seen.quotes_received_count, price), (1, Some("100.00".to_owned())))
    })
    .await;
    for kind in ["message", "decline", "acceptance", "rfq_sent", "cancellation"] {
        let sent = trigger(&[kind, "--trip", "A1B2C3", "--rfq", rfq, "--quote", quote, "--json"]).await;
        let line = applied(&tail, &sent.json()["delivery"]).await;
        assert_eq!(
            [&line["kind"], &line["outcome"]],
            [&json!(kind), &json!("applied")],
            "{line}"
        );
    }
    tail.signal(Signal::SIGINT);
    assert_eq!(tail.ended(PATIENCE).await.code(), Some(0), "{}", tail.said());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_says_that_the_service_refused_it_or_cannot_be_reached() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, Default::default()).await;
    let refused = run(
        &[
            "trigger",
            "quote",
            "--url",
            &service.base,
            "--secret",
            "another-secret-of-16",
        ],
        &[],
    )
    .await;
    assert_eq!(refused.code, Some(1), "{}", refused.all());
    assert!(
        refused.stderr.contains("the service answered 401"),
        "{}",
        refused.stderr
    );
    let unreachable = run(
        &["trigger", "quote", "--url", "http://127.0.0.1:1", "--secret", SECRET],
        &[],
    )
    .await;
    assert_eq!(unreachable.code, Some(69), "{}", unreachable.all());
    let unknown = [
        "trigger",
        "quote",
        "--session",
        "00000000-0000-0000-0000-000000000001",
        "--secret",
        SECRET,
    ];
    let unknown = run_on(&db, &unknown).await;
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("00000000-0000-0000-0000-000000000001"),
        "{}",
        unknown.all()
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_counted_by_kind_state_and_reason() {
    let db = Db::new().await;
    let shown = run_on(&db, &["jobs", "summary"]).await.stdout;
    assert_eq!(shown, "no jobs: everything that was received is done\n");
    let thin = |id: &str| json!({"id": id, "href": format!("https://sandbox.avinode.com/api/rfqs/{id}"), "type": "Rfqs", "tripId": "A1B2C3"});
    let odd = |id: &str, kind: &str| event(kind, id, 1, json!({"trip": {"id": "A1B2C3"}}));
    let bodies = [
        thin("arfq-1"),
        thin("arfq-2"),
        odd("evt-1", "TripOdd"),
        odd("evt-2", "TripOdd"),
        odd("evt-3", "TripNew"),
    ];
    store_deliveries(&db.pool, &bodies, base()).await;
    run_jobs(&db.pool).await;
    let counted = run_on(&db, &["jobs", "summary", "--json"]).await.json();
    let kinds = counted["jobs"].as_array().unwrap().iter();
    let kinds: Vec<Value> = kinds.map(|of| json!([of["kind"], of["state"], of["jobs"]])).collect();
    let expected = [
        json!(["fetch_notified", "available", 2]),
        json!(["full_event", "dead", 3]),
    ];
    assert_eq!(kinds, expected, "{counted:#}");
    let group = &counted["dead_letters"]["data"][0];
    assert_eq!(
        [&group["jobs"], &group["reason"]],
        [&json!(3), &json!("unknown event kind")]
    );
    assert_eq!(counted["oldest_due_job"]["kind"], "fetch_notified", "{counted:#}");
    let shown = run_on(&db, &["jobs", "summary"]).await.stdout;
    let lines: Vec<&str> = shown.lines().collect();
    let [_, _, dead, fetches, "", end, fetching] = lines[..] else {
        panic!("{shown}")
    };
    assert!(
        dead.contains("unknown event kind") && fetches.contains("fetch_notified"),
        "{shown}"
    );
    assert!(
        end.starts_with("5 jobs, 3 dead; the oldest due one waits since "),
        "{shown}"
    );
    assert!(fetching.contains("no process has credentials"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_without_news_reads_no_delivery_a_second_time() {
    const DELIVERIES: usize = 1_500;
    let db = Db::new().await;
    db.run(&format!(
        "CREATE TEMPORARY TABLE made AS
         SELECT n, now() - n * interval '1 millisecond' AS at,
            (left(avinode_ingest.uuid_of_time(now() - n * interval '1 millisecond')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid AS id
         FROM generate_series(1, {DELIVERIES}) AS n;
         INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
         SELECT id, at, 'hmac#1', '', '{{}}' FROM made;
         INSERT INTO avinode_ingest.outcomes (job_id, kind, delivery_id, created_at, attempts, outcome, detail)
         SELECT n, 'full_event', id, at, 1, 'applied', 'detail' FROM made;
         ANALYZE"
    ))
    .await;
    let tail = Program::start("tail --json --since 1h", &[("DATABASE_URL", db.url().as_str())]);
    eventually(PATIENCE, "all deliveries are shown", async || {
        at_least(
            tail.said().lines().filter(|line| line.starts_with('{')).count(),
            DELIVERIES,
        )
    })
    .await;
    let polls = "SELECT sum(seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_user_tables WHERE relname LIKE 'deliveries%'";
    let outcomes = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables WHERE relname = 'outcomes'";
    let reached = async |scans: i64| {
        eventually(PATIENCE, "the database is asked", async || {
            at_least(count(&db.pool, polls).await, scans)
        })
        .await;
        count(&db.pool, polls).await
    };
    // The reads of a poll are counted within a second of it.
    let begun = reached(count(&db.pool, polls).await + 4).await;
    let before = count(&db.pool, outcomes).await;
    reached(begun + 4).await;
    let read = count(&db.pool, outcomes).await - before;
    assert!(read < 100, "{read} outcomes");
}
