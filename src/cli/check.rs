//! `check`: tries the configuration of `serve` without serving.

use std::process::ExitCode;

use super::failure::Failure;
use crate::config::database::DatabaseArgs;
use crate::config::serve::ServeArgs;
use crate::config::webhook::WebhookArgs;

/// What is tried: everything that `serve` takes.
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

/// Tries everything and prints a line for each.
pub async fn run(_args: Args) -> Result<ExitCode, Failure> {
    Err(Failure::plain("check is not built yet"))
}
