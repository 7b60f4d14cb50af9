//! `replay [PATH…]`: sends fixtures, signed, to a running service, and tells how it answered.

pub mod progress;
pub mod send;
pub mod settle;
pub mod summary;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::database::Database;
use super::failure::{Attempt, Failure};
use super::fixtures::{self, SANDBOX};
use super::output::print;
use super::signing::SigningArgs;
use crate::clock::Clock;
use crate::config::database::DatabaseArgs;
use crate::config::target::TargetArgs;
use crate::config::values::{rate, whole};
use crate::postgres::transaction::Pool;
use progress::Progress;
use send::{Delivery, Plan, client, send_all};

/// How long `--wait` waits.
const SETTLE_LIMIT: Duration = Duration::from_secs(120);

/// What `replay` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
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
pub async fn run(args: Args) -> Result<ExitCode, Failure> {
    let signer = args.signing.signer()?;
    let url = args.target.url();
    let pool = if args.wait {
        Some(database(&args.database).await?)
    } else {
        None
    };
    let deliveries = deliveries(&args)?;
    let plan = Plan {
        deliveries,
        concurrency: args.concurrency,
        rate: args.rate,
    };
    let client = client(&url).attempting("make an HTTP client")?;

    let progress = Progress::new(plan.deliveries.len());
    let started = Instant::now();
    let summary = send_all(&plan, &url, &client, &signer, Clock::System, &|name, result| {
        progress.step(name, result);
    })
    .await;
    progress.finish();
    print(&summary)?;

    if let Some(pool) = pool {
        let settling = settle::wait_until_settled(&pool, SETTLE_LIMIT).await;
        settling.attempting("wait until the work is done")?;
        print(format_args!(
            "the sessions are up to date {:.3} s after the first was sent",
            started.elapsed().as_secs_f64()
        ))?;
    }
    if summary.is_clean() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::plain(summary.refusal()))
    }
}

/// What to send, in the order to send it. The moments are filled in once, so that a repeated body is the same body.
fn deliveries(args: &Args) -> Result<Vec<Delivery>, Failure> {
    let now = Clock::System.now();
    let fixtures = fixtures::read(&args.paths).map_err(|error| {
        Failure::to("read what to send", error).hint("name a file or a folder; without one, fixtures/ is read")
    })?;
    let bodies = fixtures.iter().map(|fixture| {
        Ok(Delivery::new(
            fixture.path.display(),
            fixture.body_of(now, &args.avinode)?,
        ))
    });
    let once = bodies
        .collect::<Result<Vec<_>, fixtures::FixtureError>>()
        .attempting("fill in the placeholders")?;
    let mut deliveries: Vec<Delivery> = std::iter::repeat_n(once, args.repeat).flatten().collect();
    if let Some(seed) = args.shuffle {
        deliveries.shuffle(&mut StdRng::seed_from_u64(seed));
    }
    Ok(deliveries)
}

async fn database(settings: &DatabaseArgs) -> Result<Pool, Failure> {
    match Database::open_running(settings).await? {
        Some(database) => Ok(database.pool),
        None => Err(Failure::setting(
            "DATABASE_URL (--database-url) must be set: --wait looks into the service's database, and no service runs \
             on the private one here",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::command::{Command, parse_from};

    fn args(folder: &std::path::Path, line: &str) -> Args {
        let mut words: Vec<OsString> = ["avinode-ingest", "replay"].map(OsString::from).to_vec();
        words.push(folder.into());
        words.extend(line.split_whitespace().map(OsString::from));
        let Command::Replay(args) = parse_from(words).unwrap().command else {
            panic!()
        };
        args
    }

    #[test]
    fn the_order_depends_on_the_seed_only_and_everything_is_sent_as_often_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            std::fs::write(
                folder.path().join(format!("{number}.json")),
                format!("{number} {{{{now}}}}"),
            )
            .unwrap();
        }
        let names = |line: &str| -> Vec<String> {
            let planned = deliveries(&args(folder.path(), line)).unwrap();
            planned.iter().map(|delivery| delivery.name.to_string()).collect()
        };
        let plain = names("");
        assert!(plain.is_sorted());
        assert_eq!(names("--shuffle 7 --repeat 3"), names("--shuffle 7 --repeat 3"));
        assert_ne!(names("--shuffle 7"), names("--shuffle 8"));
        let mut shuffled = names("--shuffle 7 --repeat 3");
        shuffled.sort();
        let mut thrice = [plain.clone(), plain.clone(), plain].concat();
        thrice.sort();
        assert_eq!(shuffled, thrice);
    }

    #[test]
    fn a_repeated_body_is_the_same_body() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "{{now}}").unwrap();
        let planned = deliveries(&args(folder.path(), "--repeat 2")).unwrap();
        assert_eq!(planned[0].body, planned[1].body);
    }
}
