//! `demo`: the main job on real input, from nothing, in both formats: full events from the fixtures, and thin notifications
//! from a simulated Avinode whose API tells what they mean.

pub mod database;
pub mod output;
pub mod run;
pub mod simulator;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::error::{CliError, Context};
use super::fixture_run::SeededManifest;
use super::manifest::FixtureManifest;
use super::output::print;
use super::serve::policy;
use super::simulate::seed_sessions::SeededSessions;
use crate::avinode::signature::verifier::Verifier;
use crate::config::secret::database_url;
use crate::config::serve::PrimaryQuote;
use crate::config::target_url::WEBHOOK_PATH;
use crate::config::value_parsers::address;
use crate::jobs::fetch::status;
use crate::postgres::migrator;
use crate::postgres::pool::pool;
use crate::queue::admin::{self, JobFilter};
use crate::service::{self, ServiceSettings};
use crate::shutdown;
use database::DemoDatabase;
use run::DemoRun;

/// What the demo takes. None of it, but where the Postgres programs are, comes from the environment: it must show the
/// same thing in every shell, and touch no database that the shell happens to name.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// End when the work is done, with exit code 0 if every session is as the fixtures and the simulated story say,
    /// instead of staying up.
    #[arg(long)]
    pub exit: bool,

    /// Make, use and drop a database of the demo's own on this Postgres, instead of starting a throw-away one. The
    /// database named in the URL is not touched. DATABASE_URL is ignored here.
    #[arg(long, hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: Option<SecretString>,

    /// The folder of the fixtures and their manifest.
    #[arg(long, value_name = "FOLDER", default_value = "fixtures")]
    pub fixtures: PathBuf,

    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,

    /// Which quote becomes a session's primary one. The manifest tells what `latest` leads to.
    #[arg(long, value_name = "POLICY", default_value = "latest")]
    pub primary_quote: PrimaryQuote,

    /// The folder of the Postgres programs (postgres, initdb), where they are not found by themselves.
    #[arg(long, env = "INGEST_POSTGRES_BIN", value_name = "FOLDER")]
    pub postgres_bin: Option<PathBuf>,
}

/// The demo signs with a secret of its own; it proves nothing to anybody else.
const SECRET: &str = "demo-secret-not-for-production";
/// The exit code of a demo that was interrupted before it had shown anything: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Runs the demo.
pub async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let manifest = FixtureManifest::read(&args.fixtures).map_err(|error| {
        CliError::to("read the fixtures", error).hint("run it where fixtures/ is, or name them with --fixtures")
    })?;
    let place = DemoDatabase::make(&args).await?;
    let demo = demo(&args, &manifest, &place, shutdown).await;
    let removed = place.remove().await;
    let code = demo?;
    removed?;
    Ok(code)
}

async fn demo(
    args: &DemoArgs,
    manifest: &FixtureManifest,
    place: &DemoDatabase,
    shutdown: CancellationToken,
) -> Result<ExitCode, CliError> {
    let applied = migrator::migrate(&place.options)
        .await
        .context("migrate the demo's database")?;
    print(format_args!("{}: {} migrations applied", place.what, applied.len()))?;
    let pool = pool(place.options.clone(), 8, "avinode-ingest demo", Duration::from_secs(10));
    // Ends with the demo, whether or not somebody asked for it.
    let ending = shutdown.child_token();
    let avinode = simulator::start(ending.clone()).await?;
    let mut staged = SeededManifest::make(&pool, manifest)
        .await
        .context("make the sessions")?;
    staged.fetches = true;
    let stage = DemoRun {
        staged,
        cast: SeededSessions::make(&pool, avinode.scenario())
            .await
            .context("make the sessions")?,
        avinode,
        pool,
    };
    print(format_args!("\nbefore\n{}\n", stage.table().await?))?;

    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| CliError::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    let address = listener.local_addr().context("read the address listened on")?;
    let url = format!("http://{address}{WEBHOOK_PATH}");
    let basic = simulator::basic();
    let verifier = Verifier::from_settings(Some(SECRET), Some(&basic)).context("make the verifier")?;
    let settings = ServiceSettings {
        policy: policy(args.primary_quote),
        avinode: Some(simulator::settings(&stage.avinode)?),
        ..ServiceSettings::default()
    };
    let service = tokio::spawn(service::run(
        listener,
        stage.pool.clone(),
        verifier,
        settings,
        ending.clone(),
    ));
    // Asked first: a demo that stays up takes the end as its success.
    let shown = tokio::select! {
        biased;
        shown = show(args, &stage, &url, &shutdown) => shown,
        () = shutdown.cancelled() => Ok(ExitCode::from(INTERRUPTED)),
    };
    ending.cancel();
    let _ = service.await;
    stage.avinode.ended().await;
    stage.pool.close().await;
    shown
}

async fn show(
    args: &DemoArgs,
    stage: &DemoRun<'_>,
    url: &str,
    shutdown: &CancellationToken,
) -> Result<ExitCode, CliError> {
    let began = Instant::now();
    let summary = stage.play(args, url).await?;
    let (elapsed, log) = (began.elapsed().as_millis(), stage.avinode.log());
    print(format_args!(
        "after {} signed deliveries and {} notifications of a simulated Avinode, {} fetches, in {elapsed} ms\n{}",
        summary.total(),
        log.deliveries().delivered,
        log.served(),
        stage.table().await?
    ))?;
    let blocked = status::blocked_kinds(&stage.pool)
        .await
        .context("read the status of fetching")?;
    let filter = JobFilter {
        limit: 10_000,
        blocked,
        ..JobFilter::default()
    };
    let jobs = admin::list(&stage.pool, &filter).await.context("list what waits")?;
    print(format_args!("\nwhat waits, and why\n{}", output::waiting(&jobs)))?;

    let differences = stage.differences(&summary, &jobs).await?;
    let as_expected = differences.is_empty() && args.primary_quote == PrimaryQuote::Latest;
    match args.primary_quote {
        PrimaryQuote::Latest if as_expected => {
            print("\nevery session is as fixtures/manifest.json and scenarios/story.json say")?;
        }
        PrimaryQuote::Latest => print(format_args!("\nnot as expected:\n{}", differences.join("\n")))?,
        _ => print("\nthe manifest tells what the policy latest leads to; not compared")?,
    }
    if args.exit {
        let failed = args.primary_quote == PrimaryQuote::Latest && !as_expected;
        return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    print(format_args!(
        "\nlistening on {url}\n\
         try:  avinode-ingest replay --url {url} --secret {SECRET} --avinode {} --shuffle 7   \
         (nothing changes: all of it is known)\n\
         Ctrl-C ends the demo and removes its database",
        stage.avinode.base()
    ))?;
    shutdown.cancelled().await;
    Ok(ExitCode::SUCCESS)
}
