//! `jobs`: what an operator needs to see and mend of the queue.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::failure::Failure;
use crate::config::database::DatabaseArgs;
use crate::config::values::whole;

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List jobs, the ones that need attention first
    List(List),
    /// Show one job with its history
    Show(Show),
    /// Run dead or waiting jobs now
    Retry(Choice),
    /// Take dead or waiting jobs out of the queue for good
    ///
    /// Their deliveries are kept and can be worked on again with `deliveries replay`.
    Discard(Choice),
}

/// The states of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// Due, and taken by nobody.
    Available,
    /// Owned by a worker.
    Running,
    /// To be tried again later, or held until something else is there.
    Waiting,
    /// Given up: kept until it is retried or discarded.
    Dead,
}

/// What `jobs list` takes.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only jobs in this state.
    #[arg(long, value_name = "STATE")]
    pub state: Option<State>,

    /// Only jobs of this kind.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// The most jobs to list (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = whole::<i64>(1, 10_000))]
    pub limit: i64,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `jobs show` takes.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The job, by the id that `jobs list` prints.
    #[arg(value_name = "ID", value_parser = whole::<i64>(1, i64::MAX.unsigned_abs()))]
    pub id: i64,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `jobs retry` and `jobs discard` take: jobs by id, or all dead ones.
#[derive(Debug, clap::Args)]
pub struct Choice {
    /// The jobs, by the ids that `jobs list` prints.
    #[arg(value_name = "ID", required_unless_present = "dead", value_parser = whole::<i64>(1, i64::MAX.unsigned_abs()))]
    pub ids: Vec<i64>,

    /// All dead jobs.
    #[arg(long, conflicts_with = "ids")]
    pub dead: bool,

    /// With --dead: only those of this kind.
    #[arg(long, value_name = "KIND", requires = "dead")]
    pub kind: Option<String>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Does it.
pub async fn run(_action: Action) -> Result<ExitCode, Failure> {
    Err(Failure::plain("jobs is not built yet"))
}
