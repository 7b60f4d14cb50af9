//! `migrate`: applies the migrations.

use std::process::ExitCode;

use super::failure::Failure;
use crate::config::database::DatabaseArgs;

/// What `migrate` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Applies what is missing and prints what was done.
pub async fn run(_args: Args) -> Result<ExitCode, Failure> {
    Err(Failure::plain("migrate is not built yet"))
}
