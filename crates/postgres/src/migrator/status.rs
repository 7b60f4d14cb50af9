//! The status of the schema: `serve` refuses one that is older than the program.

use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;

use super::compatibility::{self, IncompatibleSchema};
use super::known::{MIGRATOR, last_version, ours};
use super::pre_release::is_pre_release;
use crate::encoding::{SERVER_ENCODING, UnsupportedEncoding, require_utf8};
use crate::transaction::Pool;

/// The applied migrations compared with those of this program; the numbers are the highest versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaStatus {
    /// Never migrated.
    Fresh,
    /// Migrations are missing: run `migrate`.
    Behind { applied: i64, expected: i64 },
    /// Migrated by a version before the first release; cannot be upgraded.
    PreRelease,
    /// Exactly the migrations of this program.
    Current { version: i64 },
    /// All of ours, and those of a newer program. We can run on: migrations expand first and contract later.
    Ahead { applied: i64, expected: i64 },
    /// The same, but the schema excludes this program.
    TooNew(IncompatibleSchema),
    /// A migration was interrupted, or its file has changed since it was applied.
    Dirty { version: i64 },
    /// The database cannot hold the schema.
    Encoding(UnsupportedEncoding),
}

/// Reads the migrations table. Needs SELECT on it only, and works behind a transaction pooler.
pub async fn schema_status(pool: &Pool) -> Result<SchemaStatus, sqlx::Error> {
    status_with(&MIGRATOR, pool).await
}

pub(super) async fn status_with(migrator: &Migrator, pool: &Pool) -> Result<SchemaStatus, sqlx::Error> {
    let database = format!("SELECT {SERVER_ENCODING}, to_regclass('avinode_ingest.schema_migrations') IS NOT NULL");
    // One transaction: an unnamed statement is sent in several messages, which a pooler could send to different servers.
    let mut tx = pool.begin().await?;
    let (encoding, migrated) = sqlx::query_as::<_, (String, bool)>(AssertSqlSafe(database))
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    if let Err(unsupported) = require_utf8(encoding) {
        return Ok(SchemaStatus::Encoding(unsupported));
    }
    if !migrated {
        return Ok(SchemaStatus::Fresh);
    }
    if is_pre_release(migrator, &mut tx).await? {
        return Ok(SchemaStatus::PreRelease);
    }
    let rows = "SELECT version, success, checksum FROM avinode_ingest.schema_migrations ORDER BY version";
    let applied = sqlx::query_as::<_, (i64, bool, Vec<u8>)>(rows)
        .persistent(false)
        .fetch_all(&mut tx)
        .await?;
    let expected: Vec<_> = ours(migrator)
        .map(|migration| (migration.version, migration.checksum.to_vec()))
        .collect();
    let mut status = compare(&applied, &expected);
    if matches!(status, SchemaStatus::Ahead { .. })
        && let Err(incompatible) = compatibility::check(tx.connection(), last_version(migrator)).await?
    {
        status = SchemaStatus::TooNew(incompatible);
    }
    tx.commit().await?;
    Ok(status)
}

fn compare(applied: &[(i64, bool, Vec<u8>)], expected: &[(i64, Vec<u8>)]) -> SchemaStatus {
    let changed = |version: i64, checksum: &Vec<u8>| expected.iter().any(|one| one.0 == version && &one.1 != checksum);
    if let Some(&(version, ..)) = applied
        .iter()
        .find(|(version, success, sum)| !success || changed(*version, sum))
    {
        return SchemaStatus::Dirty { version };
    }
    let Some(highest) = applied.iter().map(|one| one.0).max() else {
        return SchemaStatus::Fresh;
    };
    let expected_highest = expected.iter().map(|one| one.0).max().unwrap_or(0);
    if expected
        .iter()
        .any(|one| applied.iter().all(|applied| applied.0 != one.0))
    {
        SchemaStatus::Behind {
            applied: highest,
            expected: expected_highest,
        }
    } else if applied.len() > expected.len() {
        SchemaStatus::Ahead {
            applied: highest,
            expected: expected_highest,
        }
    } else {
        SchemaStatus::Current { version: highest }
    }
}
