//! Reaching a private cluster that another process runs, so that an operator can look while the service works.

use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

use super::embedded;

/// How to reach `database` of the cluster whose home is `home`; None where no server runs in it.
///
/// The server ends with the process that owns it, whoever else is connected: for a look, not for a service.
pub fn running(home: &Path, database: &str) -> Option<PgConnectOptions> {
    let pid_file = std::fs::read_to_string(home.join("data/postmaster.pid")).ok()?;
    let socket_dir = socket_dir(&pid_file)?;
    Some(embedded::options_at(&socket_dir, database))
}

/// The fifth line of `postmaster.pid` is the socket's folder; the server writes the file line by line as it starts.
fn socket_dir(pid_file: &str) -> Option<PathBuf> {
    let line = pid_file.lines().nth(4)?.trim();
    (!line.is_empty()).then(|| PathBuf::from(line))
}

#[cfg(test)]
mod tests;
