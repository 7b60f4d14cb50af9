//! `reconcile`: fetches the trips of sessions again, and shows what that changed.

pub mod output;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::database::{CommandDatabase, DatabaseCommandArgs};
use super::error::{CliError, Context};
use super::output::{print, print_lines};
use crate::clock::Clock;
use crate::config::quantity::duration;
use crate::config::time_ago::{TimeAgo, since};
use crate::domain::ids::TripId;
use crate::jobs::fetch::status;
use crate::jobs::reconcile::{self, ReconcileRun};
use crate::postgres::transaction::Pool;
use crate::queue::runs::FinishedJob;
use crate::store::trip_lookup::ReconcileScope;

/// How often the queue is asked for unfinished jobs.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub struct ReconcileArgs {
    /// One trip: its resource id or short id.
    #[arg(long, value_name = "ID", required_unless_present_any = ["active", "since"], conflicts_with_all = ["active", "since"])]
    pub trip: Option<String>,

    /// The trips of all active sessions.
    #[arg(long, conflicts_with = "since")]
    pub active: bool,

    /// The trips of all sessions with activity since then: 48h, 7d, or a time such as 2026-01-31T10:00:00Z.
    #[arg(long, value_name = "SINCE", value_parser = since)]
    pub since: Option<TimeAgo>,

    /// Wait until all of these trips are fetched, and show what that changed.
    #[arg(long)]
    pub wait: bool,

    /// With --wait: how long to wait (1s to 1d).
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration("1s", "1d"), requires = "wait")]
    pub timeout: Duration,

    /// Exit with 1 also where sessions have a trip id that cannot be fetched, or that Avinode does not know.
    #[arg(long)]
    pub strict: bool,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

pub async fn run(args: ReconcileArgs) -> Result<ExitCode, CliError> {
    let scope = scope(&args)?;
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let result = enqueue_and_wait(&database.pool, &scope, &args).await;
    database.close().await?;
    result
}

fn scope(args: &ReconcileArgs) -> Result<ReconcileScope, CliError> {
    match (&args.trip, args.since) {
        (Some(trip), _) => {
            let trip = TripId::parse(trip).map_err(|error| CliError::setting(format!("--trip: {error}")))?;
            Ok(ReconcileScope::Trip(trip.as_str().to_owned()))
        }
        (None, Some(since)) => Ok(ReconcileScope::Since(since.moment(Clock::System.now()))),
        (None, None) => Ok(ReconcileScope::Active),
    }
}

async fn enqueue_and_wait(pool: &Pool, scope: &ReconcileScope, args: &ReconcileArgs) -> Result<ExitCode, CliError> {
    let attempt = "enqueue the trips";
    let (plan, run) = if args.wait {
        let (plan, run) = reconcile::begin_run(pool, scope).await.context(attempt)?;
        (plan, Some(run))
    } else {
        (reconcile::enqueue(pool, scope).await.context(attempt)?, None)
    };
    let fetching = status::read(pool).await.context("read the status of fetching")?;
    let not_fetching = status::blocked(&fetching);
    let finished = match (&not_fetching, run) {
        (Some(_), _) | (None, None) => None,
        (None, Some(run)) => Some(wait(pool, run, args.timeout).await?),
    };
    if args.common.json {
        print(json!({
            "trips": plan.targets.iter().map(|target| json!({
                "trip": target.trip, "session": target.session, "resources": target.resources,
            })).collect::<Vec<_>>(),
            "queued": plan.queued,
            "waits": not_fetching,
            "finished": finished,
        }))?;
    } else {
        print_lines(output::plan(&plan))?;
        if let Some(finished) = &finished {
            print_lines(output::finished(finished))?;
        }
    }
    match (not_fetching, args.wait) {
        (Some(reason), true) => {
            return Err(CliError::plain(format!("nothing is fetched now: {reason}"))
                .hint("the trips stay enqueued, and are fetched when that changes")
                .unavailable());
        }
        (Some(reason), false) if !args.common.json => print_lines(format_args!("not fetched yet: {reason}"))?,
        _ => {}
    }
    let finished = finished.as_deref().unwrap_or_default();
    // The application may have written an invalid trip id into a session, and it may stay there for ever.
    let strict = args.strict || args.trip.is_some();
    let failed = output::has_dead(finished) || strict && !output::is_complete(&plan, finished);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn wait(pool: &Pool, run: ReconcileRun, timeout: Duration) -> Result<Vec<FinishedJob>, CliError> {
    let began = Instant::now();
    loop {
        let left = reconcile::count_live(pool, run)
            .await
            .context("count the unfinished jobs")?;
        if left == 0 {
            break;
        }
        if began.elapsed() >= timeout {
            let timeout = humantime::format_duration(timeout);
            return Err(
                CliError::plain(format!("{left} resources are not fetched after {timeout}"))
                    .hint("fetching goes on; see avinode-ingest jobs list")
                    .unavailable(),
            );
        }
        sleep(POLL_INTERVAL).await;
    }
    reconcile::finished(pool, run)
        .await
        .context("read the outcomes of the jobs")
}
