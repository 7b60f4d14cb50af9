//! A schema that is newer than the program, after a release was rolled back. Migrations expand first and contract one release later, so
//! the program runs on it; a migration that contracts declares the oldest program that may (docs/adr/0004).

use sqlx::PgConnection;

use crate::server_error::readable;

/// The version that the schema declares. A schema without a declaration is older than the table, and excludes no program.
const EXISTS: &str = "SELECT to_regclass('avinode_ingest.compatibility') IS NOT NULL";
const DECLARED: &str = "SELECT coalesce(max(oldest_migration), 0) FROM avinode_ingest.compatibility";

/// The schema excludes this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this program is too old for the schema of the database: it knows migrations up to {known}, and the schema needs a program that \
     knows migration {oldest}: run the newer program"
)]
pub struct IncompatibleSchema {
    /// The last migration of this program.
    pub known: i64,
    /// The migration that a program must know at least.
    pub oldest: i64,
}

/// Accepts a schema with migrations that this program, which knows migrations up to `known`, does not have. Returns the refusal
/// within, because it is no failure of the query.
pub(super) async fn check(
    connection: &mut PgConnection,
    known: i64,
) -> Result<Result<(), IncompatibleSchema>, sqlx::Error> {
    let exists = sqlx::query_scalar(EXISTS).persistent(false);
    if !exists.fetch_one(&mut *connection).await.map_err(readable)? {
        return Ok(Ok(()));
    }
    let declared = sqlx::query_scalar(DECLARED).persistent(false);
    let oldest: i64 = declared.fetch_one(connection).await.map_err(readable)?;
    Ok(if oldest > known {
        Err(IncompatibleSchema { known, oldest })
    } else {
        Ok(())
    })
}
