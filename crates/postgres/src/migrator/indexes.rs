//! Repairs indexes that an interrupted run left invalid, before any migration is applied, and builds those that are missing
//! because the application created a table again. Every write maintains such an index,
//! no query uses it, and IF NOT EXISTS skips it when the file is run again.
//!
//! Our indexes are found in the files themselves, so there is no list to forget.

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};

use super::error::MigrateError;
use super::ours;
use crate::server_error::readable;

/// The text before the name of an index in a file.
const CREATE_INDEX: &str = "CREATE INDEX CONCURRENTLY IF NOT EXISTS";
const DROP_INDEX: &str = "DROP INDEX CONCURRENTLY IF EXISTS";

/// Drops the invalid indexes of files that are not applied yet. Rebuilds those of applied files, and builds missing ones.
pub(super) async fn repair(
    migrator: &Migrator,
    connection: &mut PgConnection,
    is_applied: impl Fn(&Migration) -> bool,
) -> Result<(), MigrateError> {
    for migration in ours(migrator).filter(|migration| migration.no_tx) {
        let Some((index, table)) = created_index(migration.sql.as_str()) else {
            continue;
        };
        if is_dropped_later(migrator, migration, index) {
            continue;
        }
        let failed = |source| MigrateError::Index {
            index: index.to_owned(),
            source: readable(source),
        };
        // The name as the server quotes it, if the index exists on this table and is invalid; NULL if the table has no such index.
        let invalid = sqlx::query(
            "SELECT i.indexrelid::regclass::text FROM pg_catalog.pg_class AS t \
             LEFT JOIN (pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid) \
                 ON i.indrelid = t.oid AND c.relname = $1 \
             WHERE t.oid = to_regclass($2) AND i.indisvalid IS NOT TRUE",
        )
        .bind(index)
        .bind(table)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
        let Some(invalid) = invalid else { continue };
        let invalid: Option<String> = invalid.try_get(0).map_err(failed)?;
        let repair = match (invalid, is_applied(migration)) {
            (None, false) => continue,
            (None, true) => {
                tracing::info!(index, "building the missing index {index}");
                migration.sql.as_str().to_owned()
            }
            (Some(invalid), applied) => {
                tracing::warn!(
                    index,
                    "repairing the index {index}, which an interrupted migration left invalid"
                );
                let repair = if applied { "REINDEX" } else { "DROP" };
                format!("{repair} INDEX CONCURRENTLY {invalid}")
            }
        };
        sqlx::raw_sql(AssertSqlSafe(repair))
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// Returns the index that a file creates, and its table.
fn created_index(sql: &str) -> Option<(&str, &str)> {
    let mut words = sql.split_once(CREATE_INDEX)?.1.split_whitespace();
    let index = words.next()?;
    let table = words.by_ref().skip_while(|word| *word != "ON").nth(1)?;
    Some((index, table))
}

/// Tells whether a later file replaces the index by another one.
fn is_dropped_later(migrator: &Migrator, created_by: &Migration, index: &str) -> bool {
    ours(migrator)
        .filter(|migration| migration.version > created_by.version)
        .filter_map(|migration| migration.sql.as_str().split_once(DROP_INDEX))
        .any(|(_, dropped)| dropped.trim().trim_end_matches(';').rsplit('.').next() == Some(index))
}

#[cfg(test)]
mod tests;
