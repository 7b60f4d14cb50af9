//! The migrator applies small migrations of its own to a private cluster.

use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, SqlSafeStr};

use super::super::embedded::{EmbeddedOptions, EmbeddedPostgres};
use super::super::pool::pool;
use super::compatibility::IncompatibleSchema;
use super::status::{SchemaStatus, status_with};
use super::*;

const TABLE: &str = "CREATE TABLE avinode_ingest.thing (id bigint PRIMARY KEY)";
const COLUMN: &str = "ALTER TABLE avinode_ingest.thing ADD COLUMN name text";

fn migrations(sql: &[&'static str]) -> Migrator {
    let migration = |(index, sql): (usize, &&'static str)| {
        let version = i64::try_from(index).unwrap() + 1;
        Migration::new(
            version,
            format!("step {version}").into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    let mut migrator = Migrator::with_migrations(sql.iter().enumerate().map(migration).collect());
    migrator.dangerous_set_table_name(&*MIGRATOR.table_name); // as in `sqlx.toml`
    migrator.create_schema("avinode_ingest");
    migrator
}

/// Migrates without waiting for tables.
async fn apply_with(migrator: &Migrator, options: &PgConnectOptions) -> Result<Vec<AppliedMigration>, MigrateError> {
    let timeouts = Timeouts {
        tables: Duration::ZERO,
        ..TIMEOUTS
    };
    migrate_with(migrator, &options.into(), timeouts, Recreate::Nothing).await
}

fn versions(applied: &[AppliedMigration]) -> Vec<i64> {
    applied.iter().map(|one| one.version).collect()
}

#[test]
fn the_migrations_table_is_the_one_of_sqlx_toml() {
    assert_eq!(MIGRATOR.table_name, MIGRATIONS_TABLE);
    assert_eq!(MIGRATOR.create_schemas.to_vec(), ["avinode_ingest"]);
}

#[test]
fn migrations_are_numbered_up_to_the_first_release_and_later_ones_begin_with_a_date() {
    let versions = ours(&MIGRATOR).map(|migration| migration.version);
    let (numbered, dated): (Vec<_>, Vec<_>) = versions.partition(|version| *version < 1_000);
    assert_eq!(numbered, (1..=26).collect::<Vec<_>>());
    for version in dated {
        let digits = version.to_string();
        assert_eq!(digits.len(), 12, "the file {digits}_* begins with YYYYMMDDHHMM");
        let time = chrono::NaiveDateTime::parse_from_str(&digits, "%Y%m%d%H%M");
        assert!(time.is_ok(), "the file {digits}_* begins with a time that exists");
    }
}

#[test]
fn the_name_of_the_first_migration_distinguishes_a_release_from_earlier_versions() {
    assert_eq!(ours(&MIGRATOR).next().unwrap().description, "create schema");
}

#[tokio::test]
async fn migrations_are_applied_once_and_the_status_compares_them_with_the_program() {
    let postgres = EmbeddedPostgres::start(EmbeddedOptions::default()).await.unwrap();
    let options = postgres.options("postgres");
    let pool = pool(options.clone(), 2, "test", Duration::from_secs(5));
    let (one, two) = (migrations(&[TABLE]), migrations(&[TABLE, COLUMN]));

    assert_eq!(status_with(&two, &pool).await.unwrap(), SchemaStatus::Fresh);
    assert_eq!(versions(&apply_with(&one, &options).await.unwrap()), [1]);
    assert_eq!(
        status_with(&one, &pool).await.unwrap(),
        SchemaStatus::Current { version: 1 }
    );
    assert_eq!(
        status_with(&two, &pool).await.unwrap(),
        SchemaStatus::Behind {
            applied: 1,
            expected: 2
        }
    );

    // While a session has locked the table, the migration fails with an error that names it.
    let mut holder = pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE avinode_ingest.thing")
        .execute(&mut holder)
        .await
        .unwrap();
    let busy = apply_with(&two, &options).await.unwrap_err();
    assert!(matches!(busy, MigrateError::Busy { version: 2, .. }), "{busy}");
    holder.rollback().await.unwrap();

    // Concurrent runs take turns: together they apply it once.
    let (left, right) = tokio::join!(apply_with(&two, &options), apply_with(&two, &options));
    let (left, right) = (versions(&left.unwrap()), versions(&right.unwrap()));
    assert_eq!([left, right].concat(), [2]);
    assert_eq!(
        status_with(&two, &pool).await.unwrap(),
        SchemaStatus::Current { version: 2 }
    );
    assert_eq!(
        status_with(&one, &pool).await.unwrap(),
        SchemaStatus::Ahead {
            applied: 2,
            expected: 1
        }
    );
    // An older program has nothing to apply, until a newer one declares that the schema excludes it.
    assert_eq!(apply_with(&one, &options).await.unwrap(), []);
    let declare = "CREATE TABLE avinode_ingest.compatibility (oldest_migration bigint); \
                   INSERT INTO avinode_ingest.compatibility VALUES (2)";
    sqlx::raw_sql(declare)
        .execute(&mut options.connect().await.unwrap())
        .await
        .unwrap();
    let excluded = IncompatibleSchema { known: 1, oldest: 2 };
    assert_eq!(
        status_with(&one, &pool).await.unwrap(),
        SchemaStatus::TooNew(excluded.clone())
    );
    let refused = apply_with(&one, &options).await.unwrap_err();
    assert!(
        matches!(&refused, MigrateError::TooNew(error) if *error == excluded),
        "{refused}"
    );
    assert_eq!(
        status_with(&two, &pool).await.unwrap(),
        SchemaStatus::Current { version: 2 }
    );

    let changed = migrations(&[TABLE, "SELECT 1"]);
    assert_eq!(
        status_with(&changed, &pool).await.unwrap(),
        SchemaStatus::Dirty { version: 2 }
    );
    assert!(matches!(
        apply_with(&changed, &options).await.unwrap_err(),
        MigrateError::Changed { version: 2, .. }
    ));
    let wrong = migrations(&[TABLE, COLUMN, "SELECT nonsense"]);
    let failed = apply_with(&wrong, &options).await.unwrap_err().to_string();
    assert!(
        failed.contains("migration 3 (step 3)") && failed.contains("nonsense"),
        "{failed}"
    );

    pool.close().await;
    postgres.stop().await.unwrap();
}
