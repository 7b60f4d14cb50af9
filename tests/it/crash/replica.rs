//! Copies a running cluster of a test's own, so that the copy starts as its standby.

use std::fs::{DirBuilder, File};
use std::path::{Path, PathBuf};

use avinode_ingest::postgres::binaries::PostgresBinaries;
use avinode_ingest::postgres::cluster::{PORT, SUPERUSER, major_version};
use avinode_ingest::postgres::data_dir::OWNER_FILE;
use avinode_ingest::postgres::embedded::EmbeddedPostgres;
use avinode_ingest::postgres::service_user::ServiceUser;

/// Makes a copy in this home, which `EmbeddedPostgres::start` takes for one of its own.
pub async fn copy(primary: &EmbeddedPostgres, home: PathBuf) {
    let binaries = PostgresBinaries::find(None, major_version(primary.data_dir())).unwrap();
    let user = ServiceUser::choose(&home, Some(primary.data_dir())).unwrap();
    let marker = home.join(OWNER_FILE);
    if !marker.exists() {
        DirBuilder::new().create(&home).unwrap();
        File::create(&marker).unwrap();
    }
    user.give(&home).unwrap();
    user.give(&marker).unwrap();
    let connection = format!(
        "host={} port={PORT} user={SUPERUSER}",
        Path::display(primary.socket_dir())
    );
    let copied = user
        .command(&binaries.program("pg_basebackup"))
        .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname"])
        .arg(&connection)
        .arg("--pgdata")
        .arg(home.join("data"))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&copied.stderr);
    assert!(copied.status.success(), "{said}");
}
