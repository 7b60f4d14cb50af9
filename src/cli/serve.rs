//! `serve`: the receiver and the workers in one process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::avinode_client::{self, warn_of_loopback};
use super::database::{self, CommandDatabase};
use super::error::{CliError, Context};
use super::migrate::refuse_pooler;
use super::reload;
use crate::alerts::senders::AlertSenders;
use crate::avinode::signature::verifier::Verifier;
use crate::config::avinode::{AvinodeArgs, FetchArgs};
use crate::config::database::DatabaseArgs;
use crate::config::secret::ApiToken;
use crate::config::secret_length::short_secrets;
use crate::config::serve::ServeArgs;
use crate::config::service_manager;
use crate::config::setting_error::SettingError;
use crate::config::webhook::WebhookArgs;
use crate::http::console::router::CONSOLE_PATH;
use crate::http::metrics::MetricsRenderer;
use crate::http::reloadable::Reloadable;
use crate::http::v1::auth::BearerTokens;
use crate::postgres::encryption;
use crate::postgres::migrator::adoption;
use crate::service::batches::BATCH_CONNECTIONS;
use crate::service::fetching::FETCHING_CONNECTIONS;
use crate::service::webhooks::WEBHOOK_CONNECTIONS;
use crate::service::{self, Listeners, ServiceSettings, alert_settings};
use crate::shutdown;
use crate::telemetry::{metric_catalogue, repeated_warnings};

/// The interval at which the recorder merges the values of histograms. Without scrapes they would take memory.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct ServeCommandArgs {
    #[command(flatten)]
    pub serve: ServeArgs,

    #[command(flatten)]
    pub webhook: WebhookArgs,

    #[command(flatten)]
    pub avinode: AvinodeArgs,

    #[command(flatten)]
    pub fetch: FetchArgs,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Serves until a signal asks it to stop. `parse_again` parses the command line, the environment and the files of secrets once
/// more, for SIGHUP.
pub async fn run(
    args: ServeCommandArgs,
    parse_again: impl Fn() -> Result<ServeCommandArgs, CliError> + Send + 'static,
) -> Result<(), CliError> {
    let began = Instant::now();
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let hangups = reload::hangups().context("listen for SIGHUP")?;
    let verifier = Reloadable::new(required_verifier(&args)?);
    let mut settings = settings(&args)?;
    if args.serve.http.admin.admin_listen.is_some() {
        settings.metrics = Some(record_metrics()?);
    }
    let named = database::named(&args.database)?;
    args.serve.check(&args.webhook)?;
    for short in short_secrets(&args.webhook, &args.serve.tokens()?)? {
        tracing::warn!("{short}: it could be found by trying");
    }
    if named.as_ref().is_some_and(encryption::is_optional) {
        tracing::warn!("{}", database::OPTIONAL_ENCRYPTION);
    }
    if let Some(avinode) = &settings.avinode {
        warn_of_loopback(&avinode.client);
        // Fails on a machine without root certificates: at startup rather than at the first fetch.
        avinode_client::client(&avinode.client)?;
    }
    if let Some(alerts) = &settings.alerts {
        // Likewise.
        AlertSenders::new(alerts).map_err(|error| SettingError(format!("alerts cannot be sent: {error}")))?;
    }
    let own = own_connections(&args, &settings)?;
    if args.serve.migrate {
        refuse_pooler(&args.database)?;
    }
    // The port first: a second instance that was started by mistake must not reach the database.
    let main = listen(args.serve.listen, "INGEST_LISTEN").await?;
    let admin = match args.serve.http.admin.admin_listen {
        Some(address) => Some(listen(address, "INGEST_ADMIN_LISTEN").await?),
        None => None,
    };
    let address = main.local_addr().context("read the address of the listener")?;
    let admin_address = admin.as_ref().map(TcpListener::local_addr).transpose();
    let admin_address = admin_address.context("read the address of the admin listener")?;
    let shared = DatabaseArgs {
        database_max_connections: args.database.database_max_connections - own,
        ..args.database.clone()
    };
    let database = CommandDatabase::open(&shared).await?;
    if args.serve.migrate || database.embedded.is_some() {
        let applied = database.migrate(&args.database).await?;
        if !applied.is_empty() {
            let migrations = applied.len();
            tracing::info!(migrations, "applied {migrations} migrations");
            let raised = adoption::raised_sessions(&database.pool, &applied).await;
            let raised = raised.context("read the number of raised counts")?;
            if raised > 0 {
                tracing::info!(
                    sessions = raised,
                    "raised quotes_received_count of {raised} sessions to the number of quotes that are known for them"
                );
            }
        }
    }
    database.warn_of_missing_tables().await?;
    database.require_current().await?;
    let ready_after_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        %address,
        role = args.serve.role.as_str(),
        workers = settings.workers,
        embedded = database.embedded.is_some(),
        ready_after_ms,
        "serving on {address} with {} workers",
        settings.workers
    );
    if let Some(address) = admin_address {
        tracing::info!(%address, "console on http://{address}{CONSOLE_PATH}");
    }
    tokio::spawn(repeated_warnings::run());
    let (served_verifier, served_tokens) = (verifier.clone(), settings.api.tokens.clone());
    // Requests that are being verified keep the former secrets.
    tokio::spawn(reload::run(hangups, move || {
        let args = parse_again()?;
        args.serve.check(&args.webhook)?;
        let (verifier, tokens) = (required_verifier(&args)?, tokens(&args.serve.tokens()?));
        served_verifier.replace(verifier);
        served_tokens.replace(&tokens);
        Ok(())
    }));
    let embedded_end = async {
        match &database.embedded {
            Some(embedded) => embedded.ended().await,
            None => std::future::pending().await,
        }
    };
    let serving = service::run(
        Listeners { main, admin },
        database.pool.clone(),
        verifier,
        settings,
        shutdown.clone(),
    );
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        end = embedded_end => {
            tracing::error!(status = %end, "the private Postgres ended unexpectedly with status {end}; shutting down");
            shutdown.cancel();
            serving.await;
            return Err(
                CliError::plain("the private Postgres ended unexpectedly").hint("its log is in INGEST_DATA_DIR")
            );
        }
    };
    tracing::info!(
        cut_off = ended.cut_off,
        stopped = ended.stopped,
        leases_released = ended.leases_released,
        "shut down: {} requests cut off, {} workers stopped, {} leases released",
        ended.cut_off,
        ended.stopped,
        ended.leases_released
    );
    database.close().await
}

