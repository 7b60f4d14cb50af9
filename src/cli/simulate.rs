//! `simulate [SCENARIO]`: a simulated Avinode that plays a scenario through its API and its notifications, so that the service can
//! be demonstrated, tested and loaded without an account.

pub mod args;
pub mod report;
pub mod seed_sessions;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::{print, print_json};
use super::replay::wait_idle;
use crate::avinode::signature::secrets::BasicAuth;
use crate::config::database::{DATABASE_URL, DatabaseArgs};
use crate::config::target_url::endpoint;
use crate::config::webhook::WEBHOOK_BASIC;
use crate::http::console::router::CONSOLE_PATH;
use crate::shutdown;
use crate::simulator::credentials::ApiCredentials;
use crate::simulator::instance::Simulator;
use args::SimulateArgs;
use report::SimulationReport;
use seed_sessions::SeededSessions;

const PROGRESS_EVERY: Duration = Duration::from_secs(15);
/// With --sessions and --exit: how long the service may take to process the last notifications.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

pub async fn run(args: SimulateArgs) -> Result<ExitCode, CliError> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let scenario = args.scenario()?;
    if !args.listen.ip().is_loopback() && !args.listen_anywhere {
        return Err(CliError::setting(format!(
            "--listen: \"{}\" is reachable from other machines; --listen-anywhere allows it",
            args.listen
        )));
    }
    // Before the sessions are created: an address that is taken leaves nothing.
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| CliError::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    let database = match args.sessions {
        true => Some(service_database(&args.database).await?),
        false => None,
    };
    let seeded = match &database {
        Some(database) => Some(
            SeededSessions::create(&database.pool, &scenario)
                .await
                .context("create the sessions")?,
        ),
        None => None,
    };
    // The simulator also ends when the command ends by itself.
    let stop = shutdown.child_token();
    let simulator = Simulator::start(listener, scenario, args.options(), stop.clone());
    let simulator = simulator.context("read the address of the listener")?;
    subscribe(&args, &simulator)?;
    if !args.json {
        print(environment(&simulator))?;
        if let Some(address) = args.admin.admin_listen.filter(|address| address.port() > 0) {
            print(format_args!("console of the service: http://{address}{CONSOLE_PATH}"))?;
        }
    }
    let played = play(&args, &simulator, database.as_ref().zip(seeded.as_ref()), &shutdown).await;
    stop.cancel();
    simulator.ended().await;
    if let Some(database) = database {
        database.close().await?;
    }
    played
}

async fn play(
    args: &SimulateArgs,
    simulator: &Simulator,
    seeded: Option<(&CommandDatabase, &SeededSessions)>,
    shutdown: &CancellationToken,
) -> Result<ExitCode, CliError> {
    if args.target.is_none() {
        if !args.json {
            print("waiting for a webhook setting (`webhooks create`)")?;
        }
        simulator.subscribed().await;
    }
    let began = Instant::now();
    tokio::select! {
        played = simulator.play() => played.context("make an HTTP client")?,
        never = print_progress(args, simulator, began) => never?,
    }
    let mut report = SimulationReport::new(simulator, began.elapsed());
    if let Some((database, seeded)) = seeded.filter(|_| !shutdown.is_cancelled()) {
        tokio::select! {
            idle = wait_idle::wait_until_settled(&database.pool, IDLE_TIMEOUT) => {
                idle.context("wait until the work is done")?;
            }
            () = shutdown.cancelled() => {}
        }
        let sessions = seeded.sessions(&database.pool).await.context("read the sessions")?;
        report.compare(seeded.differences(&sessions, &simulator.expected(), args.primary_quote_policy));
        // The service went on fetching while the queue became idle.
        report.calls(simulator);
    }
    if args.json {
        print_json(&report)?;
    } else {
        print(&report)?;
    }
    if !args.exit && !shutdown.is_cancelled() {
        if !args.json {
            print("the API keeps running; Ctrl-C stops it")?;
        }
        shutdown.cancelled().await;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if report.is_successful() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints from time to time how far the scenario is. Returns only an error.
async fn print_progress(args: &SimulateArgs, simulator: &Simulator, began: Instant) -> Result<(), CliError> {
    loop {
        sleep(PROGRESS_EVERY).await;
        if !args.json {
            let (seconds, calls) = (began.elapsed().as_secs(), simulator.log().calls().len());
            print(format_args!("{seconds} s: {calls} calls of the simulated API so far"))?;
        }
    }
}

/// Creates the webhook setting for --target.
fn subscribe(args: &SimulateArgs, simulator: &Simulator) -> Result<(), CliError> {
    let Some(target) = &args.target else { return Ok(()) };
    let basic = args.webhook.basic()?;
    let Some(BasicAuth { identifier, secret }) = basic.first() else {
        return Err(CliError::setting(format!(
            "{WEBHOOK_BASIC} must be set: --target authenticates its sender"
        )));
    };
    let created = simulator.subscribe(
        &endpoint(target, args.paths.first()),
        identifier,
        secret.expose_secret(),
        args.auth,
    );
    created
        .map(drop)
        .map_err(|error| CliError::setting(format!("--target: {error}")))
}

/// The settings of a service that fetches from the simulator.
fn environment(simulator: &Simulator) -> String {
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
    format!(
        "settings of the service:\n\
         AVINODE_BASE_URL={} AVINODE_INSECURE_LOOPBACK=true AVINODE_API_TOKEN={api_token} AVINODE_BEARER={bearer}",
        simulator.base()
    )
}

async fn service_database(args: &DatabaseArgs) -> Result<CommandDatabase, CliError> {
    let database = CommandDatabase::open_running(args).await?.ok_or_else(|| {
        CliError::setting(format!(
            "{DATABASE_URL} must be set: --sessions writes to the database of the service, and no service runs on the private \
             Postgres of this machine"
        ))
    })?;
    database.require_current().await?;
    Ok(database)
}
