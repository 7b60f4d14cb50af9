//! `deliveries`: lists, shows and replays stored deliveries.

pub mod list;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::age::moment_and_age;
use super::database::{CommandDatabase, DatabaseCommandArgs};
use super::error::{CliError, Context};
use super::output::{print, write};
use super::table::{TextTable, counted, or_dash, visible_lines};
use crate::config::database::DatabaseArgs;
use crate::jobs;
use crate::store::{admin, deliveries};

#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, the newest first
    ///
    /// All filters combine. If there are more than --limit, the last line has the --cursor of the next page.
    List(Box<list::ListDeliveriesArgs>),
    /// Show a delivery: headers, verification, body and the outcomes of its jobs
    Show(ShowDeliveryArgs),
    /// Process stored deliveries again
    ///
    /// Enqueues a job for each. What was applied before is not applied twice.
    Replay(ReplayDeliveriesArgs),
}

#[derive(Debug, clap::Args)]
pub struct ShowDeliveryArgs {
    /// Id of the delivery, as in the answer to it.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    /// Write the exact body to standard output, and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub body: bool,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

#[derive(Debug, clap::Args)]
pub struct ReplayDeliveriesArgs {
    /// Ids of the deliveries.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(command: DeliveriesCommand) -> Result<(), CliError> {
    match command {
        DeliveriesCommand::List(args) => list::run(*args).await,
        DeliveriesCommand::Show(args) => show(args).await,
        DeliveriesCommand::Replay(args) => replay(args).await,
    }
}

async fn show(args: ShowDeliveryArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let delivery = admin::delivery(&database.pool, args.id).await;
    database.close().await?;
    let Some(delivery) = delivery.context("read the delivery")? else {
        return Err(CliError::plain(format!("there is no delivery {}", args.id)));
    };
    if args.body {
        return write(&delivery.body);
    }
    let body = String::from_utf8_lossy(&delivery.body);
    let jobs = delivery.jobs.into_iter();
    if args.common.json {
        let jobs = jobs
            .map(|(id, kind, outcome, detail)| json!({"job": id, "kind": kind, "outcome": outcome, "detail": detail}));
        return print(json!({
            "id": args.id,
            "received_at": delivery.received_at,
            "verified_by": delivery.verified_by,
            "headers": delivery.headers.lines().collect::<Vec<_>>(),
            "body": body,
            "redaction": delivery.redaction,
            "jobs": jobs.collect::<Vec<_>>(),
        }));
    }
    let properties = [
        ("received", moment_and_age(delivery.received_at)),
        ("verified by", delivery.verified_by),
    ]
    .into_iter()
    .chain(delivery.redaction.map(|redaction| ("redacted", redaction.to_string())));
    let headers = delivery.headers.lines();
    let headers = headers.map(|header| ["header".to_owned(), header.to_owned()]);
    let jobs = jobs
        .map(|(id, kind, outcome, detail)| [format!("job {id}"), format!("{kind}: {outcome}: {}", or_dash(detail))]);
    let table = TextTable::properties("delivery", args.id, properties);
    print(table.rows(headers).rows(jobs))?;
    // The body may contain terminal control sequences.
    print(format_args!("\n{}", visible_lines(&body)))
}

async fn replay(args: ReplayDeliveriesArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let found = jobs::replay::replay(&database.pool, &args.ids)
        .await
        .context("enqueue the deliveries")?;
    print(format_args!(
        "{} enqueued",
        counted(found.len(), "delivery", "deliveries")
    ))?;
    let missed: Vec<Uuid> = args.ids.iter().copied().filter(|id| !found.contains(id)).collect();
    let redacted = deliveries::redacted(&database.pool, &missed).await;
    database.close().await?;
    let redacted = redacted.context("look for redacted deliveries")?;
    let (redacted, unknown): (Vec<_>, Vec<_>) = missed.into_iter().partition(|id| redacted.contains(id));
    let failures: Vec<String> = [
        ("redacted, so there is nothing left to process:", redacted),
        ("there is no delivery", unknown),
    ]
    .into_iter()
    .filter(|(_, ids)| !ids.is_empty())
    .map(|(what, ids)| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        format!("{what} {}", ids.join(", "))
    })
    .collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(CliError::plain(failures.join("; "))),
    }
}
