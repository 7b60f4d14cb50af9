//! A primary with a synchronous standby, and a service that knows both, under load.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::chaos::senders::Sending;
use crate::chaos::truth::{check, insert_sessions, recovered};
use crate::crash::durable::Durable;
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::eventually::{at_least, eventually};

/// Less than the lease of a job.
const LEASE: Duration = Duration::from_secs(40);

pub struct Pair {
    pub primary: Durable,
    pub standby: Durable,
    pub service: Serve,
    pub sending: Arc<Sending>,
    sessions: Vec<Uuid>,
    stop: CancellationToken,
    senders: JoinSet<()>,
}

impl Pair {
    pub async fn under_load(seed: u64) -> Self {
        let primary = Durable::new().await;
        let sessions = insert_sessions(&primary.pool).await;
        let standby = primary.synchronous_standby().await;
        // The standby is named first: it is tried, and left.
        let (first, second) = (folder(&standby), folder(&primary));
        let url = format!(
            "postgres:///{}?host={first},{second}&port=5432&user=avinode",
            Durable::DATABASE
        );
        let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_PRIMARY_QUOTE_POLICY", "lowest-price")]).await;
        let sending = Sending::new(seed, &service.address);
        let stop = CancellationToken::new();
        let senders = sending.start(&stop);
        let pair = Self {
            primary,
            standby,
            service,
            sending,
            sessions,
            stop,
            senders,
        };
        pair.acknowledges(100).await;
        pair
    }

    /// Waits until so many more deliveries have been acknowledged.
    pub async fn acknowledges(&self, more: usize) {
        let acknowledged = || self.sending.acknowledged.lock().unwrap().len();
        let wanted = acknowledged() + more;
        eventually(PATIENCE, "deliveries are acknowledged", async || {
            at_least(acknowledged(), wanted)
        })
        .await;
    }

    /// Promotes the standby, which becomes the primary; returns the time from then until a new delivery is acknowledged and applied.
    pub async fn promote(&mut self) -> Duration {
        let promoted: bool = sqlx::query_scalar("SELECT pg_promote(true, 30)")
            .fetch_one(&self.standby.pool)
            .await
            .unwrap();
        assert!(promoted);
        std::mem::swap(&mut self.primary, &mut self.standby);
        let recovery = recovered(&self.sending, &self.primary.pool).await;
        self.acknowledges(50).await;
        recovery
    }

    /// The former primary, which was killed, becomes the standby.
    pub async fn take_back(self) -> Self {
        let standby = self.primary.take_back(self.standby).await;
        Self { standby, ..self }
    }

    /// Ends the load, and checks that nothing was lost or counted twice.
    pub async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = timeout(PATIENCE, self.senders.join_next()).await.unwrap() {
            ended.unwrap();
        }
        let began = Instant::now();
        check(&self.sending, &self.primary.pool, &self.sessions).await;
        assert!(began.elapsed() < LEASE, "a job waited until its lease ran out");
        println!(
            "{} events, {} deliveries acknowledged, 0 lost, 0 counted twice",
            self.sending.model.lock().unwrap().events(),
            self.sending.acknowledged.lock().unwrap().len()
        );
    }
}

/// The folder of its socket, which is its host.
pub fn folder(postgres: &Durable) -> String {
    postgres.options().get_socket().unwrap().display().to_string()
}
