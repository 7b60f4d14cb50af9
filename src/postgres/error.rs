//! Why the private cluster could not be started or stopped: each in one line, naming the attempt and, where the operator
//! can do something about it, the remedy.

use std::io;
use std::path::PathBuf;

use super::binaries::ProgramsError;

/// What went wrong with the private cluster.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable programs.
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    /// Postgres refuses root, and there is nobody else.
    #[error(
        "Postgres refuses to run as root, and neither the user `postgres` nor `nobody` exists: run as another user"
    )]
    NoAccount,
    /// The kept cluster is another user's.
    #[error("the cluster in {} belongs to the user id {uid}: run as that user, or set INGEST_DATA_DIR to another folder", .path.display())]
    BelongsToOther {
        /// The home.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// The user that runs the cluster cannot get to the home.
    #[error(
        "the database is run by the user `{user}`, because Postgres refuses root, and that user cannot enter {}: set \
         INGEST_DATA_DIR to a folder that it can reach, such as /var/lib/avinode-ingest",
        .path.display()
    )]
    Unreachable {
        /// The user that runs the cluster.
        user: String,
        /// The outermost folder that it cannot enter.
        path: PathBuf,
    },
    /// The user that runs the cluster cannot run the server.
    #[error(
        "the database is run by the user `{user}`, because Postgres refuses root, and that user cannot use {}: set \
         INGEST_POSTGRES_BIN to programs that it can run",
        .path.display()
    )]
    ProgramsUnreachable {
        /// The user that runs the cluster.
        user: String,
        /// The outermost folder, or the program, that it cannot use.
        path: PathBuf,
    },
    /// A folder or file of the cluster.
    #[error("could not {attempt} {}: {source}", .path.display())]
    Folder {
        /// A verb, as in "could not create".
        attempt: &'static str,
        /// What it was attempted on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The home holds somebody else's files.
    #[error("{} is not empty and was not made by this program: set INGEST_DATA_DIR to an empty or a new folder", .0.display())]
    NotOurs(PathBuf),
    /// Another living process has this home.
    #[error("the cluster in {} is already in use by process {pid}", .path.display())]
    InUse {
        /// The home.
        path: PathBuf,
        /// The process that holds it, as it noted itself ("unknown" if that note cannot be read).
        pid: String,
    },
    /// A server that a killed process left does not end.
    #[error("the Postgres server that was left running in {} (process {pid}) does not end: stop it by hand", .data.display())]
    Leftover {
        /// The data folder.
        data: PathBuf,
        /// One of its processes.
        pid: u32,
    },
    /// A program could not be run at all.
    #[error("could not run {}: {source}", .program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// `initdb` failed or took too long.
    #[error("could not make the cluster in {}: {said}", .data.display())]
    InitDb {
        /// The data folder to be.
        data: PathBuf,
        /// The last lines that `initdb` said.
        said: String,
    },
    /// The shell that watches the server failed before the server ran.
    #[error("could not start the Postgres server: {said}")]
    Watchdog {
        /// What the shell said.
        said: String,
    },
    /// The server ended before it was ready.
    #[error("the Postgres server ended before it was ready; its log ends: {log}")]
    Exited {
        /// The last lines of the log.
        log: String,
    },
    /// The server runs and does not answer.
    #[error("the Postgres server did not answer within {seconds} s ({answer}); its log ends: {log}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The last attempt's result.
        answer: String,
        /// The last lines of the log.
        log: String,
    },
    /// The server did not end as asked.
    #[error("the Postgres server did not stop cleanly (status {status}); it recovers at its next start")]
    Unclean {
        /// Its exit status, or "unknown".
        status: String,
    },
    /// A statement on the fresh server.
    #[error("could not create the database `{database}`: {source}")]
    CreateDatabase {
        /// Its name.
        database: String,
        /// The server's answer.
        source: sqlx::Error,
    },
}

impl EmbeddedError {
    /// For `map_err`: turns the system's answer to an attempt on a path into the error that names both.
    pub fn folder(attempt: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { attempt, path, source }
    }
}
