//! The arguments of `simulate`, and the scenario and simulator options that they select.

use std::net::SocketAddr;
use std::path::PathBuf;

use reqwest::Url;

use crate::cli::error::{CliError, Context};
use crate::config::database::DatabaseArgs;
use crate::config::http::AdminListenArgs;
use crate::config::value_parsers::{address, integer_in, rate, ratio, url};
use crate::config::webhook::WebhookArgs;
use crate::config::webhook_path::WebhookPathArgs;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::simulator::credentials::ApiCredentials;
use crate::simulator::faults::ApiFaults;
use crate::simulator::generate::GeneratorOptions;
use crate::simulator::options::SimulatorOptions;
use crate::simulator::rate_limit::CallQuota;
use crate::simulator::scenario::Scenario;
use crate::simulator::schedule::DeliveryFaults;
use crate::simulator::webhook_settings::AuthMode;

/// The default scenario, which the demo plays too.
pub const STORY: &str = include_str!("../../../scenarios/story.json");

#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// Scenario file. Default: a short built-in story.
    #[arg(value_name = "SCENARIO", conflicts_with_all = ["trips", "actions"])]
    pub scenario: Option<PathBuf>,

    /// Generate a scenario with this many trips (1 to 100000).
    #[arg(long, value_name = "COUNT", value_parser = integer_in::<u32>(1, 100_000))]
    pub trips: Option<u32>,

    /// Number of actions of operators, with --trips (0 to 10000000). Default: ten times --trips.
    #[arg(long, value_name = "COUNT", requires = "trips", value_parser = integer_in::<u32>(0, 10_000_000))]
    pub actions: Option<u32>,

    /// Address of the simulated API.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090", value_parser = address)]
    pub listen: SocketAddr,

    /// Allow an address that other machines can reach. The simulated API has well-known tokens.
    #[arg(long)]
    pub listen_anywhere: bool,

    /// Webhook to call. A URL without a path gets the first of --webhook-paths. Without --target, the scenario begins when a webhook setting
    /// is created through the API (`webhooks create`).
    #[arg(long, value_name = "URL", value_parser = url)]
    pub target: Option<Url>,

    /// Authentication with --target.
    #[arg(long, value_name = "MODE", default_value = "challenge")]
    pub auth: AuthMode,

    /// Seed of the random generator. Default: the seed of the scenario.
    #[arg(long, value_name = "NUMBER", value_parser = integer_in::<u64>(0, u64::MAX))]
    pub seed: Option<u64>,

    /// Seconds of the scenario per second.
    #[arg(long, value_name = "FACTOR", default_value = "60", value_parser = rate)]
    pub speed: f64,

    /// Ratio of notifications that are sent twice (0 to 1).
    #[arg(long, value_name = "RATIO", default_value = "0", value_parser = ratio)]
    pub duplicates: f64,

    /// Send notifications in random order.
    #[arg(long)]
    pub shuffle: bool,

    /// Ratio of API calls that fail: no response, half a response, 429, 500, 503, 200 with an error (0 to 1).
    #[arg(long, value_name = "RATIO", default_value = "0", value_parser = ratio)]
    pub faults: f64,

    /// Ratio of changes that the API shows half a second late (0 to 1).
    #[arg(long, value_name = "RATIO", default_value = "0", value_parser = ratio)]
    pub late: f64,

    /// Rate limit of the API, in calls per second; fractions are allowed.
    #[arg(long = "allow", value_name = "RATE", default_value = "1", value_parser = rate)]
    pub calls_per_second: f64,

    /// Burst that the API allows (1 to 1000000).
    #[arg(long = "allow-burst", value_name = "COUNT", default_value = "60", value_parser = integer_in::<u32>(1, 1_000_000))]
    pub burst: u32,

    /// Create the scenario's chat sessions in the database of the service first, and compare them with the scenario at the end.
    #[arg(long)]
    pub sessions: bool,

    /// With --sessions: primary quote policy of the service.
    #[arg(long, value_name = "POLICY", default_value = "latest")]
    pub primary_quote_policy: PrimaryQuotePolicy,

    /// Exit when everything is delivered (with --sessions: and processed). The exit code is 0 if no notification was given up, the
    /// rate limit was kept, and the sessions are as expected.
    #[arg(long)]
    pub exit: bool,

    /// Print the summary as JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub admin: AdminListenArgs,

    #[command(flatten)]
    pub paths: WebhookPathArgs,

    #[command(flatten)]
    pub webhook: WebhookArgs,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

impl SimulateArgs {
    pub(super) fn scenario(&self) -> Result<Scenario, CliError> {
        if let Some(trips) = self.trips {
            let actions = self.actions.unwrap_or(trips.saturating_mul(10));
            let generated = Scenario::generated(GeneratorOptions::new(trips, actions), self.seed.unwrap_or_default());
            return generated.context("generate a scenario");
        }
        let text = match &self.scenario {
            Some(path) => std::fs::read(path).context(format!("read {}", path.display()))?,
            None => STORY.as_bytes().to_vec(),
        };
        let name = self
            .scenario
            .as_ref()
            .map_or_else(|| "the built-in story".into(), |path| path.display().to_string());
        Scenario::read(&text, self.seed).map_err(|error| CliError::to(format!("read the scenario {name}"), error))
    }

    pub(super) fn options(&self) -> SimulatorOptions {
        SimulatorOptions {
            speed: self.speed,
            delivery_faults: DeliveryFaults {
                duplicates: self.duplicates,
                shuffle: self.shuffle,
            },
            api_faults: ApiFaults {
                faults: self.faults,
                late: self.late,
                ..ApiFaults::default()
            },
            rate_limit: CallQuota {
                rate: self.calls_per_second,
                burst: self.burst,
            },
            credentials: ApiCredentials::default(),
            ..SimulatorOptions::default()
        }
    }
}
