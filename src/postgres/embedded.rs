//! The embedded default: a private Postgres cluster from the programs on this machine, so that a first run needs no
//! database server, and yet runs the production code path.
//!
//! It listens on a socket in a folder that only its user and root can enter, and it ends with us: by [`EmbeddedPostgres::stop`],
//! by a drop, or by our death. What even that leaves, the next start ends (`reap`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tokio::time::{Instant, sleep, timeout};

use super::binaries::PostgresBinaries;
use super::cluster::{self, PORT, SUPERUSER};
use super::data_dir::{self, ClusterHome, OwnedDir, THROW_AWAY_PARENT};
use super::error::EmbeddedError;
use super::orphans;
use super::server_error::readable;
use super::service_user::ServiceUser;
use super::supervisor::{ServerExit, Supervisor};

/// How long a server may take until it answers at all.
const FIRST_ANSWER: Duration = Duration::from_secs(30);
/// How long it may take once it has said that it is recovering: a crash after heavy writing replays up to 1 GB of log.
const RECOVERY: Duration = Duration::from_secs(600);
/// A socket's path holds 103 bytes on macOS and 107 on Linux.
const LONGEST_SOCKET_PATH: usize = 103;

/// What a private cluster is made of.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The folder of `initdb` and `postgres`; None looks for them.
    pub bin_dir: Option<PathBuf>,
    /// Where the cluster is, and whether it outlives us.
    pub home: ClusterHome,
    /// Further Postgres settings, which win over our own.
    pub settings: Vec<(String, String)>,
}

/// A running private cluster.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: Supervisor,
    home: OwnedDir,
    data: PathBuf,
    /// Where the home's path is too long for a socket.
    socket_home: Option<OwnedDir>,
    remove: Option<PathBuf>,
}

impl EmbeddedPostgres {
    /// Refuses what [`EmbeddedPostgres::start`] would refuse before it writes anything; writes nothing itself.
    pub async fn verify(options: &EmbeddedOptions) -> Result<PostgresBinaries, EmbeddedError> {
        let plan = plan(options).await?;
        if let Some(home) = &plan.kept {
            data_dir::refuse_foreign(home)?;
        }
        Ok(plan.programs)
    }

