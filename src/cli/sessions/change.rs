//! `sessions complete` and `sessions archive`.

use serde_json::json;
use uuid::Uuid;

use crate::cli::error::CliError;
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::output::print;
use crate::cli::table::counted;

#[derive(Debug, clap::Args)]
pub struct CompleteSessionsArgs {
    /// Ids of the sessions, as in `sessions list`.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

/// Completes each session on its own, so that one that is refused does not keep the others from being completed.
pub(super) async fn complete(args: CompleteSessionsArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    let mut failure = None;
    for id in args.ids {
        match operator.complete_session(id).await {
            Ok(Ok(())) => done.push(id),
            Ok(Err(refusal)) => not_done.push((id, refusal)),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    operator.close().await?;
    if args.common.json {
        let not_done = not_done
            .iter()
            .map(|(id, refusal)| json!({"id": id, "error": refusal.reason}));
        print(json!({"done": done, "not_done": not_done.collect::<Vec<_>>()}))?;
    } else {
        print(format_args!("{} completed", counted(done.len(), "session", "sessions")))?;
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if not_done.is_empty() {
        return Ok(());
    }
    let refused: Vec<String> = not_done
        .iter()
        .map(|(id, refusal)| format!("{id}: {}", refusal.reason))
        .collect();
    let failure = CliError::plain(format!("not completed: {}", refused.join("; ")));
    let is_passing = not_done.iter().any(|(_, refusal)| refusal.is_passing);
    Err(if is_passing { failure.unavailable() } else { failure })
}

pub(super) async fn archive(args: OperatorCommandArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.target).await?;
    let archived = operator.archive_sessions().await;
    operator.close().await?;
    let archived = archived?.archived;
    match archived {
        _ if args.json => print(json!({"archived": archived})),
        Some(sessions) => print(format_args!("{} archived", counted(sessions, "session", "sessions"))),
        None => print("archived; the database's own function does not return how many"),
    }
}
