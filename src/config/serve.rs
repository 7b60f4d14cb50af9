//! The settings of the receiver and the workers, and what they demand of one another.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::secret::{ApiTokens, api_tokens};
use super::value_parsers::{address, millis, seconds, switch, whole};
use super::webhook::WebhookArgs;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServiceRole {
    /// Take deliveries only.
    Receive,
    /// Work on jobs only.
    Work,
    /// Both in one process.
    Both,
}

impl ServiceRole {
    /// Whether deliveries are taken.
    pub fn receives(self) -> bool {
        self != Self::Work
    }

    /// Whether jobs are worked on.
    pub fn works(self) -> bool {
        self != Self::Receive
    }
}

/// Which quote a session shows as its primary one, where no person has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrimaryQuote {
    /// The quote with the newest fact.
    Latest,
    /// The quote that came first.
    First,
    /// The lowest price in the currency of the earliest quote.
    LowestPrice,
}

impl PrimaryQuote {
    /// The word of the setting: `latest`, `first` or `lowest-price`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::First => "first",
            Self::LowestPrice => "lowest-price",
        }
    }
}

/// Settings of the service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct ServeArgs {
    /// The address to listen on.
    #[arg(long, env = "INGEST_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = address)]
    pub listen: SocketAddr,

    /// What this process does; several processes may share one database.
    #[arg(long, env = "INGEST_ROLE", value_name = "ROLE", default_value = "both")]
    pub role: ServiceRole,

    /// Apply missing migrations at the start, instead of refusing to start. The private Postgres always migrates
    /// itself.
    #[arg(long, env = "INGEST_MIGRATE", value_parser = switch)]
    pub migrate: bool,

    /// Workers of this process (1 to 64).
    #[arg(long, env = "INGEST_WORKERS", value_name = "COUNT", default_value = "2",
          value_parser = whole::<usize>(1, 64))]
    pub workers: usize,

    /// Which quote becomes a session's primary one, where no person has chosen.
    #[arg(long, env = "INGEST_PRIMARY_QUOTE", value_name = "POLICY", default_value = "latest")]
    pub primary_quote: PrimaryQuote,

    /// Tokens of the HTTP API as name:scope:token, scope read or write, several separated by commas or white space.
    #[arg(long, env = "INGEST_API_TOKENS", hide_env_values = true, value_name = "TOKENS", value_parser = api_tokens)]
    pub api_tokens: Option<ApiTokens>,

    /// Connections to the database for the HTTP API, beside INGEST_MAX_CONNECTIONS (1 to 100).
    #[arg(long, env = "INGEST_API_CONNECTIONS", value_name = "COUNT", default_value = "4",
          value_parser = whole::<u32>(1, 100))]
    pub api_connections: u32,

    /// The largest body taken, in bytes (1024 to 16777216); a larger one is answered 413.
    #[arg(long, env = "INGEST_BODY_LIMIT", value_name = "BYTES", default_value = "262144",
          value_parser = whole::<usize>(1024, 16_777_216), help_heading = "Receiving")]
    pub body_limit: usize,

    /// How long a body may take to arrive, in seconds (1 to 300); a slower one is answered 408.
    #[arg(long, env = "INGEST_BODY_TIMEOUT", value_name = "SECONDS", default_value = "10",
          value_parser = seconds(1, 300), help_heading = "Receiving")]
    pub body_timeout: Duration,

    /// Deliveries that may wait for the group commit (1 to 1000000); beyond it the answer is 503.
    #[arg(long, env = "INGEST_RECEIVE_QUEUE", value_name = "COUNT", default_value = "4096",
          value_parser = whole::<usize>(1, 1_000_000), help_heading = "Receiving")]
    pub receive_queue: usize,

    /// Bytes of bodies held in memory at once (1048576 to 68719476736); beyond it the answer is 503.
    #[arg(long, env = "INGEST_MEMORY_BUDGET", value_name = "BYTES", default_value = "67108864",
          value_parser = whole::<usize>(1_048_576, 68_719_476_736), help_heading = "Receiving")]
    pub memory_budget: usize,

    /// HTTP connections open at once (1 to 65535); further ones wait to be accepted.
    #[arg(long, env = "INGEST_MAX_CONNECTIONS_HTTP", value_name = "COUNT", default_value = "1024",
          value_parser = whole::<usize>(1, 65_535), help_heading = "Receiving")]
    pub max_connections_http: usize,

    /// How long work in flight may take to finish at the end, in seconds (1 to 300).
    #[arg(long = "shutdown-seconds", env = "INGEST_SHUTDOWN_SECONDS", value_name = "SECONDS", default_value = "20",
          value_parser = seconds(1, 300))]
    pub shutdown: Duration,

    /// How long a worker owns a job without a sign of life, in seconds (5 to 3600); then another one takes it over.
    #[arg(long = "lease-seconds", env = "INGEST_LEASE_SECONDS", value_name = "SECONDS", default_value = "60",
          value_parser = seconds(5, 3600), help_heading = "Jobs")]
    pub lease: Duration,

    /// How often an idle worker looks for jobs when nothing wakes it, in milliseconds (10 to 60000).
    #[arg(long = "poll-millis", env = "INGEST_POLL_MILLIS", value_name = "MILLISECONDS", default_value = "1000",
          value_parser = millis(10, 60_000), help_heading = "Jobs")]
    pub poll: Duration,

    /// Attempts at a job before it is dead (1 to 1000). What is fetched has 400 whatever this says, for Avinode's own patience
    /// is two days.
    #[arg(long, env = "INGEST_MAX_ATTEMPTS", value_name = "COUNT", default_value = "20",
          value_parser = whole::<u32>(1, 1000), help_heading = "Jobs")]
    pub max_attempts: u32,

    /// The delay that the first retry stays below, in milliseconds (10 to 60000); it doubles with each further one.
    #[arg(long = "retry-base-millis", env = "INGEST_RETRY_BASE_MILLIS", value_name = "MILLISECONDS",
          default_value = "500", value_parser = millis(10, 60_000), help_heading = "Jobs")]
    pub retry_base: Duration,

    /// The delay that every retry stays below, in seconds (1 to 86400).
    #[arg(long = "retry-max-seconds", env = "INGEST_RETRY_MAX_SECONDS", value_name = "SECONDS", default_value = "900",
          value_parser = seconds(1, 86_400), help_heading = "Jobs")]
    pub retry_max: Duration,

    /// For how many days the outcomes of finished jobs are kept (1 to 3650).
    #[arg(long, env = "INGEST_KEEP_OUTCOMES_DAYS", value_name = "DAYS", default_value = "90",
          value_parser = whole::<u32>(1, 3650), help_heading = "Jobs")]
    pub keep_outcomes_days: u32,
}

impl ServeArgs {
    /// What the settings demand of one another. The error is the rest of a line that begins with `error: `.
    pub fn check(&self, webhook: &WebhookArgs) -> Result<(), String> {
        if self.role.receives() && !webhook.is_configured() {
            return Err(
                "AVINODE_WEBHOOK_SECRET (--webhook-secret) or AVINODE_WEBHOOK_BASIC (--webhook-basic) must be \
                        set: what cannot be verified is not received (INGEST_ROLE work needs neither)"
                    .to_owned(),
            );
        }
        if self.memory_budget < self.body_limit {
            return Err(format!(
                "INGEST_MEMORY_BUDGET (--memory-budget): \"{}\" is below INGEST_BODY_LIMIT (--body-limit), {}: \
                 at least one body must fit",
                self.memory_budget, self.body_limit
            ));
        }
        if self.retry_max < self.retry_base {
            return Err(format!(
                "INGEST_RETRY_MAX_SECONDS (--retry-max-seconds): \"{}\" is below INGEST_RETRY_BASE_MILLIS \
                 (--retry-base-millis), {}",
                self.retry_max.as_secs(),
                self.retry_base.as_millis()
            ));
        }
        Ok(())
    }
}
