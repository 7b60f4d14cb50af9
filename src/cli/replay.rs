//! `replay [PATH…]`: sends fixtures, signed, to a running service, and summarizes its answers.

pub mod progress;
pub mod sender;
pub mod summary;
pub mod wait_idle;

use std::path::PathBuf;
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
use crate::config::database::{DATABASE_URL, DatabaseArgs};
use crate::config::target_url::TargetArgs;
use crate::config::value_parsers::{integer_in, rate};
use crate::postgres::transaction::Pool;
use progress::ReplayProgress;
use sender::{SendPlan, SignedDelivery, client, send_all, signed_deliveries};

/// How long `--wait` waits.
const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// Files and directories to send; of directories the *.json files, by name. By default fixtures/, or that of the installed package.
    /// Placeholders such as {{now-30m}} are replaced.
    #[arg(value_name = "PATH", default_values_os_t = [fixtures::default_folder()], hide_default_value = true)]
    pub paths: Vec<PathBuf>,

    /// Maximum rate of deliveries per second; fractions are allowed. Default: as fast as they are answered.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub rate: Option<f64>,

    /// Number of concurrent deliveries (1 to 1024).
    #[arg(long, value_name = "COUNT", default_value = "4", value_parser = integer_in::<usize>(1, 1024))]
    pub concurrency: usize,

    /// How often to send everything (1 to 100000).
    #[arg(long, value_name = "TIMES", default_value = "1", value_parser = integer_in::<usize>(1, 100_000))]
    pub repeat: usize,

    /// Shuffle the deliveries, by this seed.
    #[arg(long, value_name = "SEED", value_parser = integer_in::<u64>(0, u64::MAX))]
    pub shuffle: Option<u64>,

    /// Base URL for the resources of thin notifications ({{avinode}}). A service fetches only from its own AVINODE_BASE_URL.
    #[arg(long, value_name = "URL", default_value = SANDBOX)]
    pub avinode: String,

    /// Wait until the service has applied everything to the sessions, and show how long that took. Needs the database.
    #[arg(long)]
    pub wait: bool,

    #[command(flatten)]
    pub signing: SigningArgs,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Sends everything and prints the summary. Fails when a delivery was refused or could not be sent.
pub async fn run(args: ReplayArgs) -> Result<(), CliError> {
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

    match pool {
        Some(_) if summary.accepted() == 0 => print("no delivery was accepted, so there is nothing to wait for")?,
        Some(pool) => {
            let idle = wait_idle::wait_until_settled(&pool, WAIT_TIMEOUT).await;
            idle.context("wait until the work is done")?;
            print(format_args!(
                "the sessions are up to date with {} accepted deliveries, {:.3} s after the first was sent",
                summary.accepted(),
                started.elapsed().as_secs_f64()
            ))?;
        }
        None => {}
    }
    match summary.is_clean() {
        true => Ok(()),
        false => Err(CliError::plain(summary.refusal())),
    }
}

/// Placeholders are replaced once, so that a repeated body is the same body.
fn deliveries(args: &ReplayArgs) -> Result<Vec<SignedDelivery>, CliError> {
    let now = Clock::System.now();
    let fixtures = fixtures::read(&args.paths).map_err(|error| {
        CliError::to("read the fixtures", error)
            .hint("name a file or a directory; the default is fixtures/ here, or that of the installed package")
    })?;
    let once = signed_deliveries(&fixtures, now, &args.avinode)?;
    let mut deliveries: Vec<SignedDelivery> = std::iter::repeat_n(once, args.repeat).flatten().collect();
    if let Some(seed) = args.shuffle {
        deliveries.shuffle(&mut StdRng::seed_from_u64(seed));
    }
    Ok(deliveries)
}

async fn database(args: &DatabaseArgs) -> Result<Pool, CliError> {
    match CommandDatabase::open_running(args).await? {
        Some(database) => Ok(database.pool),
        None => Err(CliError::setting(format!(
            "{DATABASE_URL} must be set: --wait queries the database of the service, and no service runs on the private \
             Postgres of this machine"
        ))),
    }
}

#[cfg(test)]
mod tests;
