//! One odd row stops no other: whatever value Postgres can hold in a row of the application's, the other sessions of its trip get
//! their quotes, nothing dies, and the API answers.

use std::sync::Arc;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::chat_session::status::SessionStatus;
use avinode_ingest::domain::ids::TripId;
use avinode_ingest::sessions::service::SessionService;
use avinode_ingest::store::{admin, resync, unprojected};
use proptest::prelude::*;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::bodies::{base, message, quote, trip};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::generators;
use crate::support::sessions::{SessionBuilder, quote_count, update_session};
use crate::support::snapshot::{dead_reasons, live_jobs};
use crate::support::sql::count;
use crate::support::worker::{run_jobs, run_until_idle, worker};

/// Every case needs a database of its own.
const CASES: u32 = 8;

const TIMES: [&str; 6] = [
    "'infinity'",
    "'-infinity'",
    "'294276-12-31 23:59:59.999999Z'",
    "'262143-01-01 00:00Z'",
    "'4714-11-24 00:00:00Z BC'",
    "'0001-01-01Z'",
];
const COUNTS: [&str; 4] = ["2147483647", "2147483646", "0", "NULL"];
const PRICES: [&str; 7] = [
    "'NaN'",
    "'Infinity'",
    "1e131071",
    "1e-16383",
    "round(1, 16383)",
    "1e30 + 1e-30",
    "NULL",
];
const TEXTS: [&str; 3] = ["''", "repeat('x', 3000000)", "repeat(U&'\\202E', 100000)"];
/// Values of `jsonb` columns. The text form of the first ones is a hundred to ten thousand times as long as what is stored.
const JSON: [&str; 12] = [
    "jsonb_build_object('a', array_fill(1e131071, ARRAY[40]))",
    "jsonb_build_object('currency', array_fill(1e131071, ARRAY[40]), 'type', array_fill(1e131071, ARRAY[40]))",
    "jsonb_build_object('avinode_trip', array_fill(1e131071, ARRAY[40]))",
    "jsonb_build_object('avinode_trip', jsonb_build_object('status', array_fill(1e131071, ARRAY[40]), 'at', 1e131071))",
    "jsonb_build_object('avinode_trip', jsonb_build_object('status', repeat('x', 3000000), 'at', 'infinity'))",
    "jsonb_build_object('a', array_fill(round(1, 16383), ARRAY[300]))",
    "(repeat('[', 2000) || repeat(']', 2000))::jsonb",
    "jsonb_build_object('a', (repeat('{\"a\":', 500) || '1' || repeat('}', 500))::jsonb)",
    "jsonb_build_object('a', repeat('x', 6000000))",
    "'1e131071'",
    "'[]'",
    "NULL",
];

/// Assignments to the rows of the odd session.
#[derive(Debug, Clone)]
struct OddRows {
    session: Vec<String>,
    request: Vec<String>,
    conversation: Vec<String>,
    quote: Vec<String>,
}

/// One value, or none, for each of these columns.
fn assignments(columns: &'static [(&'static str, &'static [&'static str])]) -> impl Strategy<Value = Vec<String>> {
    let each: Vec<_> = columns
        .iter()
        .map(|(column, values)| {
            let assignment = prop::sample::select(*values).prop_map(move |value| format!("{column} = {value}"));
            prop::option::weighted(0.6, assignment)
        })
        .collect();
    each.prop_map(|assigned| assigned.into_iter().flatten().collect())
}

