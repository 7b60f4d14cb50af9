//! Each filter of the list of deliveries finds its rows by an index, and so do the look-ups of its ids.

use avinode_ingest::domain::subject::SubjectKind;
use avinode_ingest::store::admin::delivery_list::{DeliveryFilter, DeliveryOutcome, statement};
use avinode_ingest::store::admin::subject_filter::{DeliveryRange, SubjectFilter, SubjectScope};
use avinode_ingest::store::admin::{job_ids, trace};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};
use crate::support::partitions;
use crate::support::plan::{pages, plan};
use crate::support::sql::{count, text};

/// Deliveries over the last months. One in a thousand is a cancellation, and one in a thousand others is dead.
const DELIVERIES: u32 = 60_000;
/// The delivery to find.
const NUMBER: u32 = 31_000;
const SESSION: &str = "00000000-0000-0000-0000-000000031000";

async fn fill(db: &Db) {
    partitions::replace_past_by_months(&db.pool, 12).await;
    db.run(&format!(
        "SET session_replication_role = replica;
         CREATE TEMPORARY TABLE made AS
         SELECT n, (left(avinode_ingest.uuid_of_time(now() - n * interval '3 minutes')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid AS id
         FROM generate_series(1, {DELIVERIES}) AS n;
         INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
         SELECT id, now() - n * interval '3 minutes', 'hmac#1', '', convert_to('body of aquote-' || n, 'UTF8') FROM made;
         INSERT INTO avinode_ingest.delivery_subjects (delivery_id, job_id, kind, trip_key, event_id, rfqs, quotes, sessions)
         SELECT id, n, CASE WHEN n % 1000 = 0 THEN 'cancellation' WHEN n % 1000 = 1 THEN 'other' ELSE 'quote' END,
            'atrip-' || n / 10, 'evt-' || n, ARRAY['arfq-' || n], ARRAY['aquote-' || n],
            ARRAY[lpad(n::text, 32, '0')::uuid]
         FROM made;
         INSERT INTO avinode_ingest.outcomes (job_id, kind, delivery_id, created_at, attempts, outcome, detail)
         SELECT n, 'full_event', id, now(), 1, CASE WHEN n % 1000 = 1 THEN 'dead' ELSE 'applied' END, 'detail' FROM made;
         INSERT INTO avinode_ingest.event_keys (event_id, delivery_id, body_sha256) SELECT 'evt-' || n, id, '\\x00' FROM made;
         INSERT INTO avinode_ingest.trips (key) SELECT 'atrip-' || n FROM generate_series(0, {DELIVERIES} / 10) AS n;
         INSERT INTO avinode_ingest.quote_facts (trip_key, quote_id, rfq_id, received)
         SELECT 'atrip-' || n / 10, 'aquote-' || n, 'arfq-' || n, true FROM made;
         INSERT INTO avinode_ingest.rfqs (trip_key, rfq_id) SELECT 'atrip-' || n / 10, 'arfq-' || n FROM made;
         INSERT INTO avinode_ingest.timeline (session_id, seq, kind, dedup_key, delivery_id, detail)
         SELECT lpad(n::text, 32, '0')::uuid, 1, 'quote_received', 'received/' || n, id, '{{}}' FROM made;
         INSERT INTO avinode_ingest.session_state (session_id, matched_trip) SELECT lpad(n::text, 32, '0')::uuid, 'atrip-' || n / 10 FROM made;
         INSERT INTO public.chat_sessions (id, conversation_id, iso_agent_id, avinode_trip_id)
         SELECT lpad(n::text, 32, '0')::uuid, md5('c' || n)::uuid, md5('a' || n % 997)::uuid, (n / 10)::text FROM made;
         ANALYZE"
    ))
    .await;
}

/// The tables of which rows were read from end to end, with the number of the rows.
fn rows_read_whole(node: &Value) -> Vec<(String, f64)> {
    let inner = node["Plans"].as_array().into_iter().flatten();
    let mut found: Vec<_> = inner.flat_map(rows_read_whole).collect();
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let rows = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    if node["Node Type"].as_str().is_some_and(|kind| kind.contains("Seq Scan")) && rows > 0.0 {
        found.push((node["Relation Name"].as_str().unwrap().to_owned(), rows));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_finds_its_deliveries_by_an_index() {
    let db = Db::new().await;
    fill(&db).await;
    #[expect(clippy::disallowed_methods, reason = "deliveries are of the last months")]
    let now = Utc::now();
    let none = SubjectFilter::default;
    let subject = |subject| DeliveryFilter {
        subject,
        ..DeliveryFilter::default()
    };
    let all = DeliveryFilter::default;
    let dead = Some(DeliveryOutcome::Dead);
    let cases = [
        ("none", all(), 51),
        (
            "trip",
            subject(SubjectFilter {
                trip: Some(format!("atrip-{}", NUMBER / 10)),
                ..none()
            }),
            10,
        ),
        (
            "rfq",
            subject(SubjectFilter {
                rfq: Some(format!("arfq-{NUMBER}")),
                ..none()
            }),
            1,
        ),
        (
            "quote",
            subject(SubjectFilter {
                quote: Some(format!("aquote-{NUMBER}")),
                ..none()
            }),
            1,
        ),
        (
            "unread quote",
            subject(SubjectFilter {
                quote: Some(format!("aquote-{}", NUMBER + 1)),
                ..none()
            }),
            1,
        ),
        (
            "event",
            subject(SubjectFilter {
                event: Some(format!("evt-{NUMBER}")),
                ..none()
            }),
            1,
        ),
        (
            "session",
            subject(SubjectFilter {
                session: Some(SESSION.parse().unwrap()),
                ..none()
            }),
            10,
        ),
        (
            "kind",
            DeliveryFilter {
                kind: Some(SubjectKind::Cancellation),
                ..all()
            },
            51,
        ),
        (
            "common kind",
            DeliveryFilter {
                kind: Some(SubjectKind::Quote),
                ..all()
            },
            51,
        ),
        ("outcome", DeliveryFilter { outcome: dead, ..all() }, 51),
        (
            "outcome and kind",
            DeliveryFilter {
                outcome: dead,
                kind: Some(SubjectKind::Other),
                ..all()
            },
            51,
        ),
        (
            "queued",
            DeliveryFilter {
                outcome: Some(DeliveryOutcome::Queued),
                ..all()
            },
            0,
        ),
        (
            "applied",
            DeliveryFilter {
                outcome: Some(DeliveryOutcome::Applied),
                ..all()
            },
            51,
        ),
        (
            "since",
            DeliveryFilter {
                since: Some(now - TimeDelta::hours(1)),
                ..all()
            },
            19,
        ),
        (
            "until",
            DeliveryFilter {
                until: Some(now - TimeDelta::days(60)),
                ..all()
            },
            51,
        ),
    ];
    for (name, filter, expected) in cases {
        let filter = DeliveryFilter { limit: 50, ..filter };
        let scope = SubjectScope::read(&db.pool.service(), &filter.subject).await.unwrap();
        let range = DeliveryRange {
            since: filter.since,
            until: filter.until,
            ..DeliveryRange::default()
        };
        let plan = plan(&db.pool, statement(&filter, &scope, &range)).await;
        let (rows, pages) = (plan["Actual Rows"].as_f64().unwrap(), pages(&plan));
        println!(
            "{name:>16}: {rows} rows, {pages} pages, {} ms",
            plan["Actual Total Time"]
        );
        let whole = rows_read_whole(&plan);
        assert!(whole.is_empty(), "{name}: {whole:?}: {plan:#}");
        assert!(pages < 2_500, "{name}: {pages} pages: {plan:#}");
        assert!(
            (rows - f64::from(expected)).abs() < 1.5,
            "{name}: {rows} rows: {plan:#}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_an_id_up_reads_no_table_from_end_to_end() {
    let db = Db::new().await;
    fill(&db).await;
    let pool = db.pool.service();
    let delivery = text(
        &db.pool,
        "SELECT delivery_id::text FROM avinode_ingest.event_keys WHERE event_id = 'evt-31000'",
    )
    .await;
    let delivery: Uuid = delivery.unwrap().parse().unwrap();
    for id in [
        format!("aquote-{NUMBER}"),
        format!("arfq-{NUMBER}"),
        format!("{}", NUMBER / 10),
        SESSION.to_owned(),
        delivery.to_string(),
    ] {
        let target = trace::find::target(&pool, &id).await.unwrap().unwrap();
        let material = trace::read(&pool, target, |_, _| false).await.unwrap();
        assert!(!material.deliveries.is_empty() && !material.quotes.is_empty(), "{id}");
    }
    let filter = SubjectFilter {
        session: Some(SESSION.parse().unwrap()),
        ..SubjectFilter::default()
    };
    job_ids::about(&pool, &filter).await.unwrap();
    // The reads of a connection are counted when it ends.
    pool.close().await;
    let found =
        "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'delivery_subjects'";
    eventually(PATIENCE, "the reads are counted", async || {
        at_least(count(&db.pool, found).await, 5)
    })
    .await;
    let whole = "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables
        WHERE relname IN ('delivery_subjects', 'outcomes', 'quote_facts', 'rfqs', 'trips', 'event_keys', 'timeline',
            'session_state', 'chat_sessions')";
    assert_eq!(count(&db.pool, whole).await, 0);
}
