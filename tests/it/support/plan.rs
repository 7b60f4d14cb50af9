//! What Postgres did for a statement: the plan that it really went by, and what it touched.

use avinode_ingest::postgres::transaction::Transaction;
use serde_json::Value;

use super::pool::Pool;

/// Runs a statement and returns its plan, with rows and pages.
pub async fn plan(pool: &Pool, mut query: sqlx::QueryBuilder<sqlx::Postgres>) -> Value {
    let text = query.sql().as_str().to_owned();
    let arguments = sqlx::Execute::take_arguments(&mut query.build()).unwrap().unwrap();
    let explained = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {text}");
    let plan: Value = sqlx::query_scalar_with(sqlx::AssertSqlSafe(explained), arguments)
        .fetch_one(pool)
        .await
        .unwrap();
    plan[0]["Plan"].clone()
}

/// How many sessions were looked at, those that did not match included.
pub fn sessions_read(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let inner: f64 = node["Plans"].as_array().into_iter().flatten().map(sessions_read).sum();
    match node["Relation Name"].as_str() {
        Some("chat_sessions") => {
            inner + (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops")
        }
        _ => inner,
    }
}

/// The tables that were read from end to end.
pub fn read_whole(node: &Value) -> Vec<String> {
    let mut found: Vec<String> = node["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(read_whole)
        .collect();
    if node["Node Type"].as_str().is_some_and(|kind| kind.contains("Seq Scan")) {
        found.push(node["Relation Name"].as_str().unwrap().to_owned());
    }
    found
}

/// How many pages were looked at, in memory or not.
pub fn pages(node: &Value) -> u64 {
    ["Shared Hit Blocks", "Shared Read Blocks"]
        .iter()
        .filter_map(|name| node[name].as_u64())
        .sum()
}

/// How often `chat_sessions`, `trips` and `requests` were read from end to end in this transaction, and how many of their rows
/// and of their indexes' entries were looked at otherwise.
pub async fn touched(tx: &mut Transaction<'_>) -> (i64, i64) {
    sqlx::query_as(
        "SELECT sum(looked.seq_scan)::bigint, (sum(coalesce(looked.idx_tup_fetch, 0)) + sum(indexes.entries))::bigint
         FROM pg_stat_xact_user_tables AS looked,
             LATERAL (
                 SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0) AS entries
                 FROM pg_index WHERE indrelid = looked.relid
             ) AS indexes
         WHERE (looked.schemaname, looked.relname)
             IN (('public', 'chat_sessions'), ('avinode_ingest', 'trips'), ('avinode_ingest', 'requests'))",
    )
    .fetch_one(tx)
    .await
    .unwrap()
}
