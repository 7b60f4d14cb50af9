//! `deliveries`: lists, shows and replays stored deliveries.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::{print, write};
use super::table::{TextTable, counted, moment, or_dash, visible_lines};
use crate::config::database::DatabaseArgs;
use crate::config::value_parsers::integer_in;
use crate::jobs;
use crate::store::admin;

#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, the newest first
    List(ListDeliveriesArgs),
    /// Show a delivery: headers, verification, body and the outcomes of its jobs
    Show(ShowDeliveryArgs),
    /// Process stored deliveries again
    ///
    /// Enqueues a job for each. What was applied before is not applied twice.
    Replay(ReplayDeliveriesArgs),
}

#[derive(Debug, clap::Args)]
pub struct ListDeliveriesArgs {
    /// Maximum number of deliveries (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only deliveries received before this one: the id of the last line gets the next page.
    #[arg(long, value_name = "ID")]
    pub before: Option<Uuid>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
pub struct ShowDeliveryArgs {
    /// Id of the delivery, as in the answer to it.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    /// Write the exact body to standard output, and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub body: bool,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
pub struct ReplayDeliveriesArgs {
    /// Ids of the deliveries.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(command: DeliveriesCommand) -> Result<ExitCode, CliError> {
    match command {
        DeliveriesCommand::List(args) => list(args).await,
        DeliveriesCommand::Show(args) => show(args).await,
        DeliveriesCommand::Replay(args) => replay(args).await,
    }
}

async fn list(args: ListDeliveriesArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let deliveries = admin::deliveries(&database.pool, args.before, args.limit)
        .await
        .context("list the deliveries")?;
    if args.json {
        print(serde_json::to_string_pretty(&deliveries).context("write the deliveries as JSON")?)?;
    } else if deliveries.is_empty() {
        print("no deliveries")?;
    } else {
        let mut table =
            TextTable::new(["delivery", "received", "verified by", "bytes", "outcome", "detail"]).numbers(&[3]);
        for delivery in deliveries {
            table.row([
                delivery.id.to_string(),
                moment(delivery.received_at),
                delivery.verified_by,
                delivery.bytes.to_string(),
                delivery.outcome,
                or_dash(delivery.detail),
            ]);
        }
        print(table)?;
    }
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn show(args: ShowDeliveryArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let delivery = admin::delivery(&database.pool, args.id)
        .await
        .context("read the delivery")?;
    database.close().await?;
    let Some(delivery) = delivery else {
        return Err(CliError::plain(format!("there is no delivery {}", args.id)));
    };
    if args.body {
        write(&delivery.body)?;
        return Ok(ExitCode::SUCCESS);
    }
    let body = String::from_utf8_lossy(&delivery.body);
    if args.json {
        let jobs: Vec<_> = delivery
            .jobs
            .iter()
            .map(|(id, kind, outcome, detail)| json!({"job": id, "kind": kind, "outcome": outcome, "detail": detail}))
            .collect();
        print(json!({
            "id": args.id,
            "received_at": delivery.received_at,
            "verified_by": delivery.verified_by,
            "headers": delivery.headers.lines().collect::<Vec<_>>(),
            "body": body,
            "jobs": jobs,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = TextTable::new(["delivery", &args.id.to_string()]);
    table.row(["received", &moment(delivery.received_at)]);
    table.row(["verified by", &delivery.verified_by]);
    for header in delivery.headers.lines() {
        table.row(["header", header]);
    }
    for (id, kind, outcome, detail) in delivery.jobs {
        table.row([format!("job {id}"), format!("{kind}: {outcome}: {}", or_dash(detail))]);
    }
    print(table)?;
    // The body may contain terminal control sequences.
    print(format_args!("\n{}", visible_lines(&body)))?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(args: ReplayDeliveriesArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let found = jobs::replay::replay(&database.pool, &args.ids)
        .await
        .context("enqueue the deliveries")?;
    print(format_args!(
        "{} enqueued",
        counted(found.len(), "delivery", "deliveries")
    ))?;
    database.close().await?;
    let missed: Vec<String> = args
        .ids
        .iter()
        .filter(|id| !found.contains(id))
        .map(ToString::to_string)
        .collect();
    if missed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::plain(format!("there is no delivery {}", missed.join(", "))))
}
