//! The list of commands: parsing a command line into one of them, and running it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, Parser, Subcommand};

use super::error::CliError;
use super::{
    audit, batches, check, completions, configuration, deliveries, demo, documents, healthcheck, jobs, man, migrate,
    openapi, purge, reconcile, replay, serve, sessions, sign, simulate, tail, trace, trigger, version, webhooks,
};
use crate::config::database::DatabaseArgs;
use crate::config::healthcheck::HealthcheckArgs;
use crate::config::log::LogArgs;
use crate::config::parse::{self, EarlyExit};
use crate::config::secret_file::{SUFFIX, secret_variables};
use crate::config::setting_reference::settings;
use crate::config::terminal::OutputArgs;
use crate::config::unknown_variable::unknown_variables;

/// Receives Avinode's webhooks, stores each one durably in Postgres before it answers, and updates a charter broker's chat
/// sessions.
///
/// Every setting is a flag and an environment variable; the flag wins, and an empty variable counts as unset. Exit codes: 64
/// for an invalid setting, which one line names; 69 for something that cannot be reached; 78 if `serve` finds a database with another
/// schema than its own; 1 for any other failure.
#[derive(Debug, Parser)]
#[command(name = "avinode-ingest", version, long_version = version::VERSION.as_str(), propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub log: LogArgs,

    #[command(flatten)]
    pub output: OutputArgs,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole service on fixtures and a simulated Avinode
    ///
    /// Starts a temporary Postgres, the receiver and the workers, sends every fixture signed through the real endpoint, plays a
    /// built-in story, and prints the sessions before and after. Needs no configuration.
    Demo(demo::DemoArgs),

    /// Receive deliveries and work on jobs
    ///
    /// Shuts down in order at SIGTERM or Ctrl-C: accepts no more, finishes work in progress, releases its leases. A second
    /// signal stops it immediately.
    Serve(Box<serve::ServeCommandArgs>),

    /// Apply missing migrations
    ///
    /// Needs a direct connection to the database, not a transaction pooler.
    Migrate(DatabaseArgs),

    /// Send fixtures, signed, to a running service
    Replay(replay::ReplayArgs),

    /// Print the curl command that delivers a signed file
    Sign(sign::SignArgs),

    /// Send one built-in event, signed, to a running service
    ///
    /// Of new ids, or of those that are given: a quote of a known trip, or the price of a known quote.
    Trigger(Box<trigger::TriggerArgs>),

    /// Simulate Avinode: its API and its notifications
    ///
    /// For demos, tests and load. Prints the settings with which the service finds the simulated API; AVINODE_WEBHOOK_BASIC
    /// must be the same for both.
    Simulate(Box<simulate::args::SimulateArgs>),

    /// Inspect, complete and archive chat sessions
    ///
    /// Works on the database: the HTTP API need not be running, and no token is needed.
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),

    /// Inspect, retry and discard jobs
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),

    /// Inspect, replay and export stored deliveries
    #[command(subcommand)]
    Deliveries(deliveries::DeliveriesCommand),

    /// Inspect and resume actions on many jobs or deliveries
    #[command(subcommand)]
    Batches(batches::BatchesCommand),

    /// List who did what
    #[command(subcommand)]
    Audit(audit::AuditCommand),

    /// Print deliveries as they come, with their outcomes
    ///
    /// Until Ctrl-C. A delivery whose outcome takes more than two seconds is printed as queued, and again when it has one within five
    /// minutes. With --since the deliveries since then come first. With --json each line is an object.
    Tail(Box<tail::TailArgs>),

    /// Tell what became of a quote, a trip, an RFQ, a delivery or a session
    ///
    /// Prints in order of time what was received, refused, fetched, parsed and applied, the row of the quote and its sessions, and
    /// the cause in one line: why the quote is shown, or why it is not.
    Trace(trace::TraceArgs),

    /// Inspect fetched documents
    #[command(subcommand)]
    Documents(documents::DocumentsCommand),

    /// List, create and change webhook settings at Avinode
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),

    /// Fetch the trips of sessions again, to repair what missed notifications left out
    ///
    /// Avinode stops sending a notification after 48 hours. The running service fetches the trips within its rate limit, after
    /// more urgent work.
    Reconcile(reconcile::ReconcileArgs),

    /// Redact what is stored about a trip, a session or a person
    ///
    /// Replaces texts in deliveries, documents, facts, timelines, outcomes and jobs of the service. Ids, digests, prices and
    /// counts stay, and the application's own tables are not touched. Cannot be undone; can be run again at any time.
    Purge(purge::PurgeArgs),

    /// Print the OpenAPI 3.1 description of the HTTP API
    Openapi,

    /// Check the configuration without serving
    ///
    /// Takes the settings of serve, prints one line per check, and writes nothing. The exit code is 0 if no check failed.
    Check(Box<check::CheckArgs>),

    /// Ask the service that runs here for its health
    ///
    /// For the health checks of containers, and for scripts that wait: asks /livez of INGEST_ADMIN_LISTEN or, without it, of
    /// INGEST_LISTEN. The exit code is 0 if it is alive, and 1 if not.
    Healthcheck(HealthcheckArgs),

    /// Print the completion script of a shell
    Completions(completions::CompletionsArgs),

    /// Print the manual page, or write one for each command
    Man(man::ManArgs),

    /// Work on the jobs of a demo, which kills this process
    #[command(hide = true)]
    DemoWorker,

    /// Print docs/configuration.md
    #[command(hide = true)]
    Configuration,
}

