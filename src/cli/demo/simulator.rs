//! The demo's Avinode: a simulator in this process that plays the built-in story, fast and without faults.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::avinode::client::base_url::BaseUrl;
use crate::avinode::client::config::{AvinodeSettings, ClientLimits, ClientSettings};
use crate::avinode::client::query_parameters::QueryParameters;
use crate::cli::error::{CliError, Context};
use crate::cli::simulate::args::STORY;
use crate::simulator::credentials::ApiCredentials;
use crate::simulator::instance::Simulator;
use crate::simulator::options::SimulatorOptions;
use crate::simulator::rate_limit::CallQuota;
use crate::simulator::scenario::Scenario;
use crate::simulator::webhook_settings::AuthMode;

/// Basic credentials of the simulator's notifications.
const IDENTIFIER: &str = "simulated-avinode";
const SECRET: &str = "demo-password-not-for-production";
/// So fast that only the notifications take time.
const SPEED: f64 = 1e9;
/// A quarter of the burst that the simulator allows, and its rate.
const CALLS_PER_SECOND: f64 = 100.0;
const BURST: u32 = 50;
/// The simulator does not lag; the demo still shows the wait.
const API_LAG: Duration = Duration::from_secs(1);

/// The credentials of its notifications, as `AVINODE_WEBHOOK_BASIC` has them.
pub fn basic() -> String {
    format!("{IDENTIFIER}:{SECRET}")
}

/// Starts it on a free port. Nothing happens before [`play`].
pub async fn start(shutdown: CancellationToken) -> Result<Simulator, CliError> {
    let story = Scenario::read(STORY.as_bytes(), None).context("read the built-in story")?;
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.context("listen for the simulated Avinode")?;
    let options = SimulatorOptions {
        speed: SPEED,
        rate_limit: CallQuota {
            rate: CALLS_PER_SECOND,
            burst: BURST * 4,
        },
        ..SimulatorOptions::default()
    };
    Simulator::start(listener, story, options, shutdown).context("read the address of the listener")
}

/// The settings with which the service fetches from it.
pub fn settings(avinode: &Simulator) -> Result<AvinodeSettings, CliError> {
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
    Ok(AvinodeSettings {
        client: ClientSettings {
            base: BaseUrl::parse(avinode.base(), true).context("use the simulated Avinode's URL")?,
            api_token: api_token.into(),
            bearer: bearer.into(),
            act_as_account: None,
            query_parameters: QueryParameters::needed(),
            limits: ClientLimits::default(),
        },
        calls_per_second: CALLS_PER_SECOND,
        burst: BURST,
        api_lag: API_LAG,
        reconcile_every: None,
    })
}

/// Plays the story, with its notifications to this URL.
pub async fn play(avinode: &Simulator, url: &str) -> Result<(), CliError> {
    let created = avinode.subscribe(url, IDENTIFIER, SECRET, AuthMode::Challenge);
    created.map_err(|error| CliError::plain(format!("could not subscribe to the simulated Avinode: {error}")))?;
    avinode.play().await.context("make an HTTP client")
}
