//! The console's operations pages beside an hour with 6,000 deliveries, and 1,000 dead letters of twenty kinds.

use serde_json::Value;

use super::timed;
use crate::api::{Api, ApiResponse, READ};
use crate::console::Browser;

const DELIVERIES: u32 = 6_000;

async fn fill(api: &Api) {
    api.db
        .run(&format!(
            "SET session_replication_role = replica;
             CREATE TEMPORARY TABLE made AS
             SELECT n, now() - n * interval '600 milliseconds' AS at,
                (left(avinode_ingest.uuid_of_time(now() - n * interval '600 milliseconds')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid AS id
             FROM generate_series(1, {DELIVERIES}) AS n;
             INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
             SELECT id, at, 'hmac#1', '', convert_to('body of aquote-' || n, 'UTF8') FROM made;
             INSERT INTO avinode_ingest.delivery_subjects (delivery_id, job_id, kind, trip_key, quotes)
             SELECT id, n, 'quote', 'atrip-' || n, ARRAY['aquote-' || n] FROM made;
             INSERT INTO avinode_ingest.outcomes (job_id, kind, delivery_id, created_at, finished_at, attempts, outcome, detail)
             SELECT n, 'full_event', id, at, at + interval '50 milliseconds', 1, CASE WHEN n % 100 = 0 THEN 'dead' ELSE 'applied' END,
                'unknown event kind \"Type' || n % 20 || '\"'
             FROM made;
             INSERT INTO avinode_ingest.jobs (kind, delivery_id, due_at)
             SELECT 'full_event', id, at FROM made ORDER BY n LIMIT 500;
             INSERT INTO avinode_ingest.dead_jobs (id, kind, delivery_id, created_at, attempts, crashes, reason, history)
             SELECT -n, 'full_event', id, at, 1, 0, 'unknown event kind \"Type' || n % 20 || '\"', '{{}}' FROM made WHERE n <= 1000;
             ANALYZE"
        ))
        .await;
}

pub(super) async fn pages(api: &Api) {
    fill(api).await;
    let mut browser = Browser::new(api.service.admin.clone().unwrap());
    browser.sign_in(READ).await;
    for path in [
        "/console/operations",
        "/console/operations/dead-letters",
        "/console/operations/jobs",
        "/console/operations/deliveries",
        "/console/operations/deliveries?outcome=dead",
        "/console/operations/deliveries?quote=aquote-5717",
        "/console/operations/documents",
        "/console/operations/batches",
        "/console/operations/maintenance",
        "/console/operations/trace?id=aquote-5717",
    ] {
        let page = timed(path, async || {
            let page = browser.get(path).await;
            ApiResponse {
                status: page.status,
                headers: Default::default(),
                body: Value::Null,
            }
        });
        page.await;
    }
}
