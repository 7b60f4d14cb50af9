//! A real PgBouncer in transaction mode before the tests' cluster, with so few connections to it that clients share them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use avinode_ingest::postgres::service_user::ServiceUser;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::cluster::Db;

/// Connections to the server, for all clients together.
pub const SERVER_CONNECTIONS: u32 = 2;

const PORT: u16 = 6432;

/// A running pooler; it ends with this process, however that ends.
pub struct Pooler {
    folder: TempDir,
    database: String,
    _running: Child,
}

impl Pooler {
    /// Starts one before the cluster of `db`; none where the program is missing, which is said.
    pub async fn start(db: &Db) -> Option<Self> {
        Self::before(&db.options).await
    }

    /// The same before another cluster.
    pub async fn before(server: &PgConnectOptions) -> Option<Self> {
        let Some(program) = program() else {
            // Not by the macro, whose lines are kept from sight where a test passes.
            let mut said = std::io::stderr();
            writeln!(
                said,
                "SKIPPED: PgBouncer is not on this machine (scripts/need-program pgbouncer brings it)"
            )
            .unwrap();
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("ingest-pooler-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        let account = ServiceUser::choose(folder.path(), None).unwrap();
        let configuration = folder.path().join("pgbouncer.ini");
        std::fs::write(
            &configuration,
            configured(server, folder.path(), &version(&program).await),
        )
        .unwrap();
        account.give(folder.path()).unwrap();
        // The shell ends it when the other end of its input is gone, which is when we are.
        let running = account
            .command(Path::new("/bin/sh"))
            .args(["-c", r#""$1" -q "$2" </dev/null & read -r _; kill "$!""#, "sh"])
            .args([&program, &configuration])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Self {
            database: server.get_database().unwrap().to_owned(),
            folder,
            _running: running,
        })
    }

    /// Its connection options.
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.folder.path())
            .port(PORT)
            .username("avinode")
            .database(&self.database)
            .extra_float_digits(None)
    }

    /// Its address, as `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        let (database, folder) = (&self.database, self.folder.path().display());
        format!("postgres:///{database}?host={folder}&port={PORT}&user=avinode")
    }
}

/// The places in which scripts/need-program looks as well. Debian keeps it in sbin, which an ordinary user's PATH may lack.
const FOLDERS: [&str; 5] = [
    "/usr/sbin",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
];

fn program() -> Option<PathBuf> {
    let mut programs = FOLDERS.iter().map(|folder| Path::new(folder).join("pgbouncer"));
    programs.find(|program| program.exists())
}

async fn version(program: &Path) -> Vec<u32> {
    let said = Command::new(program).arg("--version").output().await.unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    let number = said.split_whitespace().nth(1).unwrap();
    number.split('.').map(|part| part.parse().unwrap()).collect()
}

fn configured(server: &PgConnectOptions, folder: &Path, version: &[u32]) -> String {
    let (port, folder) = (server.get_port(), folder.display());
    let server = server.get_socket().unwrap().display();
    // Newer ones keep track of named statements, unless they are configured not to; older ones do not know the setting.
    let track = if *version >= [1, 21][..] {
        "max_prepared_statements = 0"
    } else {
        ""
    };
    format!(
        "[databases]\n* = host={server} port={port} user=avinode\n\
         [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {folder}\nlogfile = {folder}/log\n\
         auth_type = any\npool_mode = transaction\ndefault_pool_size = {SERVER_CONNECTIONS}\n\
         max_db_connections = {SERVER_CONNECTIONS}\n{track}\n"
    )
}
