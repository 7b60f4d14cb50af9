//! `simulate [SCENARIO]`: a stand-in for Avinode that plays a scenario: it answers as the API does and calls the webhook
//! as Avinode does, so that the service can be shown, tried and loaded without an account.

pub mod cast;
pub mod report;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::failure::{Attempt, Failure};
use super::output::print;
use super::replay::settle;
use super::serve::policy;
use crate::config::database::DatabaseArgs;
use crate::config::secret::Secrets;
use crate::config::serve::PrimaryQuote;
use crate::config::target::endpoint;
use crate::config::values::{address, rate, share, url, whole};
use crate::config::webhook::WebhookArgs;
use crate::shutdown;
use crate::simulator::budget::Allowance;
use crate::simulator::credentials::Credentials;
use crate::simulator::faults::Trouble;
use crate::simulator::generate::Generate;
use crate::simulator::plan::Disorder;
use crate::simulator::run::{Options, Simulator};
use crate::simulator::scenario::Scenario;
use crate::simulator::settings::Proof;
use cast::Cast;
use report::Report;

/// The scenario that is played where none is named: the demo's.
pub const STORY: &str = include_str!("../../scenarios/story.json");
/// How long the service may take to work off the last notifications, with --sessions and --exit.
const PATIENCE: Duration = Duration::from_secs(600);

/// How the sender proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Proving {
    /// First without credentials, with them when it is asked for them.
    Challenge,
    /// With credentials at once.
    Preemptive,
}

/// What `simulate` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file of the scenario. Default: a short built-in story.
    #[arg(value_name = "SCENARIO", conflicts_with_all = ["trips", "actions"])]
    pub scenario: Option<PathBuf>,

    /// Invent a scenario with so many trips (1 to 100000).
    #[arg(long, value_name = "COUNT", requires = "actions", value_parser = whole::<u32>(1, 100_000))]
    pub trips: Option<u32>,

    /// Invent a scenario in which operators do so many things (0 to 10000000).
    #[arg(long, value_name = "COUNT", requires = "trips", value_parser = whole::<u32>(0, 10_000_000))]
    pub actions: Option<u32>,

    /// The address of the simulated API.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090", value_parser = address)]
    pub listen: SocketAddr,

    /// Allow an address that other machines reach. What is simulated is protected by well-known tokens only.
    #[arg(long)]
    pub listen_anywhere: bool,

    /// The webhook to call; a URL without a path is given /webhooks/avinode. Without it, the story begins when a setting is
    /// made by the API (`webhooks create`), and that is called.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Option<Url>,

    /// How the sender proves itself to --target.
    #[arg(long, value_name = "HOW", default_value = "challenge")]
    pub proof: Proving,

    /// The number that decides about chance; by default the scenario's.
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>(0, u64::MAX))]
    pub seed: Option<u64>,

    /// Seconds of the scenario that pass in one second.
    #[arg(long, value_name = "TIMES", default_value = "60", value_parser = rate)]
    pub speed: f64,

    /// The share of notifications that are sent twice (0 to 1).
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub duplicates: f64,

    /// Send notifications in the wrong order.
    #[arg(long)]
    pub shuffle: bool,

    /// The share of API calls that fail: no answer, half an answer, 429, 500, 503, 200 with an error (0 to 1).
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub faults: f64,

    /// The share of changes that the API shows half a second late (0 to 1).
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub late: f64,

    /// Calls that the API allows a second; fractions are allowed.
    #[arg(long = "allow", value_name = "PER-SECOND", default_value = "1", value_parser = rate)]
    pub calls_per_second: f64,

    /// Calls that the API allows at once (1 to 1000000).
    #[arg(long = "allow-burst", value_name = "COUNT", default_value = "60", value_parser = whole::<u32>(1, 1_000_000))]
    pub burst: u32,

    /// Make the scenario's chat sessions in the service's database first, and hold them against the scenario at the end.
    #[arg(long)]
    pub sessions: bool,

    /// Which quote the service makes the primary one, for --sessions.
    #[arg(long, value_name = "POLICY", default_value = "latest")]
    pub primary_quote: PrimaryQuote,

    /// End when everything was delivered (with --sessions: and worked off), instead of staying up. The exit code is 0
    /// when nothing was given up, the limit was kept, and the sessions are as they must be.
    #[arg(long)]
    pub exit: bool,

    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,

    /// The credentials of the sender: the first of AVINODE_WEBHOOK_BASIC.
    #[command(flatten)]
    pub webhook: WebhookArgs,

    /// The service's database, for --sessions.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Plays the scenario.
