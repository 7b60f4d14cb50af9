//! Creates the data folder of a private cluster, and knows the settings and the socket of its server.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::binaries::PostgresBinaries;
use super::data_dir;
use super::error::EmbeddedError;
use super::service_user::ServiceUser;

/// The cluster's superuser, and the only role in a new cluster.
pub const SUPERUSER: &str = "avinode";
/// Part of the socket's file name; the server does not listen on TCP.
pub const PORT: u16 = 5432;

/// `initdb` takes seconds on a slow disk; a longer run is a fault.
const INITDB_TIMEOUT: Duration = Duration::from_secs(120);
const UNFINISHED: &str = "data.unfinished-";

/// Durable, quiet, small. The server's log holds no statements, parameters or row values, because they are contents of
/// deliveries.
const SETTINGS: [(&str, &str); 17] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("shared_buffers", "64MB"),
    ("max_connections", "100"),
    ("jit", "off"), // our statements are short: compiling them costs more than it saves
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_min_messages", "warning"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("log_statement", "none"),
    ("log_min_duration_statement", "-1"),
    ("log_checkpoints", "off"),
    ("log_autovacuum_min_duration", "-1"),
];

/// Returns the major version that created the cluster in `data`, if there is a cluster.
pub fn major_version(data: &Path) -> Option<u32> {
    nth_line(&data.join("PG_VERSION"), 0)?.parse().ok()
}

/// Reads one line of a file that Postgres writes. `None`: not written yet, or empty.
pub(super) fn nth_line(path: &Path, index: usize) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().nth(index)?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

pub(super) fn socket_file(socket_dir: &Path) -> PathBuf {
    socket_dir.join(format!(".s.PGSQL.{PORT}"))
}

/// Returns the options to connect as the superuser.
pub(super) fn connect_options(socket_dir: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(PORT)
        .username(SUPERUSER)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

/// Creates the cluster `home/data` under another name and renames it, so that an interrupted run never looks complete.
/// Persistent clusters are synced to disk and have page checksums.
pub async fn create(
    binaries: &PostgresBinaries,
    user: &ServiceUser,
    home: &Path,
    persistent: bool,
) -> Result<(), EmbeddedError> {
    let data = home.join("data");
    // A name of its own each time: an `initdb` with a killed parent may still write to its folder.
    let unfinished = home.join(format!("{UNFINISHED}{:08x}", rand::random::<u32>()));
    let mut command = user.command(&binaries.initdb());
    command
        .args(["--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C"])
        .arg("--no-instructions")
        // The socket is in a folder that only its user and root can enter, so no password is needed there.
        .args(["--auth-local", "trust", "--auth-host", "reject"])
        .arg(if persistent { "--data-checksums" } else { "--no-sync" })
        .arg("--pgdata")
        .arg(&unfinished)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let failed = |output: String| EmbeddedError::InitDb {
        data: data.clone(),
        output,
    };
    let output = match tokio::time::timeout(INITDB_TIMEOUT, command.output()).await {
        Err(_) => {
            let timeout = INITDB_TIMEOUT.as_secs();
            return Err(failed(format!("initdb took longer than {timeout} s")));
        }
        Ok(Err(source)) => {
            return Err(EmbeddedError::Run {
                program: binaries.initdb(),
                source,
            });
        }
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        remove_unfinished(home);
        return Err(failed(error_output(&output)));
    }
    std::fs::rename(&unfinished, &data).map_err(EmbeddedError::folder("rename", unfinished))?;
    if persistent {
        File::open(home)
            .and_then(|home| home.sync_all())
            .map_err(EmbeddedError::folder("sync", home))?;
    }
    Ok(())
}

/// Returns the server's arguments. `extra` settings override ours, but none makes the server listen anywhere else.
pub fn arguments(data: &Path, socket_dir: &Path, extra: &[(String, String)]) -> Vec<OsString> {
    // The setting is a list, so a path with a comma must be quoted.
    let quoted_dir = format!("\"{}\"", socket_dir.to_string_lossy().replace('"', "\"\""));
    let fixed = [
        ("listen_addresses", ""),
        ("unix_socket_directories", quoted_dir.as_str()),
        ("unix_socket_permissions", "0700"),
    ];
    let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.into(), "-p".into(), PORT.to_string().into()];
    for (name, value) in SETTINGS.into_iter().chain(extra).chain(fixed) {
        arguments.push("-c".into());
        arguments.push(format!("{name}={value}").into());
    }
    arguments
}

/// Removes the folders of interrupted `initdb` runs. The caller must hold the lock on `home`.
pub fn remove_unfinished(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    {
        let path = entry.path();
        if let Err(error) = data_dir::remove(&path) {
            let folder = path.display();
            tracing::warn!(%folder, "failed to remove the unfinished cluster {folder}: {error}");
        }
    }
}

fn error_output(output: &Output) -> String {
    let text = if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    last_lines(&String::from_utf8_lossy(text))
}

/// Joins the last lines of a program's output to one line, for an error message.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "(nothing)".to_owned();
    }
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
