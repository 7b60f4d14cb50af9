//! `replay [PATH…]`: sends fixtures, signed, to a running service, and tells how it answered.

pub mod progress;
pub mod sender;
pub mod summary;
pub mod wait_idle;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::fixtures::{self, SANDBOX};
use super::output::print;
use super::signing::SigningArgs;
use crate::clock::Clock;
use crate::config::database::DatabaseArgs;
use crate::config::target_url::TargetArgs;
use crate::config::value_parsers::{rate, whole};
use crate::postgres::transaction::Pool;
use progress::ReplayProgress;
use sender::{SendPlan, SignedDelivery, client, send_all};

/// How long `--wait` waits.
const SETTLE_LIMIT: Duration = Duration::from_secs(120);

/// What `replay` takes.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// Files and folders to send; in folders the *.json files, by name. Placeholders such as {{now-30m}} are filled in.
    #[arg(value_name = "PATH", default_value = "fixtures/")]
    pub paths: Vec<PathBuf>,

    /// Deliveries begun a second, at most; fractions are allowed. Default: as fast as they are answered.
    #[arg(long, value_name = "PER-SECOND", value_parser = rate)]
    pub rate: Option<f64>,

    /// Deliveries under way at once (1 to 1024).
    #[arg(long, value_name = "COUNT", default_value = "4", value_parser = whole::<usize>(1, 1024))]
    pub concurrency: usize,

    /// How often everything is sent (1 to 100000).
    #[arg(long, value_name = "TIMES", default_value = "1", value_parser = whole::<usize>(1, 100_000))]
    pub repeat: usize,

    /// Send in an order that depends on this number only.
    #[arg(long, value_name = "SEED", value_parser = whole::<u64>(0, u64::MAX))]
    pub shuffle: Option<u64>,

    /// The API whose resources thin notifications name ({{avinode}}); a service fetches them from its own API only.
    #[arg(long, value_name = "URL", default_value = SANDBOX)]
    pub avinode: String,

    /// Wait until the work is done and the sessions have changed, and tell the time it took. Needs the database.
    #[arg(long)]
    pub wait: bool,

    /// What to sign with.
    #[command(flatten)]
    pub signing: SigningArgs,

    /// Where to.
    #[command(flatten)]
    pub target: TargetArgs,

    /// The database, for --wait.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Sends everything and prints the summary. Fails when anything was refused or could not be sent.
pub async fn run(args: ReplayArgs) -> Result<ExitCode, CliError> {
    let signer = args.signing.signer()?;
    let url = args.target.url();
    let pool = if args.wait {
        Some(database(&args.database).await?)
    } else {
        None
    };
    let deliveries = deliveries(&args)?;
    let plan = SendPlan {
        deliveries,
        concurrency: args.concurrency,
        rate: args.rate,
    };
    let client = client(&url).context("make an HTTP client")?;

    let progress = ReplayProgress::new(plan.deliveries.len());
    let started = Instant::now();
    let summary = send_all(&plan, &url, &client, &signer, Clock::System, &|name, result| {
        progress.step(name, result);
    })
    .await;
    progress.finish();
    print(&summary)?;

    if let Some(pool) = pool {
        let settling = wait_idle::wait_until_settled(&pool, SETTLE_LIMIT).await;
        settling.context("wait until the work is done")?;
        print(format_args!(
            "the sessions are up to date {:.3} s after the first was sent",
            started.elapsed().as_secs_f64()
        ))?;
    }
    if summary.is_clean() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(CliError::plain(summary.refusal()))
    }
}

/// What to send, in the order to send it. The moments are filled in once, so that a repeated body is the same body.
fn deliveries(args: &ReplayArgs) -> Result<Vec<SignedDelivery>, CliError> {
    let now = Clock::System.now();
    let fixtures = fixtures::read(&args.paths).map_err(|error| {
        CliError::to("read what to send", error).hint("name a file or a folder; without one, fixtures/ is read")
    })?;
    let bodies = fixtures.iter().map(|fixture| {
        Ok(SignedDelivery::new(
            fixture.path.display(),
            fixture.body_of(now, &args.avinode)?,
        ))
    });
    let once = bodies
        .collect::<Result<Vec<_>, fixtures::FixtureError>>()
        .context("fill in the placeholders")?;
    let mut deliveries: Vec<SignedDelivery> = std::iter::repeat_n(once, args.repeat).flatten().collect();
    if let Some(seed) = args.shuffle {
        deliveries.shuffle(&mut StdRng::seed_from_u64(seed));
    }
    Ok(deliveries)
}

async fn database(settings: &DatabaseArgs) -> Result<Pool, CliError> {
    match CommandDatabase::open_running(settings).await? {
        Some(database) => Ok(database.pool),
        None => Err(CliError::setting(
            "DATABASE_URL (--database-url) must be set: --wait looks into the service's database, and no service runs \
             on the private one here",
        )),
    }
}

#[cfg(test)]
mod tests;
