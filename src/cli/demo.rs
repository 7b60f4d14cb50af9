//! `demo`: the whole service, from nothing, on both formats: full events from the fixtures, and thin notifications of a simulated
//! Avinode with its API.

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

use super::error::{CliError, Context, EXIT_INTERRUPTED};
use super::fixture_run::SeededManifest;
use super::manifest::FixtureManifest;
use super::output::print;
use super::simulate::seed_sessions::SeededSessions;
use crate::avinode::signature::verifier::Verifier;
use crate::config::value_parsers::address;
use crate::config::webhook_path::WEBHOOK_PATH;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::jobs::fetch::status;
use crate::postgres::migrator;
use crate::postgres::pool::pool;
use crate::queue::admin::{self, JobFilter};
use crate::service::{self, ServiceSettings};
use crate::shutdown;
use database::DemoDatabase;
use run::DemoRun;

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

    /// Directory of the fixtures and their manifest.
    #[arg(long, value_name = "DIRECTORY", default_value = "fixtures")]
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

/// The webhook secret of the demo.
const SECRET: &str = "demo-secret-not-for-production";

pub async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let manifest = FixtureManifest::read(&args.fixtures).map_err(|error| {
        CliError::to("read the fixtures", error).hint("run it in the directory of fixtures/, or use --fixtures")
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
    print(format_args!(
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
    print(format_args!("\nbefore\n{}\n", demo.table().await?))?;

    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| CliError::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    let address = listener.local_addr().context("read the address of the listener")?;
    let url = format!("http://{address}{WEBHOOK_PATH}");
    let basic = simulator::basic();
    let verifier = Verifier::from_settings(Some(SECRET), Some(&basic)).context("make the verifier")?;
    let settings = ServiceSettings {
        policy: args.primary_quote_policy,
        avinode: Some(simulator::settings(&demo.avinode)?),
        ..ServiceSettings::default()
    };
    let service = tokio::spawn(service::run(
        listener,
        demo.pool.clone(),
        verifier,
        settings,
        stop.clone(),
    ));
    // Biased: a demo that keeps running ends successfully by the signal.
    let shown = tokio::select! {
        biased;
        shown = show(args, &demo, &url, &shutdown) => shown,
        () = shutdown.cancelled() => Ok(ExitCode::from(EXIT_INTERRUPTED)),
    };
    stop.cancel();
    let _ = service.await;
    demo.avinode.ended().await;
    demo.pool.close().await;
    shown
}

async fn show(
    args: &DemoArgs,
    demo: &DemoRun<'_>,
    url: &str,
    shutdown: &CancellationToken,
) -> Result<ExitCode, CliError> {
    let began = Instant::now();
    let summary = demo.play(args, url).await?;
    let (elapsed, log) = (began.elapsed().as_millis(), demo.avinode.log());
    print(format_args!(
        "after {} signed deliveries, {} notifications of a simulated Avinode and {} fetches, in {elapsed} ms\n{}",
        summary.total(),
        log.deliveries().delivered,
        log.served(),
        demo.table().await?
    ))?;
    let blocked = status::blocked_kinds(&demo.pool)
        .await
        .context("read the status of fetching")?;
    let filter = JobFilter {
        limit: 10_000,
        blocked,
        ..JobFilter::default()
    };
    let jobs = admin::list(&demo.pool, &filter).await.context("list the jobs")?;
    print(format_args!("\nunfinished and dead jobs\n{}", output::jobs(&jobs)))?;

    let compared = args.primary_quote_policy == PrimaryQuotePolicy::Latest;
    let differences = demo.differences(&summary, &jobs).await?;
    match compared {
        true if differences.is_empty() => {
            print("\nevery session is as fixtures/manifest.json and scenarios/story.json expect")?;
        }
        true => print(format_args!("\nnot as expected:\n{}", differences.join("\n")))?,
        false => print("\nnot compared: the manifest expects the policy latest")?,
    }
    if args.exit {
        let failed = compared && !differences.is_empty();
        return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    print(format_args!(
        "\nlistening on {url}\n\
         try:  avinode-ingest replay --url {url} --secret {SECRET} --avinode {} --shuffle 7   \
         (nothing changes: everything is known)\n\
         Ctrl-C ends the demo and removes its database",
        demo.avinode.base()
    ))?;
    shutdown.cancelled().await;
    Ok(ExitCode::SUCCESS)
}
