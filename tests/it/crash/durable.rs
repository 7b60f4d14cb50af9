//! A durable cluster of a test's own, to be crashed: its processes are killed as the system would, and it is started
//! again on the same folder.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use avinode_ingest::postgres::data_dir::ClusterHome;
use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::orphans::processes_of;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

use super::replica;
use crate::support::PATIENCE;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::sql::count;

/// A folder that the cluster's user can enter, as an operator would make.
pub fn open_folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("ingest-crash-")
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir_in("/tmp")
        .unwrap()
}

/// The cluster.
pub struct Durable {
    folder: TempDir,
    postgres: EmbeddedPostgres,
    /// Connections of the test's own.
    pub pool: Pool,
}

impl Durable {
    pub const DATABASE: &str = "quotes";

    /// A cluster with a migrated database.
    pub async fn new() -> Self {
        let folder = open_folder();
        let postgres = start(&folder).await;
        postgres.create_database(Self::DATABASE).await.unwrap();
        let options = postgres.options(Self::DATABASE);
        migrator::migrate(&options).await.unwrap();
        let pool = Pool::new(options, 4);
        Self { folder, postgres, pool }
    }

    /// Its database's address.
    pub fn url(&self) -> String {
        self.postgres.url(Self::DATABASE)
    }

    /// The folder of its files, which is its user's.
    pub fn home(&self) -> &Path {
        self.postgres.data_dir()
    }

    /// The options of a connection as the superuser.
    pub fn options(&self) -> PgConnectOptions {
        self.postgres.options(Self::DATABASE)
    }

    /// Writes out all that was written so far, so that a crash cannot take it.
    pub async fn checkpoint(&self) {
        sqlx::query("CHECKPOINT").execute(&self.pool).await.unwrap();
    }

    /// A synchronous standby of this cluster, on a copy of it. The primary waits for it from now on.
    pub async fn synchronous_standby(&self) -> Self {
        self.standby_in(open_folder()).await
    }

    /// Makes a killed cluster a synchronous standby of this one.
    pub async fn take_back(&self, killed: Self) -> Self {
        let Self { folder, postgres, pool } = killed;
        let data = postgres.data_dir().to_owned();
        drop((postgres, pool));
        std::fs::remove_dir_all(data).unwrap();
        self.standby_in(folder).await
    }

    async fn standby_in(&self, folder: TempDir) -> Self {
        replica::copy(&self.postgres, folder.path().join("home")).await;
        let postgres = start(&folder).await;
        let pool = Pool::new(postgres.options(Self::DATABASE), 4);
        for statement in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        ] {
            sqlx::raw_sql(statement).execute(&self.pool).await.unwrap();
        }
        let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        eventually(PATIENCE, "the standby is synchronous", async || {
            equal(count(&self.pool, synchronous).await, 1)
        })
        .await;
        Self { folder, postgres, pool }
    }

    /// Kills the server and all of its children, and waits until none is left.
    pub async fn kill(&self) {
        // The postmaster first: it would otherwise see its children die, and restart them.
        let postmaster = self.postgres.postmaster_pid();
        let children = self.processes().into_iter().filter(|pid| *pid != postmaster);
        for pid in std::iter::once(postmaster).chain(children) {
            kill_9(pid);
        }
        eventually(PATIENCE, "no process of the cluster is left", async || {
            self.processes().is_empty()
        })
        .await;
    }

    /// Kills one child, upon which the server ends all others and recovers.
    pub fn kill_a_child(&self) {
        let postmaster = self.postgres.postmaster_pid();
        let child = self.processes().into_iter().find(|pid| *pid != postmaster).unwrap();
        kill_9(child);
    }

    /// Starts the server again after [`Durable::kill`]. The connections of `pool` are new: those of before fail when they are used.
    pub async fn start_again(self) -> Self {
        let Self { folder, postgres, pool } = self;
        drop((postgres, pool));
        let postgres = start(&folder).await;
        let pool = Pool::new(postgres.options(Self::DATABASE), 4);
        Self { folder, postgres, pool }
    }

    fn processes(&self) -> Vec<u32> {
        processes_of(self.postgres.data_dir())
    }
}

fn kill_9(pid: u32) {
    // One that is gone already is as good as killed.
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
}

/// By default nothing is durable at its commit there, and the log is written out every ten seconds only: what survives a
/// crash survives because the service saw to it.
async fn start(folder: &TempDir) -> EmbeddedPostgres {
    let home: PathBuf = folder.path().join("home");
    let settings = [
        ("synchronous_commit", "off"),
        ("wal_writer_delay", "10s"),
        ("wal_writer_flush_after", "1GB"),
    ];
    EmbeddedPostgres::start(EmbeddedOptions {
        bin_dir: None,
        home: ClusterHome::Persistent(home),
        settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
    })
    .await
    .unwrap()
}
