//! `deliveries export`: writes deliveries as fixtures, without personal text.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use uuid::Uuid;

use crate::admin::export::{self, ExportReport, ExportedDelivery};
use crate::cli::actor;
use crate::cli::database::{CommandDatabase, DatabaseCommandArgs};
use crate::cli::error::{CliError, Context};
use crate::cli::filter_args::DeliveryFilterArgs;
use crate::cli::output::{print, print_json};
use crate::cli::table::counted;
use crate::config::value_parsers::integer_in;
use crate::postgres::transaction::Pool;
use crate::store::audit::{self, AuditAction, AuditState, AuditedRun};

#[derive(Debug, clap::Args)]
pub struct ExportDeliveriesArgs {
    /// Directory to write to. It must be empty, or not exist.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    #[command(flatten)]
    pub filter: DeliveryFilterArgs,

    /// Maximum number of deliveries, the newest of those that the filters select (1 to 1000000).
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = integer_in::<i64>(1, 1_000_000))]
    pub limit: i64,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

pub(super) async fn run(args: ExportDeliveriesArgs) -> Result<(), CliError> {
    let out = args.out.display();
    create_empty(&args.out).context(format_args!("use the directory {out}"))?;
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let exported = export(&database.pool, &args).await;
    database.close().await?;
    let ExportReport {
        written,
        redacted,
        is_limited,
    } = exported?;
    if args.common.json {
        return print_json(&json!({"written": written, "redacted": redacted, "limit_reached": is_limited}));
    }
    print(format_args!(
        "{} written to {out}",
        counted(written, "delivery", "deliveries")
    ))?;
    if redacted > 0 {
        print(format_args!("{redacted} left out: they are redacted"))?;
    }
    match is_limited {
        true => print(format_args!(
            "the limit of {} is reached: there may be more",
            args.limit
        )),
        false => Ok(()),
    }
}

async fn export(pool: &Pool, args: &ExportDeliveriesArgs) -> Result<ExportReport, CliError> {
    let selection = args.filter.selection();
    let mut details = json!(selection);
    if let Some(object) = details.as_object_mut()
        && object.remove("text").is_some()
    {
        object.insert("has_text".to_owned(), json!(true));
    }
    let run = AuditedRun {
        run: Uuid::now_v7(),
        actor: actor::current(),
        action: AuditAction::ExportDeliveries,
        dry_run: false,
        details: json!({"filter": details}),
    };
    let recorded = audit::append(pool, &run, AuditState::Begun, &json!({})).await;
    recorded.context("write the audit log")?;
    let report = export::run(pool, &selection, args.limit, |delivery| write(&args.out, &delivery)).await;
    let report = report.context("export the deliveries")?;
    let counts = json!({"deliveries": report.written});
    let recorded = audit::append(pool, &run, AuditState::Finished, &counts).await;
    recorded.context("write the audit log")?;
    Ok(report)
}

/// The names sort as the deliveries were received.
fn write(folder: &Path, delivery: &ExportedDelivery) -> io::Result<()> {
    let path = folder.join(format!("{}.json", delivery.id));
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(&delivery.body)
}

fn create_empty(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match fs::read_dir(folder)?.next() {
        None => Ok(()),
        Some(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it is not empty: name a new directory",
        )),
    }
}
