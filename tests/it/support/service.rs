//! The real service in this process.

use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::avinode::signature::verifier::Verifier;
use avinode_ingest::clock::Clock;
use avinode_ingest::postgres::transaction;
use avinode_ingest::service::{self, Listeners, ServiceSettings, ShutdownSummary};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::pool::Pool;

/// The secret that tests sign with.
pub const SECRET: &str = "a-secret-that-only-tests-know";

/// A running service.
pub struct RunningService {
    /// `http://127.0.0.1:port`.
    pub base: String,
    /// That of the admin listener, if there is one.
    pub admin: Option<String>,
    shutdown: CancellationToken,
    ended: JoinHandle<ShutdownSummary>,
}

impl RunningService {
    /// Starts it on a free port.
    pub async fn start(pool: &Pool, settings: ServiceSettings) -> Self {
        Self::start_on(pool.service(), settings).await
    }

    /// The same with the connections of a pool.
    pub async fn start_on(pool: transaction::Pool, settings: ServiceSettings) -> Self {
        Self::run(pool, settings, None).await
    }

    /// Starts it with an admin listener as well.
    pub async fn with_admin_listener(pool: &Pool, settings: ServiceSettings) -> Self {
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::run(pool.service(), settings, Some(admin)).await
    }

    async fn run(pool: transaction::Pool, settings: ServiceSettings, admin: Option<TcpListener>) -> Self {
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let main = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (base, admin_url) = (url(&main), admin.as_ref().map(url));
        let shutdown = CancellationToken::new();
        let verifier = Verifier::from_settings(Some(SECRET), None).unwrap();
        let listeners = Listeners { main, admin };
        let ended = tokio::spawn(service::run(listeners, pool, verifier, settings, shutdown.clone()));
        Self {
            base,
            admin: admin_url,
            shutdown,
            ended,
        }
    }

    /// Sends a body, signed, and returns status and answer.
    pub async fn post(&self, body: &[u8]) -> (u16, Value) {
        let url = format!("{}/webhooks/avinode", self.base);
        let mut request = avinode_ingest::cli::replay::sender::client(&url)
            .unwrap()
            .post(&url)
            .body(body.to_vec());
        for (name, value) in signer().sign("msg_test", body, Clock::System.now()) {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (
            status,
            serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null),
        )
    }

    /// Waits until it ends without being stopped.
    pub async fn ended(self) -> ShutdownSummary {
        self.ended.await.unwrap()
    }

    /// Shuts it down.
    pub async fn stop(self) -> ShutdownSummary {
        self.shutdown.cancel();
        self.ended.await.unwrap()
    }
}

/// A signer with the tests' secret.
pub fn signer() -> Signer {
    Signer::from_settings(Some(SECRET), None).unwrap().unwrap()
}
