//! Everything that must not depend on the order of work, as one comparable value: sessions, facts, ledger, projected quotes
//! and timelines.
//!
//! Generated ids are replaced by the names of their sessions, and recording times are left out.

use avinode_ingest::postgres::transaction;
use serde_json::Value;

use super::pool::Pool;
use super::sql::count;

/// Each part of the snapshot, and its query.
const PARTS: [(&str, &str); 9] = [
    (
        "sessions",
        "SELECT jsonb_object_agg(c.subject, to_jsonb(s) - ARRAY['id', 'conversation_id', 'request_id', 'iso_agent_id',
                'primary_quote_id', 'session_started_at', 'session_ended_at', 'created_at', 'updated_at']
            || jsonb_build_object('primary', avinode_ingest.row_quote_id(q.avinode_quote_id, q.metadata), 'selected', state.selected_quote,
                'pinned', coalesce(state.pinned, false), 'matched', state.matched_trip))
         FROM public.chat_sessions s JOIN public.conversations c ON c.id = s.conversation_id
         LEFT JOIN public.quotes q ON q.id = s.primary_quote_id
         LEFT JOIN avinode_ingest.session_state state ON state.session_id = s.id",
    ),
    (
        "ledger",
        "SELECT jsonb_agg(jsonb_build_array(c.subject, l.quote_id, l.counted) ORDER BY c.subject, l.quote_id)
         FROM avinode_ingest.ledger l JOIN public.chat_sessions s ON s.id = l.session_id
         JOIN public.conversations c ON c.id = s.conversation_id",
    ),
    (
        "trips",
        "SELECT jsonb_object_agg(key, to_jsonb(t) - 'first_seen_at') FROM avinode_ingest.trips t",
    ),
    (
        "quote facts",
        "SELECT jsonb_agg(to_jsonb(q) - ARRAY['projected_id', 'projected_request_id', 'own_request_id', 'projected_values'] ORDER BY trip_key, quote_id)
         FROM avinode_ingest.quote_facts q",
    ),
    (
        "rfqs",
        "SELECT jsonb_agg(to_jsonb(r) ORDER BY trip_key, rfq_id) FROM avinode_ingest.rfqs r",
    ),
    (
        "messages",
        "SELECT jsonb_agg(to_jsonb(m) ORDER BY trip_key, message_id) FROM avinode_ingest.messages m",
    ),
    (
        "event keys",
        "SELECT jsonb_agg(jsonb_build_array(event_id, body_sha256) ORDER BY event_id) FROM avinode_ingest.event_keys",
    ),
    (
        // Quotes whose newest fact has no price are excluded; see `order`.
        "projected quotes",
        "SELECT jsonb_object_agg(f.quote_id, to_jsonb(q) - ARRAY['id', 'request_id', 'received_at',
                'created_at', 'updated_at'] || jsonb_build_object('session', c.subject))
         FROM public.quotes q JOIN avinode_ingest.quote_facts f ON f.projected_id = q.id
         LEFT JOIN public.conversations c ON c.request_id = q.request_id
         WHERE f.amount IS NOT NULL",
    ),
    (
        // Entries about a newer fact are left out: they depend on the order in which two facts arrived. So are the entries
        // of a session that was matched late.
        "timeline",
        "SELECT jsonb_agg(jsonb_build_array(c.subject, t.kind, t.dedup_key) ORDER BY c.subject, t.kind, t.dedup_key)
         FROM avinode_ingest.timeline t JOIN public.chat_sessions s ON s.id = t.session_id
         JOIN public.conversations c ON c.id = s.conversation_id
         WHERE t.kind NOT IN ('quote_changed', 'rfq_declined') AND c.subject <> 'late trip id'",
    ),
];

/// Takes a snapshot of a database.
pub async fn snapshot(pool: &Pool) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for (name, query) in PARTS {
        let part: Option<Value> = sqlx::query_scalar(query).fetch_one(pool).await.unwrap();
        all.push((name, part.unwrap_or(Value::Null)));
    }
    all
}

/// Asserts that two snapshots are equal, and prints the entries that differ.
#[track_caller]
pub fn assert_same(left: &[(&'static str, Value)], right: &[(&'static str, Value)]) {
    for ((name, left), (_, right)) in left.iter().zip(right) {
        if left != right {
            let (left, right) = (entries(left), entries(right));
            let only = |these: &[String], those: &[String]| {
                let only: Vec<_> = these.iter().filter(|entry| !those.contains(entry)).cloned().collect();
                only.join("\n  ")
            };
            panic!(
                "{name} differ:\n  {}\nagainst:\n  {}",
                only(&left, &right),
                only(&right, &left)
            );
        }
    }
}

fn entries(part: &Value) -> Vec<String> {
    match part {
        Value::Object(parts) => parts.iter().map(|(name, part)| format!("{name}: {part}")).collect(),
        Value::Array(parts) => parts.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}

/// The number of jobs, except for future expiries and thin notifications.
pub async fn live_jobs(pool: &transaction::Pool) -> i64 {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query_scalar(
        "SELECT count(*) FROM avinode_ingest.jobs WHERE kind <> 'fetch_notified'
            AND NOT (kind = 'quote_expiry' AND due_at > clock_timestamp() AND lease_token IS NULL AND attempts = 0)",
    )
    .fetch_one(&mut tx)
    .await
    .unwrap()
}

/// The number of dead jobs.
pub async fn dead_jobs(pool: &Pool) -> i64 {
    count(pool, "SELECT count(*) FROM avinode_ingest.dead_jobs").await
}

/// The reasons of dead jobs.
pub async fn dead_reasons(pool: &Pool) -> Vec<String> {
    sqlx::query_scalar("SELECT reason FROM avinode_ingest.dead_jobs ORDER BY id")
        .fetch_all(pool)
        .await
        .unwrap()
}
