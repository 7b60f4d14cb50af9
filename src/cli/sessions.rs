//! `sessions`: chat sessions for an operator, by the same Rust API that the HTTP API stands on, directly on the database.

use std::process::ExitCode;

use clap::Subcommand;
use uuid::Uuid;

use super::database::CommandDatabase;
use super::error::CliError;
use crate::clock::Clock;
use crate::sessions::error::SessionError;
use crate::sessions::service::SessionService;

pub mod change;
pub mod list;
pub mod show;

/// What can be done with chat sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List chat sessions, the newest activity first
    ///
    /// All filters combine. Where there is more than --limit, the last line tells the --cursor of the next page.
    List(Box<list::ListSessionsArgs>),
    /// Show one session with its quotes and its timeline
    Show(show::ShowSessionArgs),
    /// Mark sessions completed: their end is now
    ///
    /// One that is completed already stays as it is; an archived one is refused, and the others are completed all the
    /// same.
    Complete(change::CompleteSessionsArgs),
    /// Archive the sessions that were completed more than 90 days ago
    ///
    /// By archive_old_chat_sessions() of the database. A running service does so by itself, once a day.
    Archive(change::ArchiveSessionsArgs),
}

/// Does it.
pub async fn run(action: SessionsCommand) -> Result<ExitCode, CliError> {
    match action {
        SessionsCommand::List(args) => list::run(*args).await,
        SessionsCommand::Show(args) => show::run(args).await,
        SessionsCommand::Complete(args) => change::complete(args).await,
        SessionsCommand::Archive(args) => change::archive(args).await,
    }
}

/// Session tracking on this database.
fn tracking(database: &CommandDatabase) -> SessionService {
    SessionService::new(database.pool.clone(), Clock::System)
}

/// What an operation could not do, for the person who asked; `attempt` completes "could not …".
fn failed(attempt: &str, error: SessionError) -> CliError {
    let busy = matches!(error, SessionError::Busy);
    let failure = CliError::to(attempt, error);
    if busy { failure.unavailable() } else { failure }
}

/// The same for an operation on one session.
fn failed_on(session: Uuid, attempt: &str, error: SessionError) -> CliError {
    match error {
        SessionError::SessionNotFound => CliError::plain(format!("there is no session {session}")),
        error => failed(attempt, error),
    }
}