fn odd_rows() -> impl Strategy<Value = OddRows> {
    let session = assignments(&[
        ("quotes_received_count", &COUNTS),
        ("quotes_expected_count", &COUNTS),
        ("operators_contacted_count", &COUNTS),
        ("message_count", &COUNTS),
        ("last_activity_at", &TIMES),
        ("created_at", &TIMES),
        ("session_started_at", &TIMES),
        ("session_ended_at", &TIMES),
        ("updated_at", &TIMES),
        ("current_step", &TEXTS),
        ("workflow_state", &JSON),
        ("metadata", &JSON),
        ("odd_numeric", &PRICES),
        ("odd_json", &["'{\"a\": 1e999999999}'", "'{\"a\": \"\\u0000\"}'", "'1'"]),
    ]);
    let request = assignments(&[
        ("departure_date", &TIMES),
        ("created_at", &TIMES),
        ("departure_airport", &TEXTS),
        ("passengers", &COUNTS),
    ]);
    let conversation = assignments(&[("subject", &TEXTS)]);
    let quote = assignments(&[
        ("total_price", &PRICES),
        ("base_price", &PRICES),
        ("valid_until", &TIMES),
        ("received_at", &TIMES),
        ("metadata", &JSON),
        ("aircraft_details", &JSON),
        ("raw_webhook_payload", &JSON),
        ("operator_name", &TEXTS),
        ("operator_id", &TEXTS),
        ("aircraft_type", &TEXTS),
        ("aircraft_tail_number", &TEXTS),
    ]);
    (session, request, conversation, quote).prop_map(|(session, request, conversation, quote)| OddRows {
        session,
        request,
        conversation,
        quote,
    })
}

/// Columns as an application may have declared them: no scale of prices, a column of its own.
async fn loosen(db: &Db) {
    db.run(
        "ALTER TABLE public.quotes DROP CONSTRAINT quotes_base_price_check, DROP CONSTRAINT quotes_total_price_check,
             ALTER COLUMN base_price TYPE numeric, ALTER COLUMN total_price TYPE numeric;
         ALTER TABLE public.chat_sessions ADD COLUMN odd_numeric numeric, ADD COLUMN odd_json json",
    )
    .await;
}

async fn assign(db: &Db, table: &str, assignments: &[String], condition: &str) {
    if !assignments.is_empty() {
        let assignments = assignments.join(", ");
        db.run(&format!("UPDATE public.{table} SET {assignments} WHERE {condition}"))
            .await;
    }
}

/// Everything that the API and the periodic work read.
async fn read_everything(db: &Db, odd: Uuid, neighbour: Uuid) {
    let api = SessionService::new(db.pool.service(), Clock::Fixed(base()));
    let filters = [
        SessionFilter::default(),
        SessionFilter {
            trip_id: Some(TripId::parse("atrip-1").unwrap()),
            ..SessionFilter::default()
        },
        SessionFilter {
            status: Some(SessionStatus::Active),
            ..SessionFilter::default()
        },
    ];
    for filter in filters {
        for limit in [1, 50] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = api.list(&filter, &PageRequest { after, limit }).await.unwrap();
                found.extend(page.data.iter().map(|session| session.id));
                assert!(serde_json::to_vec(&page.data).unwrap().len() < 2_000_000);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            found.sort_unstable();
            assert_eq!(
                found,
                Vec::from_iter(std::collections::BTreeSet::from([odd, neighbour]))
            );
        }
    }
    for session in [odd, neighbour] {
        api.get(session).await.unwrap();
        let first = |limit| PageRequest { after: None, limit };
        assert_eq!(api.quotes(session, &first(50)).await.unwrap().data.len(), 2);
        let timeline = PageRequest { after: None, limit: 50 };
        assert!(!api.timeline(session, &timeline).await.unwrap().data.is_empty());
    }
    api.statistics().await.unwrap();
    admin::sessions(&db.pool, &[odd, neighbour]).await.unwrap();
    resync::find_missed_sessions(&db.pool).await.unwrap();
    resync::find_projectable_sessions(&db.pool).await.unwrap();
    unprojected::count_by_reason(&db.pool).await.unwrap();
}

