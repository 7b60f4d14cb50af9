//! The program's commands: the one list of them, how a command line becomes one, and running it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::error::CliError;
use super::{
    check, deliveries, demo, documents, jobs, migrate, openapi, reconcile, replay, serve, sessions, sign, simulate,
    webhooks,
};
use crate::config::log::LogArgs;
use crate::config::parse::{EarlyExit, parse_from as parse};

/// Receives Avinode's webhooks, keeps every one durably in Postgres before it answers, and brings a charter broker's
/// chat sessions up to date.
///
/// Every setting is a flag and an environment variable; the flag wins, and an empty variable counts as unset. A wrong
/// setting ends the program with exit code 64 and one line that names it; something that cannot be reached, with 69;
/// anything else that fails, with 1.
#[derive(Debug, Parser)]
#[command(name = "avinode-ingest", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// The log.
    #[command(flatten)]
    pub log: LogArgs,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the main job on the fixtures, from nothing, and stay up
    ///
    /// Starts a throw-away Postgres, the receiver and the workers, sends every fixture signed through the real
    /// endpoint, and prints the sessions before and after. Needs no configuration.
    Demo(demo::DemoArgs),

    /// Receive deliveries and work on them
    ///
    /// Ends in order at SIGTERM or Ctrl-C: takes no more, finishes what is in flight, gives its leases back. A second
    /// signal ends it at once.
    Serve(Box<serve::ServeCommandArgs>),

    /// Apply the migrations and print what was done
    ///
    /// Needs a direct connection to the database, not a transaction pooler.
    Migrate(migrate::MigrateArgs),

    /// Send fixtures, signed, to a running service
    Replay(replay::ReplayArgs),

    /// Print the curl command that delivers a file, signed
    Sign(sign::SignArgs),

    /// Play a scenario as Avinode would: its API and its notifications
    ///
    /// For demos, tests and load. Prints the settings with which the service finds it; the service's are to be its own
    /// credentials (AVINODE_WEBHOOK_BASIC), the simulator's URL and tokens, and AVINODE_INSECURE_LOOPBACK.
    Simulate(Box<simulate::args::SimulateArgs>),

    /// Look at chat sessions, complete and archive them
    ///
    /// Directly in the database: the HTTP API needs not be running, and no token is asked for.
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),

    /// Look at the queue's jobs and mend them
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),

    /// Look at what was received and work on it again
    #[command(subcommand)]
    Deliveries(deliveries::DeliveriesCommand),

    /// Look at what was fetched
    #[command(subcommand)]
    Documents(documents::DocumentsCommand),

    /// Look at the webhook settings at Avinode, make and change them
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),

    /// Have the trips of sessions fetched anew, to repair what missed webhooks left out
    ///
    /// Avinode gives a webhook up after 48 hours. The running service fetches, within its rate limit, after whatever is
    /// more urgent.
    Reconcile(reconcile::ReconcileArgs),

    /// Print the description of the HTTP API, in OpenAPI 3.1
    Openapi,

    /// Try the configuration, one line for each thing tried
    ///
    /// Takes the settings of serve. The exit code is 0 when everything is as it must be.
    Check(Box<check::CheckArgs>),
}

/// Parses a command line (the program's name first) and the environment, and checks the settings against one another.
pub fn parse_from(args: impl IntoIterator<Item = OsString>) -> Result<Cli, EarlyExit> {
    let cli: Cli = parse(args)?;
    if let Command::Serve(args) = &cli.command {
        args.serve.check(&args.webhook).map_err(EarlyExit::wrong)?;
    }
    Ok(cli)
}

/// Runs the command to its end. The exit code of a success need not be 0: `check`, for one, has found what it found.
pub async fn run(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(*args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Sign(args) => sign::run(&args).await,
        Command::Simulate(args) => simulate::run(*args).await,
        Command::Sessions(action) => sessions::run(action).await,
        Command::Jobs(action) => jobs::run(action).await,
        Command::Deliveries(action) => deliveries::run(action).await,
        Command::Documents(action) => documents::run(action).await,
        Command::Webhooks(action) => webhooks::run(action).await,
        Command::Reconcile(args) => reconcile::run(args).await,
        Command::Openapi => openapi::run(),
        Command::Check(args) => check::run(*args).await,
    }
}

#[cfg(test)]
mod tests;
