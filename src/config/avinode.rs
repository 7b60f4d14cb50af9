//! The settings of our own calls to Avinode: where, as whom, and how often.

use clap::Args;
use secrecy::SecretString;

use super::secret::credential;
use super::value_parsers::{OptionalInterval, every, header_value, rate, switch, whole};

/// Settings of the API at Avinode. The first three come together: without them nothing is fetched.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Avinode's API")]
pub struct AvinodeArgs {
    /// The API, for example `https://sandbox.avinode.com/api`. Nothing outside of it is ever called.
    #[arg(long, env = "AVINODE_BASE_URL", value_name = "URL")]
    pub avinode_base_url: Option<String>,

    /// The API token of the application (X-Avinode-ApiToken).
    #[arg(long, env = "AVINODE_API_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = credential)]
    pub avinode_api_token: Option<SecretString>,

    /// The authentication token (Authorization: Bearer), without the word Bearer.
    #[arg(long, env = "AVINODE_BEARER", hide_env_values = true, value_name = "TOKEN", value_parser = credential)]
    pub avinode_bearer: Option<SecretString>,

    /// The account to act as (X-Avinode-ActAsAccount), where the tokens are good for several.
    #[arg(long, env = "AVINODE_ACT_AS_ACCOUNT", value_name = "ACCOUNT", value_parser = header_value)]
    pub avinode_act_as_account: Option<String>,

    /// Allow AVINODE_BASE_URL on this machine (localhost or a loopback address), on any port and without encryption. For
    /// tests and simulators only.
    #[arg(long, env = "AVINODE_INSECURE_LOOPBACK", value_parser = switch)]
    pub avinode_insecure_loopback: bool,
}

/// How often Avinode is called.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Avinode's API")]
pub struct FetchArgs {
    /// Calls to Avinode a second, of all processes on one database together (above 0, fractions allowed).
    #[arg(long = "avinode-calls-per-second", env = "AVINODE_CALLS_PER_SECOND", value_name = "RATE", default_value = "1",
          value_parser = rate)]
    pub calls_per_second: f64,

    /// Calls that may follow one another at once before that rate holds, and be under way at once (1 to 10000).
    #[arg(long = "avinode-burst", env = "AVINODE_BURST", value_name = "COUNT", default_value = "10",
          value_parser = whole::<u32>(1, 10_000))]
    pub burst: u32,

    /// Seconds after a notification for which the API may still show what was before (1 to 60): what was fetched sooner, and shows
    /// nothing new, is looked at once more.
    #[arg(long = "avinode-settle-seconds", env = "AVINODE_SETTLE_SECONDS", value_name = "SECONDS", default_value = "3",
          value_parser = whole::<u64>(1, 60))]
    pub settle_seconds: u64,

    /// How often the trips of active sessions are fetched anew, to repair what missed webhooks left out: 10m to 30d, or
    /// off.
    #[arg(long = "avinode-reconcile-every", env = "AVINODE_RECONCILE_EVERY", value_name = "TIME", default_value = "off",
          value_parser = every)]
    pub reconcile_every: OptionalInterval,
}

impl AvinodeArgs {
    /// The names of the three that must come together, with whether each is set.
    pub fn together(&self) -> [(&'static str, bool); 3] {
        [
            ("AVINODE_BASE_URL (--avinode-base-url)", self.avinode_base_url.is_some()),
            (
                "AVINODE_API_TOKEN (--avinode-api-token)",
                self.avinode_api_token.is_some(),
            ),
            ("AVINODE_BEARER (--avinode-bearer)", self.avinode_bearer.is_some()),
        ]
    }
}
