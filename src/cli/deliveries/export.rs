//! `deliveries export`: writes deliveries as fixtures, without personal text.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use uuid::Uuid;

use crate::admin::export::ExportedDelivery;
use crate::cli::error::{CliError, Context};
use crate::cli::filter_args::DeliveryFilterArgs;
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::output::{print, print_json};
use crate::cli::table::counted;
use crate::config::value_parsers::integer_in;

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
    pub common: OperatorCommandArgs,
}

/// The numbers of an export.
#[derive(Default)]
struct ExportCounts {
    written: i64,
    /// Redacted before.
    redacted: i64,
    is_limited: bool,
}

pub(super) async fn run(args: ExportDeliveriesArgs) -> Result<(), CliError> {
    let out = args.out.display();
    create_empty(&args.out).context(format_args!("use the directory {out}"))?;
    let operator = Operator::open(&args.common.target).await?;
    let exported = export(&operator, &args).await;
    operator.close().await?;
    let ExportCounts {
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

async fn export(operator: &Operator, args: &ExportDeliveriesArgs) -> Result<ExportCounts, CliError> {
    let (selection, mut counts, mut before) = (args.filter.selection(), ExportCounts::default(), None);
    loop {
        let room = args.limit - counts.written - counts.redacted;
        if room <= 0 {
            counts.is_limited = true;
            return Ok(counts);
        }
        let page = operator.export(&selection, before, room).await?;
        for ExportedDelivery { id, body } in page.data {
            match body {
                Some(body) => {
                    write(&args.out, id, &body.bytes()).context("write a delivery")?;
                    counts.written += 1;
                }
                None => counts.redacted += 1,
            }
        }
        before = page.next;
        if before.is_none() {
            return Ok(counts);
        }
    }
}

/// The names sort as the deliveries were received.
fn write(folder: &Path, id: Uuid, body: &[u8]) -> io::Result<()> {
    let path = folder.join(format!("{id}.json"));
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(body)
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