    /// Makes the cluster where there is none, ends what a killed run left of it, starts it and waits until it answers.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let Plan {
            kept,
            account,
            programs,
        } = plan(&options).await?;
        let settings = options.settings;
        let mut home = match &kept {
            Some(path) => OwnedDir::kept(path, &account)?,
            None => throw_away_folder(&account).await?,
        };
        let data = home.path().join("data");
        if kept.is_some() && orphans::end_leftover(&data, home.path(), Signal::SIGINT).await? {
            tracing::info!(data = %data.display(), "ended the Postgres server that a killed run left");
        }
        cluster::remove_unfinished(home.path());
        if cluster::major_version(&data).is_none() {
            cluster::make(&programs, &account, home.path(), kept.is_some()).await?;
        }
        let fits = home.path().join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= LONGEST_SOCKET_PATH;
        let mut socket_home = if fits {
            None
        } else {
            Some(throw_away_folder(&account).await?)
        };
        let socket_dir = socket_home.as_ref().unwrap_or(&home).path();

        let log = log_path(&home);
        keep_previous_log(&log);
        let remove = if kept.is_none() {
            Some(home.path())
        } else {
            socket_home.as_ref().map(OwnedDir::path)
        };
        let remove = remove.map(Path::to_owned);
        let arguments = cluster::arguments(&data, socket_dir, &settings);
        let server = Supervisor::start(&account, &programs.postgres(), arguments, &log, remove.as_deref()).await?;
        // From here on the watchdog removes: we may be dead by then.
        home.leave();
        socket_home.iter_mut().for_each(OwnedDir::leave);
        let started = Self {
            server,
            home,
            data,
            socket_home,
            remove,
        };
        match started.ready().await {
            Ok(()) => Ok(started),
            Err(error) => {
                started.server.stop().await;
                Err(error)
            }
        }
    }

    /// How to reach a database of this cluster, as its superuser.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        options_at(self.socket_dir(), database)
    }

    /// The same as an address that `psql` and `DATABASE_URL` take.
    pub fn url(&self, database: &str) -> String {
        // No user before the host: an address with one may not leave the host out.
        format!(
            "postgres:///{}?host={}&port={PORT}&user={SUPERUSER}",
            percent_encoded(database),
            percent_encoded(&self.socket_dir().to_string_lossy())
        )
    }

    /// Creates a database where there is none of that name; returns whether it did.
    pub async fn create_database(&self, database: &str) -> Result<bool, EmbeddedError> {
        let failed = |source| EmbeddedError::CreateDatabase {
            database: database.to_owned(),
            source: readable(source),
        };
        let mut connection = self.options("postgres").connect().await.map_err(failed)?;
        let quoted = format!("CREATE DATABASE \"{}\"", database.replace('"', "\"\""));
        let created = match sqlx::raw_sql(sqlx::AssertSqlSafe(quoted))
            .execute(&mut connection)
            .await
        {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => false, // it exists
            Err(error) => return Err(failed(error)),
        };
        let _ = connection.close().await;
        Ok(created)
    }

    /// The folder of the socket: `psql -h` takes it.
    pub fn socket_dir(&self) -> &Path {
        self.socket_home.as_ref().unwrap_or(&self.home).path()
    }

    /// The cluster's data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The server's log, begun anew by each start; the one before is kept beside it.
    pub fn log_file(&self) -> PathBuf {
        log_path(&self.home)
    }

    /// The server's process id.
    pub fn postmaster_pid(&self) -> u32 {
        self.server.postmaster()
    }

    /// Waits until the server ends by itself, which it should not: a process that lives on it should end too.
    pub async fn ended(&self) -> ServerExit {
        self.server.end().await
    }

    /// Ends the server in order (open transactions are rolled back) and removes throw-away folders.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        let socket_dir = self.socket_dir().to_owned();
        let end = self.server.stop().await;
        if end != ServerExit::Status(0) {
            // The watchdog or the server was killed: see to the end ourselves.
            orphans::end_leftover(&self.data, &socket_dir, Signal::SIGINT).await?;
        }
        if let Some(folder) = &self.remove {
            data_dir::remove(folder).map_err(EmbeddedError::folder("remove", folder))?;
        }
        match end {
            ServerExit::Status(0) => Ok(()),
            end => Err(EmbeddedError::Unclean {
                status: end.to_string(),
            }),
        }
    }

    async fn ready(&self) -> Result<(), EmbeddedError> {
        let begun = Instant::now();
        let mut limit = FIRST_ANSWER;
        loop {
            if self.server.ended().is_some() {
                return Err(EmbeddedError::Exited {
                    log: log_tail(&self.log_file()),
                });
            }
            let answer = match timeout(FIRST_ANSWER, self.options("postgres").connect()).await {
                Ok(Ok(connection)) => {
                    let _ = connection.close().await;
                    return Ok(());
                }
                Ok(Err(error)) => {
                    // The server is recovering.
                    if error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("57P03") {
                        limit = RECOVERY;
                    }
                    readable(error).to_string()
                }
                Err(_) => "it took the connection and said nothing".to_owned(),
            };
            if begun.elapsed() > limit {
                let log = log_tail(&self.log_file());
                return Err(EmbeddedError::NotReady {
                    seconds: limit.as_secs(),
                    answer,
                    log,
                });
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The parts of a start that can be refused before anything is written.
struct Plan {
    kept: Option<PathBuf>,
    account: ServiceUser,
    programs: PostgresBinaries,
}

async fn plan(options: &EmbeddedOptions) -> Result<Plan, EmbeddedError> {
    let kept = match &options.home {
        ClusterHome::Kept(path) => Some(std::path::absolute(path).map_err(EmbeddedError::folder("look up", path))?),
        ClusterHome::ThrowAway => None,
    };
    let kept_data = kept.as_ref().map(|path| path.join("data"));
    let account = ServiceUser::choose(kept.as_deref().unwrap_or(Path::new("")), kept_data.as_deref())?;
    let made_by = kept_data.as_deref().and_then(cluster::major_version);
    let programs = PostgresBinaries::find(options.bin_dir.as_deref(), made_by)?;
    account.can_run(&programs.postgres()).await?;
    if let Some(path) = &kept {
        account.can_enter(path).await?;
    }
    Ok(Plan {
        kept,
        account,
        programs,
    })
}

/// How to reach a database of the private cluster whose socket is in this folder, as its superuser.
pub fn options_at(socket_dir: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(PORT)
        .username(SUPERUSER)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

async fn throw_away_folder(account: &ServiceUser) -> Result<OwnedDir, EmbeddedError> {
    orphans::sweep(Path::new(THROW_AWAY_PARENT), account).await;
    OwnedDir::throw_away(account)
}

fn log_path(home: &OwnedDir) -> PathBuf {
    home.path().join("postgres.log")
}

/// After a crash its reasons are in the log that this start would overwrite.
fn keep_previous_log(log: &Path) {
    let _ = std::fs::rename(log, log.with_extension("log.previous"));
}

fn log_tail(log: &Path) -> String {
    std::fs::read(log).map_or_else(
        |_| "(no log)".to_owned(),
        |log| cluster::one_line(&String::from_utf8_lossy(&log)),
    )
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
