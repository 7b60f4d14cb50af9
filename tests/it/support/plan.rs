//! The plan that Postgres used for a statement, and the rows and pages that it read.

use std::collections::BTreeMap;

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

/// The number of sessions that were read, those that did not match included.
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

/// The number of pages that were read, from memory or not.
pub fn pages(node: &Value) -> u64 {
    ["Shared Hit Blocks", "Shared Read Blocks"]
        .iter()
        .filter_map(|name| node[name].as_u64())
        .sum()
}

/// The reads of this transaction so far: the number of rows or entries, dead ones included, of each table and index of
/// `chat_sessions`, `requests`, `trips` and `rfqs` by name, and under `whole` the number of scans from end to end.
pub async fn touched(tx: &mut Transaction<'_>) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "WITH looked AS (
            SELECT * FROM pg_stat_xact_user_tables
            WHERE (schemaname, relname)
                IN (('public', 'chat_sessions'), ('public', 'requests'), ('avinode_ingest', 'trips'),
                    ('avinode_ingest', 'rfqs'))
         )
         SELECT 'whole', coalesce(sum(seq_scan), 0)::bigint FROM looked
         UNION ALL
         SELECT relname, coalesce(idx_tup_fetch, 0) FROM looked
         UNION ALL
         SELECT index.indexrelid::regclass::text, pg_stat_get_xact_tuples_returned(index.indexrelid)
         FROM looked JOIN pg_index AS index ON index.indrelid = looked.relid",
    )
    .fetch_all(tx)
    .await
    .unwrap();
    for table in ["chat_sessions", "requests", "trips", "rfqs"] {
        assert!(rows.iter().any(|(name, _)| name == table), "there is no table {table}");
    }
    rows.into_iter().collect()
}

/// The differences between two readings, without zeros.
pub fn between(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let more = |(name, rows): (&String, &i64)| (name.clone(), rows - before.get(name).unwrap_or(&0));
    after.iter().map(more).filter(|(_, rows)| *rows > 0).collect()
}
