//! `serve`: receiver and workers in one process.

use std::process::ExitCode;

use super::failure::Failure;
use crate::config::database::DatabaseArgs;
use crate::config::serve::ServeArgs;
use crate::config::webhook::WebhookArgs;

/// What the service takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Receiver and workers.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// The proof of the sender.
    #[command(flatten)]
    pub webhook: WebhookArgs,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Serves until it is asked to stop.
pub async fn run(_args: Args) -> Result<ExitCode, Failure> {
    Err(Failure::plain("serve is not built yet"))
}
