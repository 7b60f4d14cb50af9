//! The receiver and the workers of the demo, which end one by one: a worker that ends leaves the receiver running.

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{SECRET, simulator};
use crate::avinode::client::config::AvinodeSettings;
use crate::avinode::signature::verifier::Verifier;
use crate::cli::error::{CliError, Context};
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::http::v1::auth::BearerTokens;
use crate::postgres::transaction::Pool;
use crate::service::{self, Listeners, ServiceSettings};

pub struct DemoServices {
    pool: Pool,
    policy: PrimaryQuotePolicy,
    avinode: AvinodeSettings,
    stop: CancellationToken,
    receiver: JoinSet<()>,
    workers: JoinSet<()>,
    stop_workers: CancellationToken,
}

impl DemoServices {
    /// All of them end with `stop`.
    pub fn new(pool: Pool, policy: PrimaryQuotePolicy, avinode: AvinodeSettings, stop: CancellationToken) -> Self {
        Self {
            pool,
            policy,
            avinode,
            stop_workers: stop.child_token(),
            stop,
            receiver: JoinSet::new(),
            workers: JoinSet::new(),
        }
    }

    /// With the admin listener and the tokens of a console, if there is one.
    pub fn start_receiver(
        &mut self,
        main: TcpListener,
        console: Option<(TcpListener, BearerTokens)>,
    ) -> Result<(), CliError> {
        let mut settings = ServiceSettings {
            workers: 0,
            ..ServiceSettings::default()
        };
        let (admin, tokens) = console.unzip();
        if let Some(tokens) = tokens {
            settings.api.tokens = tokens;
        }
        let listeners = Listeners { main, admin };
        let running = run(listeners, self.pool.clone(), settings, self.stop.child_token())?;
        self.receiver.spawn(running);
        Ok(())
    }

    pub async fn start_workers(&mut self) -> Result<(), CliError> {
        let settings = ServiceSettings {
            receives: false,
            policy: self.policy,
            avinode: Some(self.avinode.clone()),
            ..ServiceSettings::default()
        };
        // Every process answers health checks.
        let health = TcpListener::bind("127.0.0.1:0").await;
        let health = health.context("listen for health checks")?;
        self.stop_workers = self.stop.child_token();
        let running = run(health, self.pool.clone(), settings, self.stop_workers.clone())?;
        self.workers.spawn(running);
        Ok(())
    }

    pub async fn end_workers(&mut self) {
        self.stop_workers.cancel();
        while self.workers.join_next().await.is_some() {}
    }

    /// Waits for the end of all; `stop` was cancelled.
    pub async fn ended(mut self) {
        while self.workers.join_next().await.is_some() {}
        while self.receiver.join_next().await.is_some() {}
    }
}

fn run(
    listeners: impl Into<Listeners> + Send + 'static,
    pool: Pool,
    settings: ServiceSettings,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + 'static, CliError> {
    let basic = simulator::basic();
    let verifier = Verifier::from_settings(Some(SECRET), Some(&basic)).context("make the verifier")?;
    Ok(async move {
        service::run(listeners, pool, verifier, settings, stop).await;
    })
}
