//! `deliveries`: lists, shows, replays and exports stored deliveries.

pub mod export;
pub mod list;
pub mod replay;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::age::moment_and_age;
use super::error::CliError;
use super::operator::{Operator, OperatorCommandArgs};
use super::output::{print, write};
use super::table::{TextTable, or_dash};
use crate::domain::terminal_text::visible_lines;

#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, the newest first
    ///
    /// All filters combine. If there are more than --limit, the last line has the --cursor of the next page.
    List(Box<list::ListDeliveriesArgs>),
    /// Show a delivery: headers, verification, body and the outcomes of its jobs
    Show(Box<ShowDeliveryArgs>),
    /// Process stored deliveries again
    ///
    /// Takes ids, or the filters of `deliveries list`, which all combine. Enqueues a job for each. What was applied before is not
    /// applied twice. What filters select is enqueued in steps, as a batch; with --dry-run it shows which sessions would change.
    Replay(Box<replay::ReplayDeliveriesArgs>),
    /// Write deliveries as fixtures, without personal text
    ///
    /// One file for each, which `replay DIR` sends in the order in which they were received. Ids, kinds, times, prices and states
    /// stay; every other text is redacted.
    Export(Box<export::ExportDeliveriesArgs>),
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
    pub common: OperatorCommandArgs,
}

pub async fn run(command: DeliveriesCommand) -> Result<ExitCode, CliError> {
    match command {
        DeliveriesCommand::List(args) => list::run(*args).await?,
        DeliveriesCommand::Show(args) => show(*args).await?,
        DeliveriesCommand::Replay(args) => return replay::run(*args).await,
        DeliveriesCommand::Export(args) => export::run(*args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(args: ShowDeliveryArgs) -> Result<(), CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let delivery = operator.delivery(args.id).await;
    operator.close().await?;
    let Some(delivery) = delivery? else {
        return Err(CliError::plain(format!("there is no delivery {}", args.id)));
    };
    if args.body {
        return write(&delivery.body.bytes());
    }
    let body = delivery.body.bytes();
    let body = String::from_utf8_lossy(&body);
    if args.common.json {
        return print(json!({
            "id": args.id,
            "received_at": delivery.received_at,
            "verified_by": delivery.verified_by,
            "headers": delivery.headers,
            "body": body,
            "redaction": delivery.redaction,
            "jobs": delivery.jobs,
        }));
    }
    let properties = [
        ("received", moment_and_age(delivery.received_at)),
        ("verified by", delivery.verified_by),
    ]
    .into_iter()
    .chain(delivery.redaction.map(|redaction| ("redacted", redaction.to_string())));
    let headers = delivery.headers.into_iter();
    let headers = headers.map(|header| ["header".to_owned(), header]);
    let jobs = delivery.jobs.into_iter().map(|job| {
        let (kind, outcome) = (job.kind, job.outcome);
        [
            format!("job {}", job.job),
            format!("{kind}: {outcome}: {}", or_dash(job.detail)),
        ]
    });
    let table = TextTable::properties("delivery", args.id, properties);
    print(table.rows(headers).rows(jobs))?;
    // The body may contain terminal control sequences.
    print(format_args!("\n{}", visible_lines(&body)))
}
