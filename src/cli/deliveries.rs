//! `deliveries`: what was received, byte for byte, and working on it again.

use std::process::ExitCode;

use clap::Subcommand;
use uuid::Uuid;

use super::failure::Failure;
use crate::config::database::DatabaseArgs;
use crate::config::values::whole;

/// What can be done with deliveries.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List deliveries, the newest first
    List(List),
    /// Show one delivery: its headers, how it was verified, its body, and what became of it
    Show(Show),
    /// Work on stored deliveries again
    ///
    /// Makes a new job for each; a session that already shows what the delivery says is not changed again.
    Replay(Replay),
}

/// What `deliveries list` takes.
#[derive(Debug, clap::Args)]
pub struct List {
    /// The most deliveries to list (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = whole::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only deliveries received before this one, to turn the page.
    #[arg(long, value_name = "ID")]
    pub before: Option<Uuid>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `deliveries show` takes.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The delivery, by the id that it was answered with.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    /// Write only the exact body, byte for byte, to standard output.
    #[arg(long, conflicts_with = "json")]
    pub body: bool,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `deliveries replay` takes.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// The deliveries, by id.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Does it.
pub async fn run(_action: Action) -> Result<ExitCode, Failure> {
    Err(Failure::plain("deliveries is not built yet"))
}
