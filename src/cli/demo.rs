//! `demo`: the whole service, from nothing, on both formats: full events from the fixtures, and thin notifications of a simulated
//! Avinode with its API.

pub mod console;
pub mod database;
pub mod further_quotes;
pub mod invocation;
pub mod killed_worker;
pub mod output;
pub mod repetition;
pub mod run;
pub mod sender;
pub mod services;
pub mod simulator;
pub mod worker;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::error::{CliError, Context, EXIT_INTERRUPTED};
use super::fixture_run::SeededManifest;
use super::fixtures;
use super::manifest::FixtureManifest;
use super::output::print;
use super::simulate::seed_sessions::SeededSessions;
use crate::config::value_parsers::address;
use crate::config::webhook_path::WEBHOOK_PATH;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::migrator;
use crate::postgres::pool::pool;
use crate::shutdown;
use console::DemoConsole;
use database::DemoDatabase;
use output::{DemoLine, line, meanwhile, note};
use run::DemoRun;
use services::DemoServices;

/// Except for the Postgres programs, nothing comes from the environment: the demo must show the same in every shell, and must not
/// touch a database that the shell happens to name.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Exit when the work is done, with code 0 if every session is as the fixtures and the built-in story expect.
    #[arg(long)]
    pub exit: bool,

    /// Create, use and drop a database of its own on this Postgres, instead of starting a temporary one. The database in the URL
    /// is not touched. DATABASE_URL is ignored.
    #[arg(long, hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Directory of the fixtures and their manifest. By default fixtures/, or that of the installed package.
    #[arg(long, value_name = "DIRECTORY", default_value_os_t = fixtures::default_folder(), hide_default_value = true)]
    pub fixtures: PathBuf,

    /// Address to listen on; port 0 selects a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,

    /// Policy that selects the primary quote. The manifest expects the results of `latest`.
    #[arg(long, value_name = "POLICY", default_value = "latest")]
    pub primary_quote_policy: PrimaryQuotePolicy,

    /// Directory of the Postgres programs (postgres, initdb), if they are not found automatically.
    #[arg(long, env = "INGEST_POSTGRES_BIN", value_name = "DIRECTORY")]
    pub postgres_bin: Option<PathBuf>,
}

/// The log level if none is given: at `info` the lines of the log would stand between those of the demo. Dead jobs are left out, because the
/// demo compares them with its fixtures, some of which must die.
pub const LOG_LEVEL: &str = "warn,ingest_queue::settle=error,sqlx=error";

/// The webhook secret of the demo.
const SECRET: &str = "demo-secret-not-for-production";

pub async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let manifest = FixtureManifest::read(&args.fixtures).map_err(|error| {
        CliError::to("read the fixtures", error)
            .hint("run it in the directory of fixtures/, use --fixtures, or install the package, which has them")
    })?;
    let database = DemoDatabase::create(&args).await?;
    let result = demo(&args, &manifest, &database, shutdown).await;
    let removed = database.remove().await;
    let code = result?;
    removed?;
    Ok(code)
}

async fn demo(
    args: &DemoArgs,
    manifest: &FixtureManifest,
    database: &DemoDatabase,
    shutdown: CancellationToken,
) -> Result<ExitCode, CliError> {
    let applied = migrator::migrate(&database.hosts)
        .await
        .context("migrate the demo's database")?;
    note(&format!(
        "{}: {} migrations applied",
        database.description,
        applied.len()
    ))?;
    let pool = pool(&database.hosts, 8, "avinode-ingest demo", Duration::from_secs(10));
    // Service and simulator also end when the demo ends by itself.
    let stop = shutdown.child_token();
    let avinode = simulator::start(stop.clone()).await?;
    let mut fixtures = SeededManifest::create(&pool, manifest)
        .await
        .context("create the sessions")?;
    fixtures.fetches = true;
    let demo = DemoRun {
        fixtures,
        story: SeededSessions::create(&pool, avinode.scenario())
            .await
            .context("create the sessions")?,
        avinode,
        pool,
    };
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| CliError::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    let address = listener.local_addr().context("read the address of the listener")?;
    let url = format!("http://{address}{WEBHOOK_PATH}");
    let mut services = DemoServices::new(
        demo.pool.clone(),
        args.primary_quote_policy,
        simulator::settings(&demo.avinode)?,
        stop.clone(),
    );
    // Biased: what was shown to its end was not interrupted.
    let shown = tokio::select! {
        biased;
        shown = show(args, &demo, database, listener, &url, &mut services) => shown,
        () = shutdown.cancelled() => Ok(Shown::Ended(ExitCode::from(EXIT_INTERRUPTED))),
    };
    let shown = match shown {
        Ok(Shown::StaysUp) => stay_up(&demo, &shutdown).await.map(|()| ExitCode::SUCCESS),
        Ok(Shown::Ended(code)) => Ok(code),
        Err(error) => Err(error),
    };
    output::end_meanwhile();
    stop.cancel();
    services.ended().await;
    demo.avinode.ended().await;
    demo.pool.close().await;
    shown
}

