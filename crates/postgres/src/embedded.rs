//! A private Postgres cluster from the programs on this machine: a first run needs no database server, and still runs the
//! production code.
//!
//! It listens on a socket in a folder that only its user and root can enter. It stops with us: by [`EmbeddedPostgres::stop`],
//! when it is dropped, or when we die. A server that is left all the same is stopped by the next start (`orphans`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::time::{Instant, sleep, timeout};

use super::binaries::PostgresBinaries;
use super::cluster::{self, PORT, SUPERUSER, socket_file};
use super::data_dir::{self, ClusterHome, OwnedDir, TEMPORARY_PARENT};
use super::encoding::CREATE_OPTIONS;
use super::error::EmbeddedError;
use super::orphans;
use super::percent_encoding::percent_encoded;
use super::server_error::readable;
use super::service_user::ServiceUser;
use super::supervisor::{ServerExit, Supervisor};

/// The time until a server answers.
const FIRST_ANSWER: Duration = Duration::from_secs(30);
/// The time for a server that answers that it is recovering: a crash after heavy writing replays up to 1 GB of WAL.
const RECOVERY: Duration = Duration::from_secs(600);
/// The path of a socket holds 103 bytes on macOS and 107 on Linux.
const LONGEST_SOCKET_PATH: usize = 103;

#[derive(Debug, Clone, Default)]
pub struct EmbeddedOptions {
    /// The folder of `initdb` and `postgres`; `None` searches for them.
    pub bin_dir: Option<PathBuf>,
    pub home: ClusterHome,
    /// Further Postgres settings; they override ours.
    pub settings: Vec<(String, String)>,
}

impl EmbeddedOptions {
    /// Our settings only.
    pub fn new(bin_dir: Option<PathBuf>, home: ClusterHome) -> Self {
        Self {
            bin_dir,
            home,
            settings: Vec::new(),
        }
    }
}

/// A running private cluster.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: Supervisor,
    home: OwnedDir,
    data: PathBuf,
    /// The socket's folder, where the path of the home is too long for a socket.
    socket_home: Option<OwnedDir>,
    /// The temporary folder to remove at the end.
    remove: Option<PathBuf>,
}

impl EmbeddedPostgres {
    /// Makes the checks of [`EmbeddedPostgres::start`] that come before its first write, and writes nothing.
    pub async fn verify(options: &EmbeddedOptions) -> Result<PostgresBinaries, EmbeddedError> {
        let plan = plan(options).await?;
        if let Some(home) = &plan.persistent {
            data_dir::refuse_foreign(home)?;
        }
        Ok(plan.binaries)
    }

