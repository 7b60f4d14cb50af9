//! `sessions`: chat sessions for an admin.

use clap::Subcommand;

use super::error::CliError;
use super::operator::OperatorCommandArgs;

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
    Archive(OperatorCommandArgs),
}

pub async fn run(command: SessionsCommand) -> Result<(), CliError> {
    match command {
        SessionsCommand::List(args) => list::run(*args).await,
        SessionsCommand::Show(args) => show::run(args).await,
        SessionsCommand::Complete(args) => change::complete(args).await,
        SessionsCommand::Archive(args) => change::archive(args).await,
    }
}
