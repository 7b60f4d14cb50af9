//! The settings of the receiver and the workers, and their demands on one another.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::alerts::AlertArgs;
use super::console::ConsoleArgs;
use super::events::EventArgs;
use super::http::HttpArgs;
use super::parse::defaults;
use super::quantity::{duration, size};
use super::retention::RetentionArgs;
use super::secret::{ApiToken, entries, refuse_ambiguous};
use super::setting_error::SettingError;
use super::value_parsers::{address, boolean, integer_in};
use super::webhook::{WEBHOOK_BASIC, WEBHOOK_SECRET, WebhookArgs};
use super::webhook_path::WebhookPathArgs;
use crate::domain::primary_quote::PrimaryQuotePolicy;

/// The part that a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServiceRole {
    /// Receive deliveries only
    Receive,
    /// Work on jobs only
    Work,
    /// Receive deliveries and work on jobs
    Both,
}

impl ServiceRole {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Work => "work",
            Self::Both => "both",
        }
    }

    pub fn receives(self) -> bool {
        self != Self::Work
    }

    pub fn works(self) -> bool {
        self != Self::Receive
    }
}

/// Its defaults are also those of `ServiceSettings`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long, env = "INGEST_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = address)]
    pub listen: SocketAddr,

    /// Role of this process. Several processes can share one database.
    #[arg(long, env = "INGEST_ROLE", value_name = "ROLE", default_value = "both")]
    pub role: ServiceRole,

    /// Apply missing migrations at startup instead of refusing to start. The private Postgres is always migrated.
    #[arg(long, env = "INGEST_MIGRATE", value_parser = boolean)]
    pub migrate: bool,

    /// Refuse deliveries without a signed timestamp, which could be replayed: plain HMAC and HTTP Basic. Timestamped HMAC and
    /// Standard Webhooks remain.
    #[arg(long, env = "INGEST_REQUIRE_TIMESTAMP", value_parser = boolean, help_heading = "Receiving")]
    pub require_timestamp: bool,

    /// Number of workers in this process (1 to 64).
    #[arg(long, env = "INGEST_WORKERS", value_name = "COUNT", default_value = "2",
          value_parser = integer_in::<usize>(1, 64))]
    pub workers: usize,

    /// Policy that selects the primary quote of a session, unless a person chose one.
    #[arg(
        long,
        env = "INGEST_PRIMARY_QUOTE_POLICY",
        value_name = "POLICY",
        default_value = "latest"
    )]
    pub primary_quote_policy: PrimaryQuotePolicy,

    /// Tokens of the HTTP API as name:scope:token, separated by commas or white space. The scope is read, write or admin: each includes the ones
    /// before it. Only admin changes jobs and deliveries (`/v1/admin`).
    #[arg(long, env = "INGEST_API_TOKENS", hide_env_values = true, value_name = "TOKENS")]
    pub api_tokens: Option<SecretString>,

    /// Maximum number of database connections of the HTTP API and of the console, in addition to INGEST_DATABASE_MAX_CONNECTIONS (1 to 100).
    #[arg(long, env = "INGEST_API_DATABASE_MAX_CONNECTIONS", value_name = "COUNT", default_value = "4",
          value_parser = integer_in::<u32>(1, 100))]
    pub api_database_max_connections: u32,

    #[command(flatten)]
    pub events: EventArgs,

    /// How long work in progress may take to finish at shutdown (1s to 5m).
    #[arg(long, env = "INGEST_SHUTDOWN_TIMEOUT", value_name = "DURATION", default_value = "20s",
          value_parser = duration("1s", "5m"))]
    pub shutdown_timeout: Duration,

    /// Largest request body (1KiB to 16MiB). A larger one is answered 413.
    #[arg(long, env = "INGEST_BODY_LIMIT", value_name = "SIZE", default_value = "256KiB",
          value_parser = size("1KiB", "16MiB"), help_heading = "Receiving")]
    pub body_limit: usize,

    #[command(flatten)]
    pub paths: WebhookPathArgs,

    /// How long a request body may take to arrive (1s to 5m). A slower one is answered 408.
    #[arg(long, env = "INGEST_BODY_TIMEOUT", value_name = "DURATION", default_value = "10s",
          value_parser = duration("1s", "5m"), help_heading = "Receiving")]
    pub body_timeout: Duration,

    /// Number of deliveries that may wait for the group commit (1 to 1000000). Further ones are answered 503.
    #[arg(long, env = "INGEST_RECEIVE_QUEUE_CAPACITY", value_name = "COUNT", default_value = "4096",
          value_parser = integer_in::<usize>(1, 1_000_000), help_heading = "Receiving")]
    pub receive_queue_capacity: usize,

    /// Memory for request bodies (1MiB to 64GiB). Requests beyond it are answered 503.
    #[arg(long, env = "INGEST_MEMORY_BUDGET", value_name = "SIZE", default_value = "64MiB",
          value_parser = size("1MiB", "64GiB"), help_heading = "Receiving")]
    pub memory_budget: usize,

    /// Maximum number of open HTTP connections (1 to 65535). Further ones wait to be accepted.
    #[arg(long, env = "INGEST_HTTP_MAX_CONNECTIONS", value_name = "COUNT", default_value = "1024",
          value_parser = integer_in::<usize>(1, 65_535), help_heading = "Receiving")]
    pub http_max_connections: usize,

    #[command(flatten)]
    pub http: HttpArgs,

    #[command(flatten)]
    pub console: ConsoleArgs,

    /// How long a worker that hangs holds a job before another worker takes it over; jobs of a dead process are taken over within 10 s (5s to 1h).
    #[arg(long, env = "INGEST_LEASE_DURATION", value_name = "DURATION", default_value = "60s",
          value_parser = duration("5s", "1h"), help_heading = "Jobs")]
    pub lease_duration: Duration,

    /// How often an idle worker polls for jobs when no notification wakes it (10ms to 1m).
    #[arg(long, env = "INGEST_POLL_INTERVAL", value_name = "DURATION", default_value = "1s",
          value_parser = duration("10ms", "1m"), help_heading = "Jobs")]
    pub poll_interval: Duration,

    /// Number of attempts before a job is dead (1 to 1000). Fetch jobs always get 400 attempts (about two days), Avinode's own
    /// retry window.
    #[arg(long, env = "INGEST_MAX_ATTEMPTS", value_name = "COUNT", default_value = "20",
          value_parser = integer_in::<u32>(1, 1000), help_heading = "Jobs")]
    pub max_attempts: u32,

    /// Upper limit of the delay before the first retry (10ms to 1m). It doubles with each further retry.
    #[arg(long, env = "INGEST_RETRY_BASE_DELAY", value_name = "DURATION", default_value = "500ms",
          value_parser = duration("10ms", "1m"), help_heading = "Jobs")]
    pub retry_base_delay: Duration,

    /// Upper limit of the delay before any retry (1s to 1d).
    #[arg(long, env = "INGEST_RETRY_MAX_DELAY", value_name = "DURATION", default_value = "15m",
          value_parser = duration("1s", "1d"), help_heading = "Jobs")]
    pub retry_max_delay: Duration,

    #[command(flatten)]
    pub retention: RetentionArgs,

    #[command(flatten)]
    pub alerts: AlertArgs,
}

