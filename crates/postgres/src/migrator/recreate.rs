//! Creates the application's tables again that it dropped, on request only: the files that create missing tables and columns, and
//! the policies, are run once more. Each does nothing where its object exists.

use sqlx::postgres::PgConnection;

use super::error::MigrateError;
use super::known::MIGRATOR;
use super::{SHORT_LOCK_TIMEOUT, set};
use crate::server_error::readable;

/// The files that create tables and columns.
const TABLES: [i64; 4] = [2, 3, 4, 202_611_290_102];
/// The files that need the tables: row-level security, and functions.
const POLICIES: [i64; 2] = [21, 22];

/// Creates missing tables and columns. The schema is migrated.
pub(super) async fn tables(connection: &mut PgConnection) -> Result<(), MigrateError> {
    run(connection, &TABLES).await
}

/// Creates missing policies, functions and triggers of the tables.
pub(super) async fn policies(connection: &mut PgConnection) -> Result<(), MigrateError> {
    run(connection, &POLICIES).await
}

async fn run(connection: &mut PgConnection, versions: &[i64]) -> Result<(), MigrateError> {
    set(connection, SHORT_LOCK_TIMEOUT).await?;
    for migration in MIGRATOR
        .iter()
        .filter(|migration| versions.contains(&migration.version))
    {
        // Several statements in one message are one transaction.
        let run = sqlx::raw_sql(migration.sql.clone()).execute(&mut *connection).await;
        run.map_err(|error| MigrateError::Recreate {
            description: migration.description.to_string(),
            source: readable(error),
        })?;
    }
    Ok(())
}

/// Creates missing triggers on tables that exist.
pub(super) async fn triggers(connection: &mut PgConnection) -> Result<(), MigrateError> {
    set(connection, SHORT_LOCK_TIMEOUT).await?;
    set(connection, "SELECT avinode_ingest.restore_triggers()").await
}
