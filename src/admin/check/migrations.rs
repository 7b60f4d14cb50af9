//! The checks of the application's tables and of the version of the schema, and of a schema that the program can use.

use std::time::Duration;

use super::finding::{CheckName, CheckResult, CheckResults};
use super::schema as migrated;
use crate::postgres::application_tables::{self, ApplicationTables};
use crate::postgres::encoding::UnsupportedEncoding;
use crate::postgres::migrator::compatibility::IncompatibleSchema;
use crate::postgres::migrator::status::{SchemaStatus, schema_status};
use crate::postgres::transaction::Pool;

const SCHEMA: CheckName = CheckName("schema");
const APPLICATION: CheckName = CheckName("application");

/// The settings of the service that the results depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckSettings {
    /// `serve` migrates the schema when it starts.
    pub migrates: bool,
    /// `migrate` creates the application's tables that are missing.
    pub standalone_sessions: bool,
    pub delivery_retention: Duration,
}

/// `role`: that of the connections.
pub async fn check(
    pool: &Pool,
    role: &str,
    settings: &CheckSettings,
    results: &mut CheckResults,
) -> Result<(), sqlx::Error> {
    match schema_status(pool).await {
        Ok(status) => {
            let tables = application_tables::read(pool).await?;
            results.add(application(&tables, settings.standalone_sessions));
            let usable = matches!(status, SchemaStatus::Current { .. } | SchemaStatus::Ahead { .. });
            results.add(schema(&status, settings.migrates));
            if usable {
                let has_tables = tables.remedy().is_none();
                migrated::check(pool, role, has_tables, settings.delivery_retention, results).await?;
            }
        }
        // Most likely the role may not read our schema; the next lines then name the missing privileges.
        Err(error) => {
            results.add(SCHEMA.failure(format!("could not read the version of the schema: {error}"), 1));
            migrated::privileges(pool, role, results).await?;
        }
    }
    Ok(())
}

fn application(tables: &ApplicationTables, standalone_sessions: bool) -> CheckResult {
    match tables.remedy() {
        Some(remedy) if !standalone_sessions => APPLICATION.failed(tables.to_string(), remedy),
        Some(_) => APPLICATION.warning(
            tables.to_string(),
            "migrate will create them, as INGEST_STANDALONE_SESSIONS says",
        ),
        None => APPLICATION.ok(tables.to_string()),
    }
}

fn schema(status: &SchemaStatus, migrates: bool) -> CheckResult {
    let remedy = "run avinode-ingest migrate, or start serve with --migrate";
    let older = |message: String| match migrates {
        true => SCHEMA.ok(format!("{message}; serve will migrate it")),
        false => SCHEMA.failed(message, remedy),
    };
    match status {
        SchemaStatus::Current { version } => SCHEMA.ok(format!("up to date, migration {version:04}")),
        SchemaStatus::PreRelease => SCHEMA.failed(
            "migrated by a version before the first release, cannot be upgraded",
            "run avinode-ingest migrate for the ways to start again; stored deliveries are lost",
        ),
        SchemaStatus::Fresh => older("not migrated yet".to_owned()),
        SchemaStatus::Behind { applied, expected } => older(format!(
            "older than this program: migration {applied:04} of {expected:04}"
        )),
        SchemaStatus::Ahead { applied, expected } => SCHEMA.warning(
            format!("newer than this program: migration {applied:04}, it knows {expected:04}"),
            "this works, but use the newer program",
        ),
        SchemaStatus::TooNew(IncompatibleSchema { known, oldest }) => SCHEMA.failed(
            format!("too new for this program: it knows migration {known:04}, and needs to know {oldest:04}"),
            "run the newer program",
        ),
        SchemaStatus::Encoding(UnsupportedEncoding { encoding }) => SCHEMA.failed(
            format!("the encoding of the database is {encoding}, and UTF-8 is needed"),
            "use a database WITH TEMPLATE template0 ENCODING 'UTF8'; run avinode-ingest migrate for the steps",
        ),
        SchemaStatus::Dirty { version } => SCHEMA.failed(
            format!("migration {version:04} was interrupted, or its file has changed since"),
            "run avinode-ingest migrate, which explains it",
        ),
    }
}

#[cfg(test)]
mod tests;
