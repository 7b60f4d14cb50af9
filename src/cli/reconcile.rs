//! `reconcile`: has the trips of sessions fetched anew, and shows what that changed.

pub mod output;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::print;
use crate::clock::Clock;
use crate::config::database::DatabaseArgs;
use crate::config::time_ago::{TimeAgo, since};
use crate::config::value_parsers::seconds;
use crate::domain::ids::TripId;
use crate::jobs::fetch::status;
use crate::jobs::reconcile::{self, ReconcileRun};
use crate::postgres::transaction::Pool;
use crate::queue::runs::FinishedJob;
use crate::store::trip_lookup::ReconcileScope;

/// How often it is asked whether all is done.
const POLL: Duration = Duration::from_millis(200);

/// What `reconcile` takes: which trips, and whether to wait.
#[derive(Debug, clap::Args)]
pub struct ReconcileArgs {
    /// One trip, by either of its ids.
    #[arg(long, value_name = "ID", required_unless_present_any = ["active", "since"], conflicts_with_all = ["active", "since"])]
    pub trip: Option<String>,

    /// The trips of all active sessions.
    #[arg(long, conflicts_with = "since")]
    pub active: bool,

    /// The trips of all sessions in which something has happened since: 48h, 7d, or a time such as 2026-01-31T10:00:00Z.
    #[arg(long, value_name = "SINCE", value_parser = since)]
    pub since: Option<TimeAgo>,

    /// Wait until all that this asked for has been fetched, and show what it changed.
    #[arg(long)]
    pub wait: bool,

    /// With --wait: for how long, in seconds (1 to 86400).
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds(1, 86_400), requires = "wait")]
    pub timeout: Duration,

    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Puts them up, and waits where that is wanted.
pub async fn run(args: ReconcileArgs) -> Result<ExitCode, CliError> {
    let which = which(&args)?;
    let database = CommandDatabase::open_current(&args.database).await?;
    let done = put_up(&database.pool, &which, &args).await;
    database.close().await?;
    done
}

fn which(args: &ReconcileArgs) -> Result<ReconcileScope, CliError> {
    match (&args.trip, args.since) {
        (Some(trip), _) => {
            let trip = TripId::parse(trip).map_err(|error| CliError::setting(format!("--trip: {error}")))?;
            Ok(ReconcileScope::Trip(trip.as_str().to_owned()))
        }
        (None, Some(since)) => Ok(ReconcileScope::Since(since.moment(Clock::System.now()))),
        (None, None) => Ok(ReconcileScope::Active),
    }
}

async fn put_up(pool: &Pool, which: &ReconcileScope, args: &ReconcileArgs) -> Result<ExitCode, CliError> {
    let attempt = "queue the trips";
    let (asked, run) = if args.wait {
        let (asked, run) = reconcile::begin_run(pool, which).await.context(attempt)?;
        (asked, Some(run))
    } else {
        (reconcile::enqueue(pool, which).await.context(attempt)?, None)
    };
    let fetching = status::read(pool).await.context("read the status of fetching")?;
    let nobody = status::blocked(&fetching);
    let finished = match (&nobody, run) {
        (Some(_), _) | (None, None) => None,
        (None, Some(run)) => Some(wait(pool, run, args.timeout).await?),
    };
    if args.json {
        print(json!({
            "trips": asked.targets.iter().map(|it| json!({
                "trip": it.trip, "session": it.session, "resources": it.resources,
            })).collect::<Vec<_>>(),
            "queued": asked.queued,
            "waits": nobody,
            "finished": finished,
        }))?;
    } else {
        print(output::asked(&asked))?;
        if let Some(finished) = &finished {
            print(output::finished(finished))?;
        }
    }
    match (nobody, args.wait) {
        (Some(why), true) => {
            return Err(CliError::plain(format!("nothing is fetched now: {why}"))
                .hint("what was put up is kept, and fetched when that changes")
                .unavailable());
        }
        (Some(why), false) if !args.json => print(format_args!("it waits: {why}"))?,
        _ => {}
    }
    Ok(if output::is_well(&asked, finished.as_deref().unwrap_or_default()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn wait(pool: &Pool, run: ReconcileRun, limit: Duration) -> Result<Vec<FinishedJob>, CliError> {
    let began = Instant::now();
    loop {
        let left = reconcile::count_live(pool, run).await.context("count what is left")?;
        if left == 0 {
            break;
        }
        if began.elapsed() >= limit {
            return Err(CliError::plain(format!(
                "{left} resources are still to be fetched after {} s",
                limit.as_secs()
            ))
            .hint("fetching goes on; see avinode-ingest jobs list")
            .unavailable());
        }
        sleep(POLL).await;
    }
    reconcile::finished(pool, run)
        .await
        .context("read what has become of it")
}
