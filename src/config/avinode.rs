//! The settings of calls to Avinode's API: address, credentials and rate.

use clap::Args;
use secrecy::SecretString;

use super::quantity::{OptionalInterval, duration, duration_or_off};
use super::secret::credential;
use super::setting_error::SettingError;
use super::value_parsers::{boolean, header_value, integer_in, rate};
use crate::avinode::client::base_url::BaseUrl;
use crate::avinode::client::config::{AvinodeSettings, ClientLimits, ClientSettings};
use crate::avinode::client::query_parameters::{self, QueryParameters};

const BASE_URL: &str = "AVINODE_BASE_URL (--avinode-base-url)";
const API_TOKEN: &str = "AVINODE_API_TOKEN (--avinode-api-token)";
const BEARER: &str = "AVINODE_BEARER (--avinode-bearer)";

/// The first three are set together, or none of them: then nothing is fetched.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Avinode's API")]
pub struct AvinodeArgs {
    /// Base URL of the API, for example `https://sandbox.avinode.com/api`. No other address is called.
    #[arg(long, env = "AVINODE_BASE_URL", value_name = "URL")]
    pub avinode_base_url: Option<String>,

    /// API token of the application, sent as X-Avinode-ApiToken.
    #[arg(long, env = "AVINODE_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub avinode_api_token: Option<SecretString>,

    /// Authentication token, sent as Authorization: Bearer. Set it without the word Bearer.
    #[arg(long, env = "AVINODE_BEARER", hide_env_values = true, value_name = "TOKEN")]
    pub avinode_bearer: Option<SecretString>,

    /// Account to act as, sent as X-Avinode-ActAsAccount, for tokens that are valid for several accounts.
    #[arg(long, env = "AVINODE_ACT_AS_ACCOUNT", value_name = "ACCOUNT", value_parser = header_value)]
    pub avinode_act_as_account: Option<String>,

    /// Query parameters of GETs, as KIND?NAME=VALUE&NAME=VALUE, separated by commas (kinds: rfqs, tripmsgs, quotes, trips).
    /// Avinode leaves the parts out that they name unless it is asked for them. Parameters that Avinode refuses with 400 are
    /// left out for an hour. Empty for none.
    #[arg(long, env = "AVINODE_QUERY_PARAMETERS", value_name = "PARAMETERS", default_value = query_parameters::DEFAULT,
          value_parser = |text: &str| text.parse::<QueryParameters>())]
    pub avinode_query_parameters: QueryParameters,

    /// Allow a base URL on this machine (localhost or a loopback address), on any port and without TLS. For tests and
    /// simulators only.
    #[arg(long, env = "AVINODE_INSECURE_LOOPBACK", value_parser = boolean)]
    pub avinode_insecure_loopback: bool,
}

impl AvinodeArgs {
    /// Returns the client's settings, or `None` where none of the three that are set together is set.
    pub fn client(&self) -> Result<Option<ClientSettings>, SettingError> {
        let checked = |name, setting: &Option<SecretString>| {
            setting.as_ref().map(|setting| credential(name, setting)).transpose()
        };
        let api_token = checked(API_TOKEN, &self.avinode_api_token)?;
        let bearer = checked(BEARER, &self.avinode_bearer)?;
        match (&self.avinode_base_url, api_token, bearer) {
            (Some(base_url), Some(api_token), Some(bearer)) => Ok(Some(ClientSettings {
                base: self.base_url(base_url)?,
                api_token,
                bearer,
                act_as_account: self.avinode_act_as_account.clone(),
                query_parameters: self.avinode_query_parameters.clone(),
                limits: ClientLimits::default(),
            })),
            (None, None, None) => Ok(None),
            (base_url, api_token, bearer) => {
                let set = [
                    (BASE_URL, base_url.is_some()),
                    (API_TOKEN, api_token.is_some()),
                    (BEARER, bearer.is_some()),
                ];
                let names = |wanted| {
                    let some = set.into_iter().filter(move |(_, is_set)| *is_set == wanted);
                    some.map(|(name, _)| name).collect::<Vec<_>>().join(" and ")
                };
                let set = names(true);
                let problem = format_args!("must be set together with {set}; without all three, nothing is fetched");
                Err(SettingError::new(&names(false), problem))
            }
        }
    }

    /// Returns the client's settings for a command that needs them.
    pub fn required_client(&self) -> Result<ClientSettings, SettingError> {
        let missing = || format!("{BASE_URL}, {API_TOKEN} and {BEARER} must be set to call Avinode");
        self.client()?.ok_or_else(|| SettingError(missing()))
    }

    fn base_url(&self, text: &str) -> Result<BaseUrl, SettingError> {
        BaseUrl::parse(text, self.avinode_insecure_loopback).map_err(|error| {
            // A password may stand before an @.
            let shown = match text.contains('@') {
                true => "the value".to_owned(),
                false => format!("\"{}\"", text.escape_debug()),
            };
            SettingError::new(BASE_URL, format_args!("{shown} {error}"))
        })
    }
}

/// The rate at which Avinode is called.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Avinode's API")]
pub struct FetchArgs {
    /// Calls per second, for all processes on one database together (above 0; fractions are allowed).
    #[arg(long = "avinode-calls-per-second", env = "AVINODE_CALLS_PER_SECOND", value_name = "RATE", default_value = "1",
          value_parser = rate)]
    pub calls_per_second: f64,

    /// Calls allowed in a burst before the rate applies, and concurrently (1 to 10000).
    #[arg(long = "avinode-burst", env = "AVINODE_BURST", value_name = "COUNT", default_value = "10",
          value_parser = integer_in::<u32>(1, 10_000))]
    pub burst: u32,

    /// How long the API may lag behind its notifications (1s to 1m). A resource fetched within this time is
    /// fetched once more after it.
    #[arg(long = "avinode-api-lag", env = "AVINODE_API_LAG", value_name = "DURATION", default_value = "3s",
          value_parser = duration("1s", "1m"))]
    pub api_lag: std::time::Duration,

    /// How often the trips of active sessions are fetched again, to repair what missed notifications left out (10m to 30d, or
    /// off). They are the least urgent fetches.
    #[arg(long = "avinode-reconcile-interval", env = "AVINODE_RECONCILE_INTERVAL", value_name = "DURATION",
          default_value = "6h", value_parser = duration_or_off("10m", "30d"))]
    pub reconcile_interval: OptionalInterval,
}

impl FetchArgs {
    /// The settings with which `serve` fetches.
    pub fn settings(&self, client: ClientSettings) -> AvinodeSettings {
        AvinodeSettings {
            client,
            calls_per_second: self.calls_per_second,
            burst: self.burst,
            api_lag: self.api_lag,
            reconcile_every: self.reconcile_interval.0,
        }
    }
}
