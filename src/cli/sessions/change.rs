//! `sessions complete` and `sessions archive`.

use std::process::ExitCode;

use serde_json::json;
use uuid::Uuid;

use super::{failed, tracking};
use crate::cli::database::CommandDatabase;
use crate::cli::error::{CliError, chain};
use crate::cli::output::print;
use crate::config::database::DatabaseArgs;
use crate::sessions::error::SessionError;

/// What `sessions complete` takes.
#[derive(Debug, clap::Args)]
pub struct CompleteSessionsArgs {
    /// The sessions, by the ids that `sessions list` prints.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `sessions archive` takes.
#[derive(Debug, clap::Args)]
pub struct ArchiveSessionsArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Completes them, each by itself: one that cannot be is told, and the others are completed.
pub(super) async fn complete(args: CompleteSessionsArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let sessions = tracking(&database);
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    for id in args.ids {
        match sessions.complete(id).await {
            Ok(_) => done.push(id),
            Err(error) => not_done.push((id, error)),
        }
    }
    database.close().await?;
    if args.json {
        let told = not_done
            .iter()
            .map(|(id, why)| json!({"id": id, "why": why.to_string()}));
        print(json!({"done": done, "not_done": told.collect::<Vec<_>>()}))?;
    } else {
        print(format_args!(
            "{} completed",
            counted(i64::try_from(done.len()).unwrap_or(i64::MAX))
        ))?;
    }
    if not_done.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let told: Vec<String> = not_done
        .iter()
        .map(|(id, why)| format!("{id}: {}", chain(why)))
        .collect();
    let failure = CliError::plain(format!("not completed: {}", told.join("; ")));
    let busy = not_done.iter().any(|(_, why)| matches!(why, SessionError::Busy));
    Err(if busy { failure.unavailable() } else { failure })
}

/// Archives what is due.
pub(super) async fn archive(args: ArchiveSessionsArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let archived = tracking(&database).archive().await;
    let archived = archived
        .map_err(|error| failed("archive the sessions", error))?
        .archived;
    database.close().await?;
    match archived {
        _ if args.json => print(json!({"archived": archived}))?,
        Some(sessions) => print(format_args!("{} archived", counted(sessions)))?,
        None => print("archived what was due; the database's own function does not say how many")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn counted(sessions: i64) -> String {
    if sessions == 1 {
        "1 session".to_owned()
    } else {
        format!("{sessions} sessions")
    }
}
