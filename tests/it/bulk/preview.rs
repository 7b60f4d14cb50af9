//! The preview of a replay changes nothing, and names exactly the sessions that the replay changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use avinode_ingest::admin::preview::{self, Preview};
use avinode_ingest::admin::selection::DeliverySelection;
use avinode_ingest::clock::Clock;
use chrono::DateTime;
use proptest::prelude::any;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::applier;
use crate::support::actions::replay;
use crate::support::bodies::{base, event, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::{store_at, store_deliveries};
use crate::support::generators::{self, LATE_TRIP, deliveries};
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, set_trip_id};
use crate::support::worker::{run_jobs, run_until_idle, worker_at};

/// Every row of every table, as text.
pub(super) async fn all_rows(pool: &Pool) -> BTreeMap<String, Vec<String>> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
         WHERE nspname IN ('public', 'avinode_ingest') AND relkind IN ('r', 'p') AND NOT relispartition",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut all = BTreeMap::new();
    for table in tables {
        let query = format!("SELECT row::text FROM {table} AS row ORDER BY 1");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(pool).await.unwrap();
        all.insert(table, rows);
    }
    all
}

/// Each session with its row and the number of its timeline entries.
async fn sessions(pool: &Pool) -> BTreeMap<Uuid, Value> {
    let rows: Vec<(Uuid, Value)> = sqlx::query_as(
        "SELECT id, to_jsonb(s) || jsonb_build_object('entries',
            (SELECT count(*) FROM avinode_ingest.timeline WHERE session_id = s.id)) FROM public.chat_sessions AS s",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.into_iter().collect()
}

pub(super) fn all() -> DeliverySelection {
    DeliverySelection {
        since: Some(DateTime::UNIX_EPOCH),
        ..DeliverySelection::default()
    }
}

async fn preview(pool: &Pool, clock: Clock) -> Preview {
    let applier = applier(pool, clock);
    preview::run(&applier, &all(), 1_000, &|_| true).await.unwrap().unwrap()
}

#[test]
fn a_preview_writes_nothing_and_names_exactly_the_sessions_that_the_replay_changes() {
    let runtime = Runtime::new().unwrap();
    let changing = AtomicUsize::new(0);
    let strategy = (deliveries(), any::<u64>());
    generators::check(12, &strategy, |(sent, applied)| {
        runtime.block_on(async {
            let db = Db::new().await;
            let late = generators::sessions(&db.pool).await;
            set_trip_id(&db.pool, late, Some(LATE_TRIP)).await;
            let clock = Clock::Fixed(generators::now());
            let worker = worker_at(&db.pool, clock);
            for (number, (body, received_at)) in sent.iter().enumerate() {
                store_at(&db.pool, &serde_json::to_vec(body).unwrap(), *received_at).await;
                // Some are applied, of the others the job is lost.
                if applied & (1 << (number % 64)) == 0 {
                    db.run("DELETE FROM avinode_ingest.jobs WHERE kind = 'full_event'")
                        .await;
                }
                run_until_idle(&worker).await;
            }
            let before = all_rows(&db.pool).await;
            let preview = preview(&db.pool, clock).await;
            assert_eq!(all_rows(&db.pool).await, before);
            assert_eq!(preview.undecided, 0);

            let was = sessions(&db.pool).await;
            let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries")
                .fetch_all(&db.pool)
                .await
                .unwrap();
            replay(&db.pool, &ids).await;
            run_until_idle(&worker).await;
            let is = sessions(&db.pool).await;
            let changed: BTreeSet<Uuid> = is
                .iter()
                .filter(|(id, it)| was.get(id) != Some(it))
                .map(|(id, _)| *id)
                .collect();
            assert_eq!(preview.sessions, changed);
            changing.fetch_add(usize::from(!changed.is_empty()), Ordering::Relaxed);
        });
    });
    assert!(changing.into_inner() > 0, "no replay changed a session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_counts_what_it_cannot_decide() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let bodies = [
        quote_of("A1B2C3", "aquote-1", 10),
        event("TripSomethingNew", "evt-9", 40, json!({"trip": {"id": "A1B2C3"}})),
        json!({"neither": "format"}),
        json!({"id": "arfq-77", "href": "https://sandbox.avinode.com/api/rfqs/arfq-77", "type": "Rfqs", "tripId": "A1B2C3"}),
        quote_of("A1B2C3", "aquote-2", 20),
    ];
    let ids = store_deliveries(&db.pool, &bodies, base()).await;
    run_jobs(&db.pool).await;
    let redacted = format!(
        "INSERT INTO avinode_ingest.redactions (delivery_id, body_sha256, body_bytes) VALUES ('{}', '', 0)",
        ids[4]
    );
    db.run(&redacted).await;
    let found = preview(&db.pool, Clock::Fixed(base())).await;
    let expected = Preview {
        selected: 5,
        unusable: 1,
        sessions: BTreeSet::new(),
        fetched: 1,
        unreadable: 2,
        undecided: 0,
    };
    assert_eq!(found, expected);
    db.run("DELETE FROM avinode_ingest.ledger; DELETE FROM avinode_ingest.timeline")
        .await;
    let found = preview(&db.pool, Clock::Fixed(base())).await;
    assert_eq!(found.sessions, BTreeSet::from([session]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_application_refuses_to_change_is_left_out_of_a_preview() {
    let db = Db::new().await;
    let good = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let bad = SessionBuilder::of_trip("Z9Y8X7").insert(&db.pool).await;
    db.run(&format!(
        "ALTER TABLE public.chat_sessions ADD CONSTRAINT refused CHECK (id <> '{bad}' OR quotes_received_count = 0)"
    ))
    .await;
    let bodies = [quote_of("A1B2C3", "aquote-1", 10), quote_of("Z9Y8X7", "aquote-2", 10)];
    store_deliveries(&db.pool, &bodies, base()).await;
    db.run("TRUNCATE avinode_ingest.jobs").await;
    let before = all_rows(&db.pool).await;
    let found = preview(&db.pool, Clock::Fixed(base())).await;
    assert_eq!(found.sessions, BTreeSet::from([good]));
    assert_eq!(all_rows(&db.pool).await, before);
}
