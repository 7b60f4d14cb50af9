//! `simulate [SCENARIO]`: a stand-in for Avinode that plays a scenario: it answers as the API does and calls the webhook
//! as Avinode does, so that the service can be shown, tried and loaded without an account.

pub mod args;
pub mod report;
pub mod seed_sessions;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::print;
use super::replay::wait_idle;
use super::serve::policy;
use crate::config::database::DatabaseArgs;
use crate::config::secret::Secrets;
use crate::config::target_url::endpoint;
use crate::shutdown;
use crate::simulator::credentials::ApiCredentials;
use crate::simulator::instance::Simulator;
use args::SimulateArgs;
use report::SimulationReport;
use seed_sessions::SeededSessions;

/// How long the service may take to work off the last notifications, with --sessions and --exit.
const PATIENCE: Duration = Duration::from_secs(600);

/// Plays the scenario.
pub async fn run(args: SimulateArgs) -> Result<ExitCode, CliError> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let scenario = args.scenario()?;
    if !args.listen.ip().is_loopback() && !args.listen_anywhere {
        return Err(CliError::setting(format!(
            "--listen: \"{}\" is reached by other machines; --listen-anywhere allows it",
            args.listen
        )));
    }
    let database = match args.sessions {
        true => Some(service_database(&args.database).await?),
        false => None,
    };
    let cast = match &database {
        Some(database) => Some(
            SeededSessions::make(&database.pool, &scenario)
                .await
                .context("make the sessions")?,
        ),
        None => None,
    };
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| CliError::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    // Ends with the command, whether or not somebody asked for it.
    let ending = shutdown.child_token();
    let simulator = Simulator::start(listener, scenario, args.options(), ending.clone());
    let simulator = simulator.context("read the address listened on")?;
    subscribe(&args, &simulator)?;
    if !args.json {
        print(environment(&simulator))?;
    }
    let played = play(&args, &simulator, database.as_ref().zip(cast.as_ref()), &shutdown).await;
    ending.cancel();
    simulator.ended().await;
    if let Some(database) = database {
        database.close().await?;
    }
    played
}

async fn play(
    args: &SimulateArgs,
    simulator: &Simulator,
    cast: Option<(&CommandDatabase, &SeededSessions)>,
    shutdown: &CancellationToken,
) -> Result<ExitCode, CliError> {
    if args.target.is_none() {
        if !args.json {
            print("nothing happens until a webhook setting is made (`webhooks create`)")?;
        }
        simulator.subscribed().await;
    }
    let began = Instant::now();
    simulator.play().await.context("make an HTTP client")?;
    let mut report = SimulationReport::of(simulator, began.elapsed());
    if let Some((database, cast)) = cast.filter(|_| !shutdown.is_cancelled()) {
        tokio::select! {
            settled = wait_idle::wait_until_settled(&database.pool, PATIENCE) => {
                settled.context("wait until the work is done")?;
            }
            () = shutdown.cancelled() => {}
        }
        let sessions = cast.sessions(&database.pool).await.context("read the sessions")?;
        report.compare(cast.differences(&sessions, &simulator.truth(), policy(args.primary_quote)));
        // What was asked since.
        report.calls(simulator);
    }
    if args.json {
        print(serde_json::to_string_pretty(&report).context("write the summary as JSON")?)?;
    } else {
        print(&report)?;
    }
    if !args.exit && !shutdown.is_cancelled() {
        if !args.json {
            print("the API stays up; Ctrl-C ends it")?;
        }
        shutdown.cancelled().await;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if report.is_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Makes the setting that --target asks for.
fn subscribe(args: &SimulateArgs, simulator: &Simulator) -> Result<(), CliError> {
    let Some(target) = &args.target else { return Ok(()) };
    let credentials = args.webhook.webhook_basic.as_ref().map(Secrets::first);
    let Some((identifier, secret)) = credentials.and_then(|text| text.split_once(':')) else {
        return Err(CliError::setting(
            "AVINODE_WEBHOOK_BASIC (--webhook-basic) must be set: --target is to know who calls",
        ));
    };
    let made = simulator.subscribe(&endpoint(target), identifier, secret, args.proof);
    made.map(drop)
        .map_err(|why| CliError::setting(format!("--target: {why}")))
}

/// What the service is to be started with.
fn environment(simulator: &Simulator) -> String {
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
    format!(
        "Avinode is simulated; the service finds it with\n\
         AVINODE_BASE_URL={} AVINODE_INSECURE_LOOPBACK=true AVINODE_API_TOKEN={api_token} AVINODE_BEARER={bearer}",
        simulator.base()
    )
}

async fn service_database(settings: &DatabaseArgs) -> Result<CommandDatabase, CliError> {
    let database = CommandDatabase::open_running(settings).await?.ok_or_else(|| {
        CliError::setting(
            "DATABASE_URL (--database-url) must be set: --sessions writes into the service's database, and no service \
             runs on the private one here",
        )
    })?;
    database.require_current().await?;
    Ok(database)
}
