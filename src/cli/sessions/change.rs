//! `sessions complete` and `sessions archive`.

use serde_json::json;
use uuid::Uuid;

use super::{failed, service};
use crate::cli::database::{CommandDatabase, DatabaseCommandArgs};
use crate::cli::error::{CliError, chain};
use crate::cli::output::print;
use crate::cli::table::counted;
use crate::sessions::error::SessionError;

#[derive(Debug, clap::Args)]
pub struct CompleteSessionsArgs {
    /// Ids of the sessions, as in `sessions list`.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

/// Completes each session on its own, so that one that is refused does not keep the others from being completed.
pub(super) async fn complete(args: CompleteSessionsArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let sessions = service(&database);
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    for id in args.ids {
        match sessions.complete(id).await {
            Ok(_) => done.push(id),
            Err(error) => not_done.push((id, error)),
        }
    }
    database.close().await?;
    if args.common.json {
        let not_done = not_done
            .iter()
            .map(|(id, error)| json!({"id": id, "error": error.to_string()}));
        print(json!({"done": done, "not_done": not_done.collect::<Vec<_>>()}))?;
    } else {
        print(format_args!("{} completed", counted(done.len(), "session", "sessions")))?;
    }
    if not_done.is_empty() {
        return Ok(());
    }
    let refused: Vec<String> = not_done
        .iter()
        .map(|(id, error)| format!("{id}: {}", chain(error)))
        .collect();
    let failure = CliError::plain(format!("not completed: {}", refused.join("; ")));
    let busy = not_done.iter().any(|(_, error)| matches!(error, SessionError::Busy));
    Err(if busy { failure.unavailable() } else { failure })
}

pub(super) async fn archive(args: DatabaseCommandArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let archived = service(&database).archive().await;
    let archived = archived
        .map_err(|error| failed("archive the sessions", error))?
        .archived;
    database.close().await?;
    match archived {
        _ if args.json => print(json!({"archived": archived})),
        Some(sessions) => print(format_args!("{} archived", counted(sessions, "session", "sessions"))),
        None => print("archived; the database's own function does not return how many"),
    }
}
