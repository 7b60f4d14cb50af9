//! Messages to a service manager such as systemd, received on a socket like the one that it makes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::Connection as _;
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::task::JoinHandle;

use super::load::{body, client, post};
use super::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};
use crate::support::throughout::throughout;

/// The socket that `NOTIFY_SOCKET` names, and the messages that came.
struct ServiceManager {
    folder: TempDir,
    messages: Arc<Mutex<Vec<String>>>,
    receiving: JoinHandle<()>,
}

impl ServiceManager {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let messages = Arc::<Mutex<Vec<String>>>::default();
        let received = messages.clone();
        let receiving = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer).await {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                received.lock().unwrap().extend(text.lines().map(str::to_owned));
            }
        });
        Self {
            folder,
            messages,
            receiving,
        }
    }

    fn socket(&self) -> String {
        self.folder.path().join("notify").to_str().unwrap().to_owned()
    }

    /// The number of messages that are this one.
    fn count(&self, message: &str) -> usize {
        let messages = self.messages.lock().unwrap();
        messages.iter().filter(|received| *received == message).count()
    }

    async fn hears(&self, message: &str, times: usize) {
        eventually(PATIENCE, message, async || {
            at_least(self.count(message), times).map_err(|_| self.messages.lock().unwrap().join(" | "))
        })
        .await;
    }
}

impl Drop for ServiceManager {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manager_hears_ready_once_deliveries_can_be_kept_and_stopping_at_sigterm() {
    let (db, manager) = (Db::new().await, ServiceManager::start());
    let mut other = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.deliveries IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    let (url, socket) = (db.url(), manager.socket());
    let service = Serve::start(&[("DATABASE_URL", &url), ("NOTIFY_SOCKET", &socket)]).await;
    manager.hears("STATUS=not ready: receiving: a table is locked", 1).await;
    manager.hears("EXTEND_TIMEOUT_USEC=30000000", 2).await;
    throughout(Duration::from_secs(2), async || {
        assert_eq!(manager.count("READY=1"), 0);
    })
    .await;
    other.close().await.unwrap();
    manager.hears("READY=1", 1).await;
    manager.hears("STATUS=ready", 1).await;
    assert_eq!(manager.count("STOPPING=1"), 0);
    service.stop(Signal::SIGTERM, PATIENCE).await;
    manager.hears("STOPPING=1", 1).await;
    // Its manager demanded no watchdog.
    assert_eq!((manager.count("READY=1"), manager.count("WATCHDOG=1")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn watchdog_messages_stop_while_a_loop_hangs_although_the_process_answers() {
    let (db, manager) = (Db::new().await, ServiceManager::start());
    let (url, socket) = (db.url(), manager.socket());
    let service = Serve::start(&[
        ("DATABASE_URL", &url),
        ("NOTIFY_SOCKET", &socket),
        ("WATCHDOG_USEC", "1500000"),
        ("INGEST_WORKERS", "1"),
        ("INGEST_LEASE_DURATION", "5s"),
    ])
    .await;
    manager.hears("READY=1", 1).await;
    manager.hears("WATCHDOG=1", 5).await;
    db.run(
        "CREATE FUNCTION public.hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(50); RETURN new; END $$;
         CREATE TRIGGER hang BEFORE UPDATE ON avinode_ingest.jobs FOR EACH ROW EXECUTE FUNCTION public.hang()",
    )
    .await;
    let answer = post(&client(&service.address), &service.address, body(0)).await;
    assert_eq!(answer.unwrap().0, 200);
    manager.hears("STATUS=not ready: loops: stale: worker 1", 1).await;
    let before = manager.count("WATCHDOG=1");
    throughout(Duration::from_secs(3), async || {
        assert_eq!(manager.count("WATCHDOG=1"), before);
        assert_eq!(service.get("/livez").await, Some(200));
    })
    .await;

    db.run(
        "CREATE OR REPLACE FUNCTION public.hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    )
    .await;
    manager.hears("WATCHDOG=1", before + 3).await;
    service.stop(Signal::SIGTERM, PATIENCE).await;
}