/// The end of the part of a demo that can be interrupted.
enum Shown {
    Ended(ExitCode),
    /// Everything was shown, and the demo goes on.
    StaysUp,
}

async fn show(
    args: &DemoArgs,
    demo: &DemoRun<'_>,
    database: &DemoDatabase,
    listener: TcpListener,
    url: &str,
    services: &mut DemoServices,
) -> Result<Shown, CliError> {
    let began = Instant::now();
    let (console, console_listener) = match args.exit {
        true => (None, None),
        false => {
            let (console, listener) = DemoConsole::listen().await?;
            let tokens = console.tokens();
            (Some(console), Some((listener, tokens)))
        }
    };
    services.start_receiver(listener, console_listener)?;
    services.start_workers().await?;
    let compared = args.primary_quote_policy == PrimaryQuotePolicy::Latest;
    let mut lines = played(args, demo, url, compared).await?;
    meanwhile("sending everything again");
    lines.push(repetition::send_again(demo, url).await?);
    lines.last().map_or(Ok(()), line)?;
    meanwhile("killing a worker");
    lines.push(killed_worker::show(demo, database, url, services).await?);
    lines.last().map_or(Ok(()), line)?;

    let is_failed = lines.iter().any(DemoLine::is_failed);
    let seconds = began.elapsed().as_secs_f64();
    note(&match (is_failed, compared) {
        (true, _) => format!("\nnot as expected, after {seconds:.1} s"),
        (false, true) => {
            format!("\nevery session is as the fixtures and the story expect, after {seconds:.1} s")
        }
        (false, false) => "\nscenarios not compared: the manifest expects the policy latest".to_owned(),
    })?;
    let Some(console) = console else {
        return Ok(Shown::Ended(if is_failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }));
    };
    note(&format!("\nlistening on {url}"))?;
    note("try, in another shell (nothing changes, because everything is known):")?;
    // To be copied: not broken.
    print(format_args!(
        "{} replay --url {url} --secret {SECRET} \\\n    --avinode {} --shuffle 7",
        invocation::program(),
        demo.avinode.base()
    ))?;
    console.show()?;
    note("Ctrl-C ends the demo and removes its database")?;
    Ok(Shown::StaysUp)
}

/// Lets quotes arrive until the signal, which is the way to end such a demo.
async fn stay_up(demo: &DemoRun<'_>, shutdown: &CancellationToken) -> Result<(), CliError> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        played = further_quotes::play(demo) => {
            played?;
            shutdown.cancelled().await;
        }
    }
    Ok(())
}

/// Sends the fixtures, plays the story, and prints a line for each scenario and each session of the story.
async fn played(args: &DemoArgs, demo: &DemoRun<'_>, url: &str, compared: bool) -> Result<Vec<DemoLine>, CliError> {
    meanwhile("sending the fixtures, and fetching from a simulated Avinode");
    let summary = demo.play(args, url).await?;
    let log = demo.avinode.log();
    let other = DemoLine {
        text: format!(
            "{} signed deliveries and {} notifications accepted, {} documents fetched",
            summary.total(),
            log.deliveries().delivered,
            log.served()
        ),
        differences: Some(demo.other_differences(&summary).await?),
    };
    let mut lines = demo.scenario_lines(compared).await?;
    note("\nthe fixtures, sent signed by HTTP:")?;
    lines.iter().try_for_each(line)?;
    note("\nsessions of a simulated Avinode, which sends notifications:")?;
    let story = demo.story_lines(compared).await?;
    story.iter().try_for_each(line)?;
    note("\nand all of it:")?;
    line(&other)?;
    lines.extend(story);
    lines.push(other);
    Ok(lines)
}