/// Parses a command line (the program's name first) and the environment.
pub fn parse_from(args: impl IntoIterator<Item = OsString>) -> Result<Cli, EarlyExit> {
    let (mut cli, matches): (Cli, _) = parse::parse_with_sources(args)?;
    if matches!(cli.command, Command::Demo(_)) && matches.value_source("log_level") == Some(ValueSource::DefaultValue) {
        cli.log.log_level = demo::LOG_LEVEL.to_owned();
    }
    Ok(cli)
}

/// Parses the command line of this process, which is `serve`, again.
fn serve_args() -> Result<serve::ServeCommandArgs, CliError> {
    let parsed = parse_from(std::env::args_os()).map_err(|exit| match exit {
        EarlyExit::Wrong(line) => CliError::setting(line.trim_start_matches("error: ")),
        EarlyExit::Shown(_) | EarlyExit::Missing(_) => CliError::setting("the command line has no command"),
    })?;
    match parsed.command {
        Command::Serve(args) => Ok(*args),
        _ => Err(CliError::setting("the command is not serve")),
    }
}

/// Logs a warning for each variable that looks like a setting and is not: it was misspelt, or has a new name.
pub fn warn_of_unknown_variables() {
    let mut known: Vec<String> = settings([&Cli::command()])
        .into_iter()
        .map(|setting| setting.env)
        .collect();
    known.extend(secret_variables(&Cli::command()).map(|name| format!("{name}{SUFFIX}")));
    for variable in unknown_variables(&known) {
        let (name, nearest) = (variable.name, variable.nearest.join(" or "));
        let advice = match nearest.as_str() {
            "" => "docs/configuration.md lists the settings".to_owned(),
            nearest => format!("did you mean {nearest}?"),
        };
        tracing::warn!(
            variable = name,
            nearest,
            "environment variable {name} is not a setting; {advice}"
        );
    }
}

/// Runs a command to its end. The exit code of a command that did not fail need not be 0: `check` returns that of its findings.
pub async fn run(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Demo(args) => return demo::run(args).await,
        Command::Serve(args) => serve::run(*args, serve_args).await?,
        Command::Migrate(args) => migrate::run(args).await?,
        Command::Replay(args) => replay::run(args).await?,
        Command::Sign(args) => sign::run(&args).await?,
        Command::Trigger(args) => trigger::run(*args).await?,
        Command::Simulate(args) => return simulate::run(*args).await,
        Command::Sessions(command) => sessions::run(command).await?,
        Command::Jobs(command) => return jobs::run(command).await,
        Command::Deliveries(command) => return deliveries::run(command).await,
        Command::Batches(command) => return batches::run(command).await,
        Command::Audit(command) => audit::run(command).await?,
        Command::Tail(args) => tail::run(*args).await?,
        Command::Trace(args) => return trace::run(args).await,
        Command::Documents(command) => documents::run(command).await?,
        Command::Webhooks(command) => webhooks::run(command).await?,
        Command::Reconcile(args) => return reconcile::run(args).await,
        Command::Purge(args) => return purge::run(args).await,
        Command::Openapi => openapi::run()?,
        Command::Check(args) => return check::run(*args).await,
        Command::Healthcheck(args) => healthcheck::run(&args).await?,
        Command::Completions(args) => completions::run(&args, Cli::command())?,
        Command::Man(args) => man::run(&args, Cli::command())?,
        Command::DemoWorker => demo::worker::run().await?,
        Command::Configuration => configuration::run(&Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
