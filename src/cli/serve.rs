//! `serve`: receiver and workers in one process.

use std::process::ExitCode;
use std::time::Instant;

use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::avinode_client::{self, warn_of_loopback};
use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::migrate::refuse_pooler;
use crate::avinode::client::config::AvinodeSettings;
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::config::avinode::{AvinodeArgs, FetchArgs};
use crate::config::database::DatabaseArgs;
use crate::config::secret::{ApiTokens, Scope, Secrets};
use crate::config::serve::{PrimaryQuote, ServeArgs};
use crate::config::webhook::WebhookArgs;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::server::ServerLimits;
use crate::http::state::WebhookLimits;
use crate::http::v1::auth::{self, Tokens};
use crate::postgres::migrator;
use crate::queue::retry::RetryPolicy;
use crate::service::fetching::FETCHING_CONNECTIONS;
use crate::service::{self, ApiSettings, ServiceSettings};
use crate::shutdown;

/// What the service takes.
#[derive(Debug, clap::Args)]
pub struct ServeCommandArgs {
    /// Receiver and workers.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// The proof of the sender.
    #[command(flatten)]
    pub webhook: WebhookArgs,

    /// Avinode's API.
    #[command(flatten)]
    pub avinode: AvinodeArgs,

    /// How often it is called.
    #[command(flatten)]
    pub fetch: FetchArgs,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Serves until it is asked to stop.
pub async fn run(args: ServeCommandArgs) -> Result<ExitCode, CliError> {
    let began = Instant::now();
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let verifier = verifier(&args.webhook)?;
    let avinode = avinode_client::settings(&args.avinode, &args.fetch)?;
    if let Some(avinode) = &avinode {
        warn_of_loopback(&avinode.client);
        // Now rather than in the middle: a machine without root certificates has none.
        avinode_client::client(&avinode.client)?;
    }
    let fetching = fetching(&args.serve, avinode.is_some());
    let needed = connections_needed(&args.serve).saturating_add(fetching);
    if args.database.max_connections < needed {
        return Err(CliError::setting(format!(
            "INGEST_MAX_CONNECTIONS (--max-connections): \"{}\" is too few for {} workers; at least {needed}",
            args.database.max_connections,
            workers(&args.serve)
        )));
    }
    if args.serve.migrate {
        refuse_pooler(&args.database)?;
    }
    // The port first: a second instance by mistake should not get as far as the database.
    let listen = args.serve.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| CliError::to(format!("listen on {listen} (INGEST_LISTEN)"), error).unavailable())?;
    let address = listener.local_addr().context("read the address listened on")?;
    // Each worker brings a connection of its own, and so do the receiver and what fetches.
    let own = workers(&args.serve) + u32::from(args.serve.role.receives()) + fetching;
    let shared = DatabaseArgs {
        max_connections: args.database.max_connections - own,
        ..args.database.clone()
    };
    let database = CommandDatabase::open(&shared).await?;
    if args.serve.migrate || database.embedded.is_some() {
        let applied = migrator::migrate(&database.options)
            .await
            .context("migrate the database")?;
        if !applied.is_empty() {
            tracing::info!(migrations = applied.len(), "the database was migrated");
        }
    }
    database.require_current().await?;
    tracing::info!(
        %address,
        role = ?args.serve.role,
        workers = args.serve.workers,
        embedded = database.embedded.is_some(),
        ready_after_ms = began.elapsed().as_millis(),
        "serving"
    );
    let settings = settings(&args.serve, &args.database, avinode);
    let embedded_end = async {
        match &database.embedded {
            Some(embedded) => Some(embedded.ended().await),
            None => std::future::pending().await,
        }
    };
    let serving = service::run(listener, database.pool.clone(), verifier, settings, shutdown.clone());
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        end = embedded_end => {
            tracing::error!(?end, "the private Postgres ended by itself; so does this process");
            shutdown.cancel();
            serving.await;
            return Err(CliError::plain("the private Postgres ended by itself").hint("its log is in INGEST_DATA_DIR"));
        }
    };
    tracing::info!(
        cut_off = ended.cut_off,
        stopped = ended.stopped,
        leases_released = ended.leases_released,
        "stopped in order"
    );
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// The connections that fetch, where anything is fetched.
fn fetching(serve: &ServeArgs, fetches: bool) -> u32 {
    if serve.role.works() && fetches {
        FETCHING_CONNECTIONS
    } else {
        0
    }
}

/// One connection a worker, and one each for their leases' upkeep at times, receiving, announcements and probes.
fn connections_needed(serve: &ServeArgs) -> u32 {
    workers(serve).saturating_add(4)
}

fn workers(serve: &ServeArgs) -> u32 {
    let workers = if serve.role.works() { serve.workers } else { 0 };
    u32::try_from(workers).unwrap_or(u32::MAX)
}

/// The verifier of the configured secrets; empty for a process that does not receive.
pub fn verifier(webhook: &WebhookArgs) -> Result<Verifier, CliError> {
    let joined = |secrets: &Option<Secrets>| secrets.as_ref().map(|all| all.iter().collect::<Vec<_>>().join(" "));
    let (secret, basic) = (joined(&webhook.webhook_secret), joined(&webhook.webhook_basic));
    Verifier::from_settings(secret.as_deref(), basic.as_deref()).map_err(|error| CliError::setting(error.to_string()))
}

/// The election policy of a setting.
pub fn policy(primary_quote: PrimaryQuote) -> PrimaryQuotePolicy {
    match primary_quote {
        PrimaryQuote::Latest => PrimaryQuotePolicy::Latest,
        PrimaryQuote::First => PrimaryQuotePolicy::First,
        PrimaryQuote::LowestPrice => PrimaryQuotePolicy::LowestPrice,
    }
}

/// Who may call the API; nobody where the setting is not there.
fn tokens(setting: Option<&ApiTokens>) -> Tokens {
    let tokens = setting.map_or(&[][..], |tokens| &tokens.0);
    Tokens::new(tokens.iter().map(|token| {
        let scope = match token.scope {
            Scope::Read => auth::Scope::Read,
            Scope::Write => auth::Scope::Write,
        };
        (token.name.as_str(), scope, token.token.expose_secret())
    }))
}

fn settings(serve: &ServeArgs, database: &DatabaseArgs, avinode: Option<AvinodeSettings>) -> ServiceSettings {
    ServiceSettings {
        receives: serve.role.receives(),
        workers: if serve.role.works() { serve.workers } else { 0 },
        policy: policy(serve.primary_quote),
        lease: serve.lease,
        poll: serve.poll,
        listens: !database.pooler,
        retry: RetryPolicy {
            base: serve.retry_base,
            max: serve.retry_max,
            max_attempts: i32::try_from(serve.max_attempts).unwrap_or(i32::MAX),
            ..RetryPolicy::default()
        },
        receive_queue: serve.receive_queue,
        webhook: WebhookLimits {
            body: serve.body_limit,
            body_time: serve.body_timeout,
            memory: serve.memory_budget,
            ..WebhookLimits::default()
        },
        server: ServerLimits {
            connections: serve.max_connections_http,
            ..ServerLimits::default()
        },
        drain: serve.shutdown,
        outcome_retention: std::time::Duration::from_secs(u64::from(serve.keep_outcomes_days) * 24 * 3600),
        api: ApiSettings {
            tokens: tokens(serve.api_tokens.as_ref()),
            connections: serve.api_connections,
        },
        avinode,
        clock: Clock::System,
    }
}
