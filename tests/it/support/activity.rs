//! Deliveries and outcomes of the last hour, inserted without receiving them.

use super::cluster::Db;

/// Inserts deliveries and their outcomes, the first of which finished `newest` ago, and each other one `distance` before.
pub async fn fill(db: &Db, rows: u32, newest: &str, distance: &str) {
    db.run(&format!(
        "SET session_replication_role = replica;
         CREATE TEMPORARY TABLE made AS
         SELECT n, now() - interval '{newest}' - n * interval '{distance}' AS at FROM generate_series(0, {rows} - 1) AS n;
         INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
         SELECT (left(avinode_ingest.uuid_of_time(at)::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, at, 'hmac#1', '', ''
         FROM made ORDER BY at;
         INSERT INTO avinode_ingest.outcomes (job_id, kind, created_at, finished_at, attempts, outcome)
         SELECT n, CASE n % 4 WHEN 3 THEN 'event_replay' ELSE 'full_event' END, at - (n % 4 + 1) * interval '1 second', at, 1,
            'applied'
         FROM made ORDER BY at;
         DROP TABLE made"
    ))
    .await;
}
