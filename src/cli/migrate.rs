//! `migrate`: applies the migrations.

use std::process::ExitCode;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::print;
use crate::config::database::DatabaseArgs;
use crate::postgres::migrator;

/// What `migrate` takes.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Applies what is missing and prints what was done.
pub async fn run(args: MigrateArgs) -> Result<ExitCode, CliError> {
    refuse_pooler(&args.database)?;
    let database = CommandDatabase::open(&args.database).await?;
    let applied = migrator::migrate(&database.options)
        .await
        .context("migrate the database")?;
    for migration in &applied {
        let (version, elapsed) = (migration.version, migration.elapsed.as_millis());
        print(format_args!(
            "applied {version:04} {} ({elapsed} ms)",
            migration.description
        ))?;
    }
    if applied.is_empty() {
        print("nothing to do: the schema is up to date")?;
    }
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Migrations take turns by a lock of the session, and build indexes outside of transactions.
pub fn refuse_pooler(args: &DatabaseArgs) -> Result<(), CliError> {
    if args.pooler && args.database_url.is_some() {
        return Err(CliError::setting(
            "INGEST_POOLER (--pooler): a migration needs a direct connection; run `migrate` with one in DATABASE_URL, \
             and without this",
        ));
    }
    Ok(())
}
