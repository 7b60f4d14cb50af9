//! `deliveries`: what was received, byte for byte, and working on it again.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::{print, write};
use super::table::{TextTable, moment, or_dash, visible_lines};
use crate::config::database::DatabaseArgs;
use crate::config::value_parsers::whole;
use crate::jobs;
use crate::store::admin::{self, DeliveryFilter};

/// What can be done with deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, the newest first
    List(ListDeliveriesArgs),
    /// Show one delivery: its headers, how it was verified, its body, and what became of it
    Show(ShowDeliveryArgs),
    /// Work on stored deliveries again
    ///
    /// Makes a new job for each; a session that already shows what the delivery says is not changed again.
    Replay(ReplayDeliveriesArgs),
}

/// What `deliveries list` takes.
#[derive(Debug, clap::Args)]
pub struct ListDeliveriesArgs {
    /// The most deliveries to list (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = whole::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only deliveries received before this one, to turn the page.
    #[arg(long, value_name = "ID")]
    pub before: Option<Uuid>,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `deliveries show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowDeliveryArgs {
    /// The delivery, by the id that it was answered with.
    #[arg(value_name = "ID")]
    pub id: Uuid,

    /// Write only the exact body, byte for byte, to standard output.
    #[arg(long, conflicts_with = "json")]
    pub body: bool,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What `deliveries replay` takes.
#[derive(Debug, clap::Args)]
pub struct ReplayDeliveriesArgs {
    /// The deliveries, by id.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<Uuid>,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Does it.
pub async fn run(action: DeliveriesCommand) -> Result<ExitCode, CliError> {
    match action {
        DeliveriesCommand::List(args) => list(args).await,
        DeliveriesCommand::Show(args) => show(args).await,
        DeliveriesCommand::Replay(args) => replay(args).await,
    }
}

async fn list(args: ListDeliveriesArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let filter = DeliveryFilter {
        before: args.before,
        limit: args.limit,
    };
    let deliveries = admin::deliveries(&database.pool, &filter)
        .await
        .context("list the deliveries")?;
    if args.json {
        print(serde_json::to_string_pretty(&deliveries).context("write the deliveries as JSON")?)?;
    } else if deliveries.is_empty() {
        print("no deliveries")?;
    } else {
        let mut report =
            TextTable::new(["delivery", "received", "verified by", "bytes", "outcome", "detail"]).numbers(&[3]);
        for delivery in deliveries {
            report.row([
                delivery.id.to_string(),
                moment(delivery.received_at),
                delivery.verified_by,
                delivery.bytes.to_string(),
                delivery.outcome,
                or_dash(delivery.detail),
            ]);
        }
        print(report)?;
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
    let mut report = TextTable::new(["delivery", &args.id.to_string()]);
    report.row(["received", &moment(delivery.received_at)]);
    report.row(["verified by", &delivery.verified_by]);
    for header in delivery.headers.lines() {
        report.row(["header", header]);
    }
    for (id, kind, outcome, detail) in delivery.jobs {
        report.row([format!("job {id}"), format!("{kind}: {outcome}: {}", or_dash(detail))]);
    }
    print(report)?;
    // The body is a stranger's: nothing in it may steer the terminal.
    print(format_args!("\n{}", visible_lines(&body)))?;
    Ok(ExitCode::SUCCESS)
}

async fn replay(args: ReplayDeliveriesArgs) -> Result<ExitCode, CliError> {
    let database = CommandDatabase::open_current(&args.database).await?;
    let found = jobs::replay::replay(&database.pool, &args.ids)
        .await
        .context("queue the deliveries again")?;
    print(format_args!("{} to be worked on again", found.len()))?;
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