async fn listen(address: SocketAddr, setting: &str) -> Result<TcpListener, CliError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| CliError::to(format!("listen on {address} ({setting})"), error).unavailable())
}

/// Returns the number of connections that workers, receiver and fetcher hold outside of the shared pool.
fn own_connections(args: &ServeCommandArgs, settings: &ServiceSettings) -> Result<u32, SettingError> {
    let workers = u32::try_from(settings.workers).unwrap_or(u32::MAX);
    let fetches = settings.avinode.is_some() && args.serve.role.works();
    let fetching = if fetches { FETCHING_CONNECTIONS } else { 0 };
    // One per worker; one each for heartbeats of leases, the receiver, LISTEN, probes and, where they are on, gauges and alerts.
    let gauges = u32::from(settings.metrics.is_some()) + u32::from(settings.alerts.is_some());
    let sends = settings.notify.is_some() && args.serve.role.works();
    let webhooks = if sends { WEBHOOK_CONNECTIONS } else { 0 };
    let batches = if workers > 0 { BATCH_CONNECTIONS } else { 0 };
    let needed = workers
        .saturating_add(4 + gauges + webhooks + batches)
        .saturating_add(fetching);
    let max = args.database.database_max_connections;
    if max < needed {
        return Err(SettingError::new(
            "INGEST_DATABASE_MAX_CONNECTIONS (--database-max-connections)",
            format_args!("\"{max}\" is too few for {workers} workers; at least {needed}"),
        ));
    }
    // The receiver has one, and its readiness another.
    Ok(workers + 2 * u32::from(args.serve.role.receives()) + fetching + gauges + webhooks + batches)
}

/// Starts to record metrics.
fn record_metrics() -> Result<MetricsRenderer, CliError> {
    let recorder = metric_catalogue::install().context("record metrics")?;
    let rendered = recorder.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(METRICS_UPKEEP);
        loop {
            ticks.tick().await;
            recorder.run_upkeep();
        }
    });
    Ok(MetricsRenderer(Arc::new(move || rendered.render())))
}

/// Makes the verifier of the configured secrets; it is empty where none is configured.
pub fn verifier(webhook: &WebhookArgs) -> Result<Verifier, SettingError> {
    Ok(Verifier::new(webhook.secrets()?, &webhook.basic()?))
}

/// The verifier, with the requirement of a signed time.
fn required_verifier(args: &ServeCommandArgs) -> Result<Verifier, SettingError> {
    Ok(verifier(&args.webhook)?.requiring_time(args.serve.require_timestamp))
}

fn settings(args: &ServeCommandArgs) -> Result<ServiceSettings, SettingError> {
    let mut settings = ServiceSettings::from(&args.serve);
    settings.listens = !args.database.transaction_pooler;
    settings.api.tokens = tokens(&args.serve.tokens()?);
    settings.notify = args.serve.events.target()?;
    settings.avinode = args.avinode.client()?.map(|client| args.fetch.settings(client));
    settings.alerts = alert_settings(&args.serve.alerts)?;
    settings.notifies_manager = service_manager::is_notified();
    Ok(settings)
}

/// Makes the tokens of the HTTP API.
pub fn tokens(tokens: &[ApiToken]) -> BearerTokens {
    let tokens = tokens.iter();
    BearerTokens::new(tokens.map(|token| (token.name.as_str(), token.scope, token.token.expose_secret())))
}
