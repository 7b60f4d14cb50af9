//! The real service in this process, and the queue drained step by step without it.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::avinode::notification::classify;
use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::avinode::signature::verifier::Verifier;
use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::ingest::insert;
use avinode_ingest::ingest::new_delivery::NewDelivery;
use avinode_ingest::jobs::registry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::admin;
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::service::{self, ServiceSettings, ShutdownSummary};
use avinode_ingest::store::demo_data::{self, NewSession};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::pool::Pool;

/// The secret that tests sign with.
pub const SECRET: &str = "a-secret-that-only-tests-know";

/// A running service.
pub struct Running {
    /// `http://127.0.0.1:port`.
    pub base: String,
    shutdown: CancellationToken,
    ended: JoinHandle<ShutdownSummary>,
}

impl Running {
    /// Starts it on a free port.
    pub async fn start(pool: &Pool, settings: ServiceSettings) -> Self {
        Self::start_on(pool.service(), settings).await
    }

    /// The same with connections of the caller's making.
    pub async fn start_on(pool: transaction::Pool, settings: ServiceSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let verifier = Verifier::from_settings(Some(SECRET), None).unwrap();
        let ended = tokio::spawn(service::run(listener, pool, verifier, settings, shutdown.clone()));
        Self { base, shutdown, ended }
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

    /// Waits until it ends by itself.
    pub async fn ended(self) -> ShutdownSummary {
        self.ended.await.unwrap()
    }

    /// Ends it in order.
    pub async fn stop(self) -> ShutdownSummary {
        self.shutdown.cancel();
        self.ended.await.unwrap()
    }
}

/// A signer with the tests' secret.
pub fn signer() -> Signer {
    Signer::from_settings(Some(SECRET), None).unwrap().unwrap()
}

/// A shift of workers that a test drives itself; `clock` holds the time still.
pub fn shift(pool: &Pool, policy: PrimaryQuotePolicy, clock: Clock) -> Arc<Worker> {
    shift_with(pool, registry::handlers(pool, policy, clock))
}

/// The same with other handlers.
pub fn shift_with(pool: &Pool, handlers: Vec<KindHandler>) -> Arc<Worker> {
    Arc::new(Worker {
        poll: Duration::from_millis(20),
        retry: RetryPolicy {
            base: Duration::from_millis(5),
            max: Duration::from_millis(50),
            ..RetryPolicy::default()
        },
        ..Worker::new(pool.service(), pool.service(), ClaimByKind::new(handlers))
    })
}

/// Steps until no job is runnable. Contention is put back for milliseconds, so a few empty rounds are waited for.
pub async fn drain(shift: &Worker, name: &str) {
    loop {
        let step = shift.step(name).await.unwrap();
        if step.jobs == 0 {
            let blocked = [JobKind::FetchNotified];
            let left = admin::count_runnable(&shift.pool, &blocked, &[], Duration::ZERO).await;
            if left.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Keeps bodies as the receiver does, without HTTP, as received at this moment. Returns the deliveries' ids.
pub async fn keep(pool: &Pool, bodies: &[Value], received_at: DateTime<Utc>) -> Vec<Uuid> {
    let bodies: Vec<Vec<u8>> = bodies.iter().map(|body| serde_json::to_vec(body).unwrap()).collect();
    keep_bytes(pool, &bodies, received_at).await
}

/// Keeps bodies byte for byte.
pub async fn keep_bytes(pool: &Pool, bodies: &[Vec<u8>], received_at: DateTime<Utc>) -> Vec<Uuid> {
    let arrivals: Vec<NewDelivery> = bodies
        .iter()
        .map(|body| {
            let body = Bytes::from(body.clone());
            let route = classify(&body);
            let verified_by = "hmac#1".to_owned();
            NewDelivery {
                id: Uuid::now_v7(),
                received_at,
                body,
                headers: Vec::new(),
                verified_by,
                route,
            }
        })
        .collect();
    insert::append(
        pool.service().autocommit(1).acquire().await.unwrap(),
        &arrivals.iter().collect::<Vec<_>>(),
    )
    .await
    .unwrap();
    arrivals.iter().map(|arrival| arrival.id).collect()
}

/// A session of a trip, active, with a request, at `understanding_request`.
pub async fn session(pool: &Pool, trip_id: Option<&str>) -> Uuid {
    let new = NewSession {
        name: "a test".to_owned(),
        trip_id: trip_id.map(str::to_owned),
        has_request: true,
        status: "active".to_owned(),
        current_step: Some("understanding_request".to_owned()),
        counts: [0, 0, 0],
    };
    demo_data::session(pool, &new).await.unwrap()
}
