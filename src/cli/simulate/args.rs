//! What `simulate` takes, and the scenario and the simulator that it asks for.

use std::net::SocketAddr;
use std::path::PathBuf;

use reqwest::Url;

use crate::cli::error::{CliError, Context};
use crate::config::database::DatabaseArgs;
use crate::config::serve::PrimaryQuote;
use crate::config::value_parsers::{address, rate, share, url, whole};
use crate::config::webhook::WebhookArgs;
use crate::simulator::credentials::ApiCredentials;
use crate::simulator::faults::ApiFaults;
use crate::simulator::generate::GeneratorOptions;
use crate::simulator::instance::SimulatorOptions;
use crate::simulator::rate_limit::RateLimit;
use crate::simulator::scenario::Scenario;
use crate::simulator::schedule::DeliveryFaults;
use crate::simulator::webhook_settings::AuthMode;

/// The scenario that is played where none is named: the demo's.
pub const STORY: &str = include_str!("../../../scenarios/story.json");

/// What `simulate` takes.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
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
    pub proof: AuthMode,

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

impl SimulateArgs {
    /// The scenario that is to be played.
    pub(super) fn scenario(&self) -> Result<Scenario, CliError> {
        if let (Some(trips), Some(actions)) = (self.trips, self.actions) {
            let invented = Scenario::invented(GeneratorOptions::of(trips, actions), self.seed.unwrap_or_default());
            return invented.context("invent a scenario");
        }
        let text = match &self.scenario {
            Some(path) => std::fs::read(path).context(format!("read {}", path.display()))?,
            None => STORY.as_bytes().to_vec(),
        };
        let name = self
            .scenario
            .as_ref()
            .map_or_else(|| "the built-in story".into(), |path| path.display().to_string());
        Scenario::read(&text, self.seed).map_err(|error| CliError::to(format!("read the scenario of {name}"), error))
    }

    /// How it is to be played.
    pub(super) fn options(&self) -> SimulatorOptions {
        SimulatorOptions {
            speed: self.speed,
            disorder: DeliveryFaults {
                duplicates: self.duplicates,
                shuffle: self.shuffle,
            },
            trouble: ApiFaults {
                faults: self.faults,
                late: self.late,
                ..ApiFaults::default()
            },
            allowance: RateLimit {
                rate: self.calls_per_second,
                burst: self.burst,
            },
            credentials: ApiCredentials::default(),
            ..SimulatorOptions::default()
        }
    }
}
