//! `sessions`: chat sessions for an admin, through the same Rust API as the HTTP API, on the database.

use clap::Subcommand;
use uuid::Uuid;

use super::actor;
use super::database::{CommandDatabase, DatabaseCommandArgs};
use super::error::CliError;
use crate::clock::Clock;
use crate::sessions::error::SessionError;
use crate::sessions::service::SessionService;

pub mod change;
pub mod list;
pub mod show;

#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List chat sessions, the latest activity first
    ///
    /// All filters combine. If there are more than --limit, the last line has the --cursor of the next page.
    List(Box<list::ListSessionsArgs>),
    /// Show a session with its quotes and its timeline
    Show(show::ShowSessionArgs),
    /// Complete sessions
    ///
    /// A completed session is left unchanged. An archived one is refused; the others are completed all the same.
    Complete(change::CompleteSessionsArgs),
    /// Archive the sessions that were completed more than 90 days ago
    ///
    /// Calls archive_old_chat_sessions() of the database. A running service calls it once a day.
    Archive(DatabaseCommandArgs),
}

pub async fn run(command: SessionsCommand) -> Result<(), CliError> {
    match command {
        SessionsCommand::List(args) => list::run(*args).await,
        SessionsCommand::Show(args) => show::run(args).await,
        SessionsCommand::Complete(args) => change::complete(args).await,
        SessionsCommand::Archive(args) => change::archive(args).await,
    }
}

fn service(database: &CommandDatabase) -> SessionService {
    SessionService::new(database.pool.clone(), Clock::System).acting_as(actor::current())
}

/// `attempt` completes "could not …".
fn failed(attempt: &str, error: SessionError) -> CliError {
    let busy = matches!(error, SessionError::Busy);
    let failure = CliError::to(attempt, error);
    if busy { failure.unavailable() } else { failure }
}

fn failed_on(session: Uuid, attempt: &str, error: SessionError) -> CliError {
    match error {
        SessionError::SessionNotFound => CliError::plain(format!("there is no session {session}")),
        error => failed(attempt, error),
    }
}