impl Default for ServeArgs {
    /// The defaults above; the environment is not read.
    fn default() -> Self {
        defaults()
    }
}

impl ServeArgs {
    pub fn tokens(&self) -> Result<Vec<ApiToken>, SettingError> {
        let name = "INGEST_API_TOKENS (--api-tokens)";
        let tokens = entries(name, self.api_tokens.as_ref(), ApiToken::parse)?;
        refuse_ambiguous(name, &tokens)?;
        Ok(tokens)
    }

    /// Checks the demands of one setting on another.
    pub fn check(&self, webhook: &WebhookArgs) -> Result<(), SettingError> {
        let authenticates = !webhook.secrets()?.is_empty() || !webhook.basic()?.is_empty();
        if self.role.receives() && !authenticates {
            return Err(SettingError(format!(
                "{WEBHOOK_SECRET} or {WEBHOOK_BASIC} must be set: a delivery that cannot be verified is not received \
                 (INGEST_ROLE=work needs neither)"
            )));
        }
        if self.role.receives() && self.require_timestamp && webhook.secrets()?.is_empty() {
            return Err(SettingError(format!(
                "INGEST_REQUIRE_TIMESTAMP (--require-timestamp) needs {WEBHOOK_SECRET}: Basic credentials carry no timestamp"
            )));
        }
        self.events.target()?;
        self.paths.check()?;
        self.console.check(&self.http)?;
        self.retention.check()?;
        self.alerts.webhook()?;
        self.alerts.mail_server()?;
        if self.memory_budget < self.body_limit {
            return Err(SettingError::new(
                "INGEST_MEMORY_BUDGET (--memory-budget)",
                format_args!(
                    "\"{}\" bytes are less than INGEST_BODY_LIMIT (--body-limit), {}: at least one body must fit",
                    self.memory_budget, self.body_limit
                ),
            ));
        }
        if self.retry_max_delay < self.retry_base_delay {
            return Err(SettingError::new(
                "INGEST_RETRY_MAX_DELAY (--retry-max-delay)",
                format_args!(
                    "\"{}\" is less than INGEST_RETRY_BASE_DELAY (--retry-base-delay), {}",
                    humantime::format_duration(self.retry_max_delay),
                    humantime::format_duration(self.retry_base_delay)
                ),
            ));
        }
        Ok(())
    }
}
