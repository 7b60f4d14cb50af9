//! Every statement of the SQL board runs on a migrated database, and reads only.

use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::{PROMETHEUS_BOARD, SQL_BOARD, file, queries};
use crate::support::bodies::{event, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::receive;

/// Grafana's macros, as its Postgres data source replaces them.
const MACROS: [(&str, &str); 2] = [
    ("$__timeFrom()", "'2026-01-01T00:00:00Z'"),
    ("$__timeTo()", "'2036-01-01T00:00:00Z'"),
];

fn board(name: &str) -> Value {
    serde_json::from_str(&file(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_the_sql_board_runs_and_reads_only() {
    let statements = queries(&board(SQL_BOARD), "rawSql");
    assert!(statements.len() >= 10, "{statements:?}");
    for db in [Db::new().await, Db::attached().await] {
        let unknown = event("TripSomethingNew", "evt-new", 0, serde_json::json!({}));
        receive(&db.pool, &[quote_of("atrip-1", "aquote-1", 0), unknown]).await;
        let mut tx = db.pool.application().await;
        sqlx::raw_sql("SET TRANSACTION READ ONLY")
            .execute(&mut *tx)
            .await
            .unwrap();
        for statement in &statements {
            let mut sql = statement.clone();
            for (name, text) in MACROS {
                sql = sql.replace(name, text);
            }
            assert!(!sql.contains("$__"), "{sql}");
            let rows = sqlx::query(AssertSqlSafe(sql.clone())).fetch_all(&mut *tx).await;
            rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
        }
    }
}

#[test]
fn panels_have_titles_ids_and_places_of_their_own() {
    for name in [PROMETHEUS_BOARD, SQL_BOARD] {
        let board = board(name);
        let panels = board["panels"].as_array().unwrap();
        for key in ["id", "title", "gridPos"] {
            let mut values: Vec<String> = panels.iter().map(|panel| panel[key].to_string()).collect();
            let count = values.len();
            values.sort();
            values.dedup();
            assert_eq!(values.len(), count, "{name}: {key}");
        }
    }
}
