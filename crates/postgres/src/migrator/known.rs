//! The migrations that this program knows.

use sqlx::migrate::{Migration, Migrator};

/// The files of `migrations/`, built into the program. `sqlx.toml` puts the migrations table into our own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// The version of the schema that this program knows.
pub fn schema_version() -> i64 {
    last_version(&MIGRATOR)
}

/// The version of the last migration of this migrator.
pub(super) fn last_version(migrator: &Migrator) -> i64 {
    ours(migrator).map(|migration| migration.version).max().unwrap_or(0)
}

pub(super) fn ours(migrator: &Migrator) -> impl Iterator<Item = &Migration> {
    migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}
