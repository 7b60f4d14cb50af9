//! Messages to a service manager such as systemd, received on a socket like the one that it makes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::Connection as _;
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::task::JoinHandle;
use tokio::time::Instant;

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
            at_least(self.count(message), times).map_err(|_| self.all())
        })
        .await;
    }

    async fn hears_start(&self, start: &str) {
        eventually(PATIENCE, start, async || {
            let messages = self.messages.lock().unwrap();
            let found = messages.iter().any(|message| message.starts_with(start));
            found.then_some(()).ok_or_else(|| messages.join(" | "))
        })
        .await;
    }

    fn all(&self) -> String {
        self.messages.lock().unwrap().join(" | ")
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
async fn watchdog_messages_go_on_while_the_database_is_no_use() {
    let (db, manager) = (Db::new().await, ServiceManager::start());
    let (url, socket) = (db.url(), manager.socket());
    let service = Serve::start(&[
        ("DATABASE_URL", &url),
        ("NOTIFY_SOCKET", &socket),
        ("WATCHDOG_USEC", "3000000"),
        ("INGEST_LEASE_DURATION", "5s"),
    ])
    .await;
    manager.hears("READY=1", 1).await;
    manager.hears("WATCHDOG=1", 3).await;
    let mut other = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.deliveries, avinode_ingest.jobs IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    manager.hears_start("STATUS=not ready: ").await;
    // Longer than a loop of a worker may be silent with these settings.
    let (began, before) = (Instant::now(), manager.count("WATCHDOG=1"));
    throughout(Duration::from_secs(14), async || {
        let expected = began.elapsed().as_secs().saturating_sub(1) / 3;
        let sent = manager.count("WATCHDOG=1") - before;
        assert!(
            sent >= usize::try_from(expected).unwrap(),
            "{sent} in {:?}",
            began.elapsed()
        );
    })
    .await;
    other.close().await.unwrap();
    manager.hears("STATUS=ready", 2).await;
    service.stop(Signal::SIGTERM, PATIENCE).await;
}
