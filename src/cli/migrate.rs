//! `migrate`: applies missing migrations.

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::print;
use crate::config::database::DatabaseArgs;
use crate::config::setting_error::SettingError;
use crate::postgres::application_tables;
use crate::postgres::migrator::status::SchemaStatus;
use crate::postgres::migrator::{self, adoption};

pub async fn run(args: DatabaseArgs) -> Result<(), CliError> {
    refuse_pooler(&args)?;
    let database = CommandDatabase::open(&args).await?;
    let applied = database.migrate(&args).await?;
    for migration in &applied {
        let (version, elapsed) = (migration.version, migration.elapsed.as_millis());
        print(format_args!(
            "applied {version:04} {} ({elapsed} ms)",
            migration.description
        ))?;
    }
    let raised = adoption::raised_sessions(&database.pool, &applied)
        .await
        .context("read the number of raised counts")?;
    if raised > 0 {
        print(format_args!(
            "raised quotes_received_count of {raised} sessions to the number of quotes that are known for them"
        ))?;
    }
    let tables = application_tables::read(&database.pool)
        .await
        .context("look for the tables of the application")?;
    if let Some(remedy) = tables.remedy() {
        print(format_args!("{tables}; {remedy}"))?;
    }
    let status = migrator::status::schema_status(&database.pool)
        .await
        .context("read the version of the schema")?;
    match status {
        SchemaStatus::Ahead { applied, expected } => print(format_args!(
            "no missing migrations: the schema (migration {applied}) is newer than this program (migration {expected}), \
             which can run on it"
        ))?,
        _ if applied.is_empty() => print("no missing migrations: the schema is up to date")?,
        _ => {}
    }
    database.close().await
}

/// Migrations need a session: for the lock of the process that migrates, and for indexes built outside of transactions.
pub fn refuse_pooler(args: &DatabaseArgs) -> Result<(), SettingError> {
    if args.transaction_pooler && args.database_url.is_some() {
        return Err(SettingError::new(
            "INGEST_TRANSACTION_POOLER (--transaction-pooler)",
            "migrations need a direct connection: run `migrate` with one in DATABASE_URL, and without this setting",
        ));
    }
    Ok(())
}