#[test]
fn whatever_is_in_the_row_of_a_session_its_neighbours_are_served() {
    let runtime = Runtime::new().unwrap();
    generators::check(CASES, &odd_rows(), |rows| {
        runtime.block_on(async {
            let db = Db::new().await;
            loosen(&db).await;
            let odd = SessionBuilder::of_trip("atrip-1").subject("odd").insert(&db.pool).await;
            let neighbour = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
            let first = [quote("evt-1", "atrip-1", "arfq-1", "aquote-1", 1, "10000", "USD")];
            store_deliveries(&db.pool, &first, base()).await;
            run_jobs(&db.pool).await;
            assign(&db, "chat_sessions", &rows.session, &format!("id = '{odd}'")).await;
            let of_odd = |column: &str| format!("id = (SELECT {column} FROM public.chat_sessions WHERE id = '{odd}')");
            assign(&db, "requests", &rows.request, &of_odd("request_id")).await;
            assign(&db, "conversations", &rows.conversation, &of_odd("conversation_id")).await;
            assign(&db, "quotes", &rows.quote, "true").await;
            let later = [
                quote("evt-2", "atrip-1", "arfq-1", "aquote-1", 2, "11000", "USD"),
                quote("evt-3", "atrip-1", "arfq-2", "aquote-2", 3, "9000", "USD"),
                trip("evt-4", "atrip-1", "arfq-1", "created", 4),
                trip("evt-5", "atrip-1", "arfq-1", "updated", 5),
                message("evt-6", "atrip-1", "amsg-1", 6),
            ];
            store_deliveries(&db.pool, &later, base()).await;
            run_jobs(&db.pool).await;
            assert_eq!(dead_reasons(&db.pool).await, Vec::<String>::new());
            assert_eq!(live_jobs(&db.pool).await, 0);
            assert_eq!(quote_count(&db.pool, neighbour).await, 2);
            read_everything(&db, odd, neighbour).await;
        });
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_at_the_largest_count_and_beyond_all_dates_stays_there_and_its_neighbour_is_served() {
    for db in [Db::new().await, Db::attached().await] {
        let odd = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
        let neighbour = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
        update_session(
            &db.pool,
            odd,
            "quotes_received_count = 2147483647, last_activity_at = '294276-01-01', created_at = '294276-01-01',
             workflow_state = jsonb_build_object('avinode_trip', array_fill(1e131071, ARRAY[1000]))",
        )
        .await;
        let bodies = [quote("evt-1", "atrip-1", "arfq-1", "aquote-1", 1, "10000", "USD")];
        store_deliveries(&db.pool, &bodies, base()).await;
        let worker = worker(&db.pool);
        for _ in 0..2 {
            let step = worker.step("w").await.unwrap();
            assert_eq!((step.settled.rescheduled, step.settled.dead), (0, 0));
        }
        assert_eq!(live_jobs(&db.pool).await, 0);
        assert_eq!(quote_count(&db.pool, odd).await, i32::MAX, "saturated");
        assert_eq!(quote_count(&db.pool, neighbour).await, 1);
        let shown = count(
            &db.pool,
            "SELECT count(*) FROM public.chat_sessions WHERE last_activity_at >= '294276-01-01'",
        );
        assert_eq!(shown.await, 1, "the last activity is never lowered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_table_refuses_to_change_gets_a_dead_letter_and_its_neighbour_is_served() {
    let db = Db::new().await;
    let odd = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    let neighbour = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    run_jobs(&db.pool).await;
    let refuses = format!("CHECK (id <> '{odd}' OR quotes_received_count = 0)");
    db.run(&format!(
        "ALTER TABLE public.chat_sessions ADD CONSTRAINT refuses {refuses}"
    ))
    .await;
    let bodies = [quote("evt-1", "atrip-1", "arfq-1", "aquote-1", 1, "10000", "USD")];
    store_deliveries(&db.pool, &bodies, base()).await;
    let mut worker = Arc::into_inner(worker(&db.pool)).unwrap();
    worker.retry.max_attempts = 2;
    run_until_idle(&worker).await;
    assert_eq!(
        (quote_count(&db.pool, odd).await, quote_count(&db.pool, neighbour).await),
        (0, 1)
    );
    let dead = dead_reasons(&db.pool).await;
    assert!(dead.len() == 1 && dead[0].contains("refuses"), "{dead:?}");
    let kind: String = sqlx::query_scalar("SELECT kind || ' ' || key FROM avinode_ingest.dead_jobs")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(kind, format!("rematch {odd}"));
}
