//! Connects to a private cluster that another process runs, so that a command can look while the service works.

use std::os::unix::net::UnixStream;
use std::path::Path;

use sqlx::postgres::PgConnectOptions;

use super::cluster::{connect_options, nth_line, socket_file};

/// Returns the options to connect to `database` of the cluster in `home`, if a server runs there.
///
/// The server stops with the process that owns it, even while others are connected: enough for a look, not for a service.
pub fn running(home: &Path, database: &str) -> Option<PgConnectOptions> {
    // The server writes this file line by line as it starts; the fifth line is the folder of its socket.
    let socket_dir = nth_line(&home.join("data/postmaster.pid"), 4)?;
    let socket_dir = Path::new(&socket_dir);
    // A killed server leaves the file behind. The socket decides, because process ids mean nothing across containers.
    UnixStream::connect(socket_file(socket_dir)).ok()?;
    Some(connect_options(socket_dir, database))
}

#[cfg(test)]
mod tests;
