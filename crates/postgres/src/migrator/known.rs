//! The migrations that this program knows.

use sqlx::migrate::{Migration, Migrator};

/// The files of `migrations/`, built into the program. `sqlx.toml` puts the migrations table into our own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// The version of the last migration that this program knows.
pub(super) fn last_version(migrator: &Migrator) -> i64 {
    ours(migrator).map(|migration| migration.version).max().unwrap_or(0)
}

pub(super) fn ours(migrator: &Migrator) -> impl Iterator<Item = &Migration> {
    migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}
