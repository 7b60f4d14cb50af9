//! A receiver and two workers as processes of their own, on a Postgres of their own: behind a proxy, and one worker behind PgBouncer
//! where it is installed.

use nix::sys::signal::Signal;

use crate::crash::durable::Durable;
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::pool::Pool;
use crate::support::pooler::Pooler;
use crate::support::proxy::Proxy;
use crate::support::small_disk::SmallDisk;

pub struct Deployment {
    /// `None` only while it starts again.
    postgres: Option<Durable>,
    pub proxy: Proxy,
    pooler: Option<Pooler>,
    pub receiver: Serve,
    pub workers: Vec<Serve>,
    /// That of the deliveries, where this user may mount one. Dropped last.
    pub disk: Option<SmallDisk>,
}

impl Deployment {
    pub async fn start(postgres: Durable) -> Self {
        let disk = SmallDisk::mount(256);
        if let Some(disk) = &disk {
            disk.keep_deliveries(&postgres).await;
        }
        let options = postgres.options();
        let proxy = Proxy::start(&options).await;
        let pooler = Pooler::before(&options).await;
        let receiver = receiver(&proxy).await;
        let mut deployment = Self {
            postgres: Some(postgres),
            proxy,
            pooler,
            receiver,
            workers: Vec::new(),
            disk,
        };
        for number in 0..2 {
            let worker = deployment.worker(number).await;
            deployment.workers.push(worker);
        }
        deployment
    }

    pub fn postgres(&self) -> &Durable {
        self.postgres.as_ref().unwrap()
    }

    /// The test's own connections, past the proxy and the pooler.
    pub fn pool(&self) -> &Pool {
        &self.postgres().pool
    }

    pub fn has_pooler(&self) -> bool {
        self.pooler.is_some()
    }

    pub async fn restart_pooler(&mut self) {
        drop(self.pooler.take());
        let options = self.postgres().options();
        // On the address of the former one, which the worker has in its settings.
        self.pooler = Pooler::before(&options).await;
        self.restart_worker(1, Signal::SIGTERM).await;
    }

    /// Kills Postgres with all backends, and starts it again.
    pub async fn crash_postgres(&mut self) {
        let postgres = self.postgres.take().unwrap();
        postgres.kill().await;
        self.postgres = Some(postgres.start_again().await);
    }

    /// Returns the address of the new process.
    pub async fn restart_receiver(&mut self, signal: Signal) -> String {
        self.receiver.program.signal(signal);
        self.receiver.program.ended(PATIENCE).await;
        self.receiver = receiver(&self.proxy).await;
        self.receiver.address.clone()
    }

    pub async fn restart_worker(&mut self, number: usize, signal: Signal) {
        let program = &mut self.workers[number].program;
        program.signal(signal);
        program.ended(PATIENCE).await;
        self.workers[number] = self.worker(number).await;
    }

    /// The first worker is behind the proxy, the second behind the pooler.
    async fn worker(&self, number: usize) -> Serve {
        let pooler = self.pooler.as_ref().filter(|_| number == 1);
        let url = pooler.map_or_else(|| self.proxy.url(), Pooler::url);
        Serve::start_again_until_it_serves(&[
            ("DATABASE_URL", &url),
            ("INGEST_ROLE", "work"),
            ("INGEST_PRIMARY_QUOTE_POLICY", "lowest-price"),
            (
                "INGEST_TRANSACTION_POOLER",
                if pooler.is_some() { "true" } else { "false" },
            ),
            ("INGEST_WORKERS", "1"),
        ])
        .await
    }
}

async fn receiver(proxy: &Proxy) -> Serve {
    let url = proxy.url();
    Serve::start_again_until_it_serves(&[("DATABASE_URL", &url), ("INGEST_ROLE", "receive")]).await
}
