//! Errors of the private cluster. Each is one line that names the attempt and, where an admin can help, the remedy.

use std::io;
use std::path::PathBuf;

use super::binaries::BinariesError;

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    #[error(
        "Postgres refuses to run as root, and neither the user `postgres` nor `nobody` exists: run as another user"
    )]
    NoUnprivilegedUser,
    #[error("the cluster in {} belongs to the user id {uid}: run as that user, or set INGEST_DATA_DIR to another folder", .path.display())]
    OwnedByOtherUser { path: PathBuf, uid: u32 },
    #[error(
        "the database is run by the user `{user}`, because Postgres refuses root, and that user cannot enter {}: set \
         INGEST_DATA_DIR to a folder that it can reach, such as /var/lib/avinode-ingest",
        .path.display()
    )]
    HomeUnreachable {
        user: String,
        /// The outermost folder that the user cannot enter.
        path: PathBuf,
    },
    #[error(
        "the database is run by the user `{user}`, because Postgres refuses root, and that user cannot use {}: set \
         INGEST_POSTGRES_BIN to programs that it can run",
        .path.display()
    )]
    BinariesUnreachable {
        user: String,
        /// The outermost folder that the user cannot enter, or the program that it cannot run.
        path: PathBuf,
    },
    #[error("could not {attempt} {}: {source}", .path.display())]
    Folder {
        /// The verb after "could not".
        attempt: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} is not empty and was not created by this program: set INGEST_DATA_DIR to an empty or a new folder", .0.display())]
    NotOurs(PathBuf),
    #[error("the cluster in {} is already in use by process {pid}", .path.display())]
    InUse {
        path: PathBuf,
        /// The process id in the owner file, or "unknown".
        pid: String,
    },
    #[error("the Postgres server that was left running in {} (process {pid}) does not stop: stop it by hand", .data.display())]
    Leftover { data: PathBuf, pid: u32 },
    #[error("could not run {}: {source}", .program.display())]
    Run { program: PathBuf, source: io::Error },
    #[error("could not create the cluster in {}: {output}", .data.display())]
    InitDb { data: PathBuf, output: String },
    /// The watchdog's shell failed before it started the server.
    #[error("could not start the Postgres server: {output}")]
    Watchdog { output: String },
    #[error("the Postgres server exited before it was ready; its log ends: {log}")]
    Exited { log: String },
    #[error("the Postgres server did not answer within {seconds} s ({answer}); its log ends: {log}")]
    NotReady {
        seconds: u64,
        /// The result of the last connection attempt.
        answer: String,
        log: String,
    },
    #[error("the Postgres server did not stop cleanly (status {status}); it recovers at its next start")]
    Unclean { status: String },
    #[error("could not create the database `{database}`: {source}")]
    CreateDatabase { database: String, source: sqlx::Error },
}

impl EmbeddedError {
    /// For `map_err`: adds the attempt and the path to an I/O error.
    pub fn folder(attempt: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { attempt, path, source }
    }
}
