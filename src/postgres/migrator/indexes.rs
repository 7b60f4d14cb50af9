//! Indexes that an interrupted run left invalid: kept up to date by every write, used by no query, and passed over by
//! IF NOT EXISTS when the file is run again. They are mended before anything is applied.
//!
//! Which indexes are ours is read from the files themselves, so no list can fall behind.

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};

use super::error::MigrateError;
use super::ours;

/// How a file makes its index; its name follows, and `ON` and its table.
const MAKES: &str = "CREATE INDEX CONCURRENTLY IF NOT EXISTS";

/// Removes invalid indexes whose files are still to be applied, and makes anew those whose files are applied.
pub(super) async fn heal(
    migrator: &Migrator,
    connection: &mut PgConnection,
    is_applied: impl Fn(&Migration) -> bool,
) -> Result<(), MigrateError> {
    for migration in ours(migrator).filter(|migration| migration.no_tx) {
        let Some((index, table)) = made_by(migration.sql.as_str()) else {
            continue;
        };
        let failed = |source| MigrateError::Index {
            index: index.to_owned(),
            source,
        };
        // The name as the server quotes it; nothing where the index is whole, absent, or of another table.
        let broken = sqlx::query(
            "SELECT i.indexrelid::regclass::text FROM pg_catalog.pg_index AS i \
             JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
             WHERE i.indrelid = to_regclass($2) AND c.relname = $1 AND NOT i.indisvalid",
        )
        .bind(index)
        .bind(table)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
        let Some(broken) = broken else { continue };
        let broken: String = broken.try_get(0).map_err(failed)?;
        let mend = match is_applied(migration) {
            false => format!("DROP INDEX CONCURRENTLY {broken}"),
            true => format!("REINDEX INDEX CONCURRENTLY {broken}"),
        };
        tracing::warn!(index, "an interrupted migration left an index invalid; mending it");
        sqlx::raw_sql(AssertSqlSafe(mend))
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// The index that a file makes, and its table.
fn made_by(sql: &str) -> Option<(&str, &str)> {
    let mut words = sql.split_once(MAKES)?.1.split_whitespace();
    let index = words.next()?;
    let table = words.by_ref().skip_while(|word| *word != "ON").nth(1)?;
    Some((index, table))
}

#[cfg(test)]
mod tests;
