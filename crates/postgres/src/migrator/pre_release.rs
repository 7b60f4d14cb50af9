//! Recognises databases that a version before the first release migrated: its migrations were replaced, so the database
//! cannot be upgraded (docs/adr/0001).

use sqlx::migrate::Migrator;
use sqlx::{Executor, Postgres};

/// The replaced files began with a migration of another name; a test keeps the name of the present one.
const FIRST_APPLIED: &str = "SELECT description FROM avinode_ingest.schema_migrations ORDER BY version LIMIT 1";

/// Compares the first migration that was applied with the first one of the migrator. The bookkeeping must exist.
pub(super) async fn is_pre_release<'e>(
    migrator: &Migrator,
    executor: impl Executor<'e, Database = Postgres>,
) -> Result<bool, sqlx::Error> {
    let applied = sqlx::query_scalar::<_, String>(FIRST_APPLIED)
        .persistent(false)
        .fetch_optional(executor)
        .await?;
    let expected = migrator.iter().next().map(|migration| &*migration.description);
    Ok(applied.is_some() && applied.as_deref() != expected)
}
