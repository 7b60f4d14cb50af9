//! Reaching a private cluster that another process runs, so that an operator can look while the service works.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

use super::cluster::PORT;
use super::embedded;

/// How to reach `database` of the cluster whose home is `home`; None where no server runs in it.
///
/// The server ends with the process that owns it, whoever else is connected: for a look, not for a service.
pub fn running(home: &Path, database: &str) -> Option<PgConnectOptions> {
    let pid_file = std::fs::read_to_string(home.join("data/postmaster.pid")).ok()?;
    let socket_dir = socket_dir(&pid_file)?;
    // A killed server leaves the file behind. Asked of the socket, because process ids mean nothing across containers.
    UnixStream::connect(socket_dir.join(format!(".s.PGSQL.{PORT}"))).ok()?;
    Some(embedded::options_at(&socket_dir, database))
}

/// The fifth line of `postmaster.pid` is the socket's folder; the server writes the file line by line as it starts.
fn socket_dir(pid_file: &str) -> Option<PathBuf> {
    let line = pid_file.lines().nth(4)?.trim();
    (!line.is_empty()).then(|| PathBuf::from(line))
}

#[cfg(test)]
mod tests;