    /// Starts the cluster, and creates it first if it does not exist. Stops a server that a killed run left, and waits until
    /// the new one answers.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let StartPlan {
            persistent,
            user,
            binaries,
        } = plan(&options).await?;
        let mut home = match &persistent {
            Some(path) => OwnedDir::persistent(path, &user)?,
            None => temporary_dir(&user).await?,
        };
        let data = home.path().join("data");
        if persistent.is_some() && orphans::stop_leftover(&data, home.path(), Signal::SIGINT).await? {
            let folder = data.display();
            tracing::info!(data = %folder, "stopped the Postgres server that a killed run left in {folder}");
        }
        cluster::remove_unfinished(home.path());
        if cluster::major_version(&data).is_none() {
            cluster::create(&binaries, &user, home.path(), persistent.is_some()).await?;
        }
        let mut socket_home = match socket_file(home.path()).as_os_str().len() {
            ..=LONGEST_SOCKET_PATH => None,
            _ => Some(temporary_dir(&user).await?),
        };
        let remove = match &persistent {
            None => Some(&home),
            Some(_) => socket_home.as_ref(),
        };
        let remove = remove.map(|folder| folder.path().to_owned());

        let log = log_path(&home);
        // After a crash, the reason is in the log of the previous server.
        let _ = std::fs::rename(&log, log.with_extension("log.previous"));
        let socket_dir = socket_home.as_ref().unwrap_or(&home).path();
        let arguments = cluster::arguments(&data, socket_dir, &options.settings);
        let server = Supervisor::start(&user, &binaries.postgres(), arguments, &log, remove.as_deref()).await?;
        // From here on the watchdog removes folders: it outlives us.
        home.keep_on_drop();
        socket_home.iter_mut().for_each(OwnedDir::keep_on_drop);
        let started = Self {
            server,
            home,
            data,
            socket_home,
            remove,
        };
        match started.wait_until_ready().await {
            Ok(()) => Ok(started),
            Err(error) => {
                started.server.stop().await;
                Err(error)
            }
        }
    }

    /// Returns the options to connect to a database as the superuser.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        cluster::connect_options(self.socket_dir(), database)
    }

    /// Returns the same as a URL for `psql` and `DATABASE_URL`.
    pub fn url(&self, database: &str) -> String {
        // The user is a parameter, because a URL with a user before the host cannot omit the host.
        format!(
            "postgres:///{}?host={}&port={PORT}&user={SUPERUSER}",
            percent_encoded(database),
            percent_encoded(&self.socket_dir().to_string_lossy())
        )
    }

    /// Creates a database if it does not exist. Returns whether it was created.
    pub async fn create_database(&self, database: &str) -> Result<bool, EmbeddedError> {
        let failed = |source| EmbeddedError::CreateDatabase {
            database: database.to_owned(),
            source: readable(source),
        };
        let mut connection = self.options("postgres").connect().await.map_err(failed)?;
        let statement = format!("CREATE DATABASE \"{}\" {CREATE_OPTIONS}", database.replace('"', "\"\""));
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        let created = match statement.execute(&mut connection).await {
            Ok(_) => true,
            // duplicate_database
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => false,
            Err(error) => return Err(failed(error)),
        };
        let _ = connection.close().await;
        Ok(created)
    }

    /// Returns the folder of the socket, for `psql -h`.
    pub fn socket_dir(&self) -> &Path {
        self.socket_home.as_ref().unwrap_or(&self.home).path()
    }

    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    pub fn postmaster_pid(&self) -> u32 {
        self.server.postmaster_pid()
    }

    /// Waits until the server exits without [`EmbeddedPostgres::stop`]: a process that depends on it should exit too.
    pub async fn ended(&self) -> ServerExit {
        self.server.wait().await
    }

    /// Shuts the server down in order (open transactions are rolled back) and removes temporary folders.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        let socket_dir = self.socket_dir().to_owned();
        let exit = self.server.stop().await;
        if exit != ServerExit::Status(0) {
            // The watchdog or the server was killed.
            orphans::stop_leftover(&self.data, &socket_dir, Signal::SIGINT).await?;
        }
        if let Some(folder) = &self.remove {
            data_dir::remove(folder).map_err(EmbeddedError::folder("remove", folder))?;
        }
        match exit {
            ServerExit::Status(0) => Ok(()),
            exit => Err(EmbeddedError::Unclean {
                status: exit.to_string(),
            }),
        }
    }

    async fn wait_until_ready(&self) -> Result<(), EmbeddedError> {
        let begun = Instant::now();
        let mut limit = FIRST_ANSWER;
        loop {
            if self.server.exit().is_some() {
                return Err(EmbeddedError::Exited { log: self.log_tail() });
            }
            let answer = match timeout(FIRST_ANSWER, self.options("postgres").connect()).await {
                Ok(Ok(connection)) => {
                    let _ = connection.close().await;
                    return Ok(());
                }
                Ok(Err(error)) => {
                    // cannot_connect_now: it is starting or recovering
                    if error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("57P03") {
                        limit = RECOVERY;
                    }
                    readable(error).to_string()
                }
                Err(_) => "it accepted the connection and sent nothing".to_owned(),
            };
            if begun.elapsed() > limit {
                return Err(EmbeddedError::NotReady {
                    seconds: limit.as_secs(),
                    answer,
                    log: self.log_tail(),
                });
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn log_tail(&self) -> String {
        std::fs::read(log_path(&self.home)).map_or_else(
            |_| "(no log)".to_owned(),
            |log| cluster::last_lines(&String::from_utf8_lossy(&log)),
        )
    }
}

/// The parts of a start that are checked before anything is written.
struct StartPlan {
    /// The absolute path of a persistent home.
    persistent: Option<PathBuf>,
    user: ServiceUser,
    binaries: PostgresBinaries,
}

async fn plan(options: &EmbeddedOptions) -> Result<StartPlan, EmbeddedError> {
    let persistent = match &options.home {
        ClusterHome::Persistent(path) => {
            Some(std::path::absolute(path).map_err(EmbeddedError::folder("look up", path))?)
        }
        ClusterHome::Temporary => None,
    };
    let data = persistent.as_ref().map(|path| path.join("data"));
    let user = ServiceUser::choose(persistent.as_deref().unwrap_or(Path::new("")), data.as_deref())?;
    let created_by = data.as_deref().and_then(cluster::major_version);
    let binaries = PostgresBinaries::find(options.bin_dir.as_deref(), created_by)?;
    user.require_executable(&binaries.postgres()).await?;
    if let Some(path) = &persistent {
        user.require_reachable(path).await?;
    }
    Ok(StartPlan {
        persistent,
        user,
        binaries,
    })
}

async fn temporary_dir(user: &ServiceUser) -> Result<OwnedDir, EmbeddedError> {
    orphans::sweep(Path::new(TEMPORARY_PARENT), user).await;
    OwnedDir::temporary(user)
}

fn log_path(home: &OwnedDir) -> PathBuf {
    home.path().join("postgres.log")
}

#[cfg(test)]
mod tests;
