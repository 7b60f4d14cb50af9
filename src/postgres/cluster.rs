//! Makes a cluster's data folder and says with which settings its server runs.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use super::binaries::PostgresBinaries;
use super::error::EmbeddedError;
use super::service_user::ServiceUser;

/// The cluster's superuser, and the only role that it begins with.
pub const SUPERUSER: &str = "avinode";
/// Names the socket's file; nothing listens on TCP.
pub const PORT: u16 = 5432;

/// A slow disk's `initdb` takes seconds; more than this is a fault.
const INITDB_LIMIT: Duration = Duration::from_secs(120);
const UNFINISHED: &str = "data.unfinished-";

/// Durable, quiet, small. The log holds no statements, parameters or row values: they are deliveries' contents.
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

/// The major version that made the cluster in `data`; None where there is no cluster yet.
pub fn major_version(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Makes the cluster `home/data` under another name and renames it, so that one cut short is never taken for whole.
/// `kept` clusters are synced and have page checksums.
pub async fn make(
    programs: &PostgresBinaries,
    account: &ServiceUser,
    home: &Path,
    kept: bool,
) -> Result<(), EmbeddedError> {
    let data = home.join("data");
    // Never the same name twice: an `initdb` whose caller was killed may still be writing to its own.
    let unfinished = home.join(format!("{UNFINISHED}{:08x}", rand::random::<u32>()));
    let mut command = account.command(&programs.initdb());
    command.args([
        "--username",
        SUPERUSER,
        "--encoding",
        "UTF8",
        "--locale",
        "C",
        "--no-instructions",
    ]);
    // Trust is for whoever reaches the socket, in a folder that only its user and root can enter.
    command.args(["--auth-local", "trust", "--auth-host", "reject"]);
    command.arg(if kept { "--data-checksums" } else { "--no-sync" });
    command
        .arg("--pgdata")
        .arg(&unfinished)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let failed = |said: String| EmbeddedError::InitDb {
        data: data.clone(),
        said,
    };
    let output = match tokio::time::timeout(INITDB_LIMIT, command.output()).await {
        Err(_) => return Err(failed(format!("initdb took longer than {} s", INITDB_LIMIT.as_secs()))),
        Ok(Err(source)) => {
            return Err(EmbeddedError::Run {
                program: programs.initdb(),
                source,
            });
        }
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        remove_unfinished(home);
        return Err(failed(last_words(&output)));
    }
    std::fs::rename(&unfinished, &data).map_err(EmbeddedError::folder("rename", unfinished))?;
    if kept {
        File::open(home)
            .and_then(|home| home.sync_all())
            .map_err(EmbeddedError::folder("sync", home))?;
    }
    Ok(())
}

/// The server's arguments. `extra` settings win over ours, but nothing makes the server listen elsewhere.
pub fn arguments(data: &Path, socket_dir: &Path, extra: &[(String, String)]) -> Vec<OsString> {
    let quoted_dir = format!("\"{}\"", socket_dir.to_string_lossy().replace('"', "\"\""));
    let place = [
        ("listen_addresses", ""),
        ("unix_socket_directories", quoted_dir.as_str()), // a list: a comma in the path must be quoted
        ("unix_socket_permissions", "0700"),
    ];
    let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.into(), "-p".into(), PORT.to_string().into()];
    for (name, value) in SETTINGS.into_iter().chain(extra).chain(place) {
        arguments.push("-c".into());
        arguments.push(format!("{name}={value}").into());
    }
    arguments
}

/// Removes what an `initdb` cut short left. Call it only while holding the home's claim.
pub fn remove_unfinished(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    {
        if let Err(error) = super::data_dir::remove(&entry.path()) {
            tracing::warn!(folder = %entry.path().display(), %error, "could not remove an unfinished cluster");
        }
    }
}

fn last_words(output: &Output) -> String {
    let said = if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    one_line(&String::from_utf8_lossy(said))
}

/// The last lines of a program's output, as one line that an error can hold.
pub fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "(nothing)".to_owned();
    }
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