pub async fn run(args: Args) -> Result<ExitCode, Failure> {
    let shutdown = shutdown::on_signals().attempting("listen for signals")?;
    let scenario = scenario(&args)?;
    if !args.listen.ip().is_loopback() && !args.listen_anywhere {
        return Err(Failure::setting(format!(
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
            Cast::make(&database.pool, &scenario)
                .await
                .attempting("make the sessions")?,
        ),
        None => None,
    };
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    // Ends with the command, whether or not somebody asked for it.
    let ending = shutdown.child_token();
    let simulator = Simulator::start(listener, scenario, options(&args), ending.clone());
    let simulator = simulator.attempting("read the address listened on")?;
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
    args: &Args,
    simulator: &Simulator,
    cast: Option<(&Database, &Cast)>,
    shutdown: &CancellationToken,
) -> Result<ExitCode, Failure> {
    if args.target.is_none() {
        if !args.json {
            print("nothing happens until a webhook setting is made (`webhooks create`)")?;
        }
        simulator.subscribed().await;
    }
    let began = Instant::now();
    simulator.play().await.attempting("make an HTTP client")?;
    let mut report = Report::of(simulator, began.elapsed());
    if let Some((database, cast)) = cast.filter(|_| !shutdown.is_cancelled()) {
        tokio::select! {
            settled = settle::wait_until_settled(&database.pool, PATIENCE) => {
                settled.attempting("wait until the work is done")?;
            }
            () = shutdown.cancelled() => {}
        }
        let sessions = cast.sessions(&database.pool).await.attempting("read the sessions")?;
        report.compare(cast.differences(&sessions, &simulator.truth(), policy(args.primary_quote)));
        // What was asked since.
        report.calls(simulator);
    }
    if args.json {
        print(serde_json::to_string_pretty(&report).attempting("write the summary as JSON")?)?;
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

fn scenario(args: &Args) -> Result<Scenario, Failure> {
    if let (Some(trips), Some(actions)) = (args.trips, args.actions) {
        let invented = Scenario::invented(Generate::of(trips, actions), args.seed.unwrap_or_default());
        return invented.attempting("invent a scenario");
    }
    let text = match &args.scenario {
        Some(path) => std::fs::read(path).attempting(format!("read {}", path.display()))?,
        None => STORY.as_bytes().to_vec(),
    };
    let name = args
        .scenario
        .as_ref()
        .map_or_else(|| "the built-in story".into(), |path| path.display().to_string());
    Scenario::read(&text, args.seed).map_err(|error| Failure::to(format!("read the scenario of {name}"), error))
}

fn options(args: &Args) -> Options {
    Options {
        speed: args.speed,
        disorder: Disorder {
            duplicates: args.duplicates,
            shuffle: args.shuffle,
        },
        trouble: Trouble {
            faults: args.faults,
            late: args.late,
            ..Trouble::default()
        },
        allowance: Allowance {
            rate: args.calls_per_second,
            burst: args.burst,
        },
        credentials: Credentials::default(),
        ..Options::default()
    }
}

/// Makes the setting that --target asks for.
fn subscribe(args: &Args, simulator: &Simulator) -> Result<(), Failure> {
    let Some(target) = &args.target else { return Ok(()) };
    let credentials = args.webhook.webhook_basic.as_ref().map(Secrets::first);
    let Some((identifier, secret)) = credentials.and_then(|text| text.split_once(':')) else {
        return Err(Failure::setting(
            "AVINODE_WEBHOOK_BASIC (--webhook-basic) must be set: --target is to know who calls",
        ));
    };
    let proof = match args.proof {
        Proving::Challenge => Proof::Challenge,
        Proving::Preemptive => Proof::Preemptive,
    };
    let made = simulator.subscribe(&endpoint(target), identifier, secret, proof);
    made.map(drop)
        .map_err(|why| Failure::setting(format!("--target: {why}")))
}

/// What the service is to be started with.
fn environment(simulator: &Simulator) -> String {
    let Credentials { api_token, bearer } = Credentials::default();
    format!(
        "Avinode is simulated; the service finds it with\n\
         AVINODE_BASE_URL={} AVINODE_INSECURE_LOOPBACK=true AVINODE_API_TOKEN={api_token} AVINODE_BEARER={bearer}",
        simulator.base()
    )
}

async fn service_database(settings: &DatabaseArgs) -> Result<Database, Failure> {
    let database = Database::open_running(settings).await?.ok_or_else(|| {
        Failure::setting(
            "DATABASE_URL (--database-url) must be set: --sessions writes into the service's database, and no service \
             runs on the private one here",
        )
    })?;
    database.require_current().await?;
    Ok(database)
}
