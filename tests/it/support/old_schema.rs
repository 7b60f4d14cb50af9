//! A database that an older program migrated.

use avinode_ingest::postgres::migrator::known::MIGRATOR;
use sqlx::migrate::Migration;

use super::cluster::Db;

/// The table of migrations, as sqlx creates it.
const BOOKKEEPING: &str = "
    CREATE SCHEMA avinode_ingest;
    CREATE TABLE avinode_ingest.schema_migrations (
        version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(),
        success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL
    )";

/// An empty database with the migrations below this version.
pub async fn migrated_below(version: i64) -> Db {
    let db = Db::empty().await;
    db.run(BOOKKEEPING).await;
    for migration in MIGRATOR.iter().filter(|migration| migration.version < version) {
        apply(&db, migration).await;
    }
    db
}

/// Applies one more migration.
pub async fn apply(db: &Db, migration: &Migration) {
    db.run(migration.sql.as_str()).await;
    sqlx::query(
        "INSERT INTO avinode_ingest.schema_migrations (version, description, success, checksum, execution_time)
         VALUES ($1, $2, true, $3, 0)",
    )
    .bind(migration.version)
    .bind(migration.description.as_ref())
    .bind(migration.checksum.as_ref())
    .execute(&db.pool)
    .await
    .unwrap();
}
