//! `purge`: redacts what is stored about a trip, a session or a person.

use std::io::{BufRead, IsTerminal, stdin};
use std::process::ExitCode;

use serde_json::json;
use uuid::Uuid;

use super::actor;
use super::database::{CommandDatabase, DatabaseCommandArgs};
use super::error::{CliError, Context, EXIT_INTERRUPTED};
use super::output::print;
use super::table::{TextTable, counted};
use crate::domain::ids::TripId;
use crate::domain::redaction::person_text::PersonText;
use crate::jobs::purge::report::PurgeReport;
use crate::jobs::purge::{Purge, PurgeTarget};
use crate::postgres::application_text::{self, TextColumns};
use crate::shutdown;
use crate::stderr;

#[derive(Debug, clap::Args)]
pub struct PurgeArgs {
    #[command(flatten)]
    pub target: PurgeTargetArgs,

    /// Count what would be redacted, and change nothing. The audit log has the run all the same.
    #[arg(long)]
    pub dry_run: bool,

    /// Redact without asking. Needed where standard input is no terminal.
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct PurgeTargetArgs {
    /// Everything about this trip: its resource id or short id, in any spelling.
    #[arg(long, value_name = "ID", value_parser = TripId::parse)]
    pub trip: Option<TripId>,

    /// Everything about this session and its trip.
    #[arg(long, value_name = "ID")]
    pub session: Option<Uuid>,

    /// Every text that contains this one, in any case: a name, an e-mail address, a telephone number. `-` reads it from standard
    /// input, so that it is in no process list and no shell history.
    #[arg(long, value_name = "TEXT")]
    pub person: Option<String>,
}

impl PurgeTargetArgs {
    fn read(self) -> Result<PurgeTarget, CliError> {
        match (self.trip, self.session, self.person) {
            (Some(trip), _, _) => Ok(PurgeTarget::Trip(trip)),
            (_, Some(session), _) => Ok(PurgeTarget::Session(session)),
            (_, _, Some(person)) => {
                let text = match person.as_str() {
                    "-" => line()?,
                    _ => person,
                };
                let text = PersonText::parse(&text).map_err(|error| CliError::setting(format!("--person: {error}")))?;
                Ok(PurgeTarget::Person(text))
            }
            (None, None, None) => Err(CliError::setting("one of --trip, --session and --person is needed")),
        }
    }
}

pub async fn run(args: PurgeArgs) -> Result<ExitCode, CliError> {
    let target = args.target.read()?;
    if !args.dry_run && !args.yes && !is_confirmed()? {
        print("nothing was redacted")?;
        return Ok(ExitCode::FAILURE);
    }
    let purge = Purge {
        target,
        dry_run: args.dry_run,
        actor: actor::current(),
    };
    let stop = shutdown::on_signals().context("watch for signals")?;
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let report = purge.run(&database.pool, || stop.is_cancelled()).await;
    let columns = application_text::read(&database.pool).await;
    database.close().await?;
    let report = report.context("purge")?;
    let columns = columns.context("read the columns of the application's tables")?;
    if args.common.json {
        print(json!({
            "run": report.run,
            "dry_run": purge.dry_run,
            "rows": report.rows,
            "deliveries_needed_by_jobs": report.needed,
            "finished": !report.is_unfinished(),
            "application_columns": columns.iter().map(|table| json!({"table": table.table, "columns": table.columns}))
                .collect::<Vec<_>>(),
        }))?;
    } else {
        print(summary(&report, purge.dry_run, &columns))?;
    }
    outcome(&report)
}

fn outcome(report: &PurgeReport) -> Result<ExitCode, CliError> {
    if report.is_stopped {
        stderr::line(format_args!(
            "error: interrupted; the same command again redacts the rest"
        ));
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    if report.needed > 0 {
        let left = counted(report.needed, "delivery is", "deliveries are");
        return Err(CliError::plain(format!("{left} needed by jobs, and left as received"))
            .hint("run the same command again when `jobs list` shows these jobs no more"));
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(report: &PurgeReport, dry_run: bool, columns: &[TextColumns]) -> String {
    let rows = report
        .rows
        .iter()
        .map(|(table, rows)| [(*table).to_owned(), rows.to_string()]);
    let heading = if dry_run { "to redact" } else { "redacted" };
    let table = TextTable::new(["table", heading]).numbers(&[1]).rows(rows);
    let columns = columns
        .iter()
        .map(|table| [format!("public.{}", table.table), table.columns.join(", ")]);
    let theirs = TextTable::new(["not touched", "columns that may hold personal data"])
        .texts(&[1])
        .rows(columns);
    let done = if dry_run {
        "nothing was changed"
    } else {
        "backups are not changed"
    };
    format!(
        "{table}\n\n{done}; the audit log has this run as {}\n\nthe application has to look through its own tables:\n{theirs}",
        report.run
    )
}

/// Asks on standard error, so that the output stays what scripts expect.
fn is_confirmed() -> Result<bool, CliError> {
    if !stdin().is_terminal() {
        return Err(CliError::setting(
            "purge cannot be undone: add --yes, or count first with --dry-run",
        ));
    }
    stderr::line(format_args!("This cannot be undone. Redact now? [y/N]"));
    Ok(matches!(line()?.trim(), "y" | "Y" | "yes"))
}

fn line() -> Result<String, CliError> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("read standard input")?;
    Ok(line)
}
