//! A disk without room for another page of a table.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::AssertSqlSafe;

use super::RECOVERY;
use super::ready::check;
use crate::crash::durable::{Durable, open_folder};
use crate::crash::load::{self, Load};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::eventually::{at_least, equal, eventually};

/// A small file system, until it is dropped.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` without the right to mount one.
    fn mount() -> Option<Self> {
        let folder = open_folder();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs"])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self { folder })
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    /// Writes a file until there is no room.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still have its files open.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// Moves the deliveries there.
async fn keep_deliveries_on(postgres: &Durable, folder: &Path) {
    let (owner, home) = (folder.join("deliveries"), postgres.home());
    std::fs::create_dir(&owner).unwrap();
    let user = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(home).unwrap());
    std::os::unix::fs::chown(&owner, Some(user), None).unwrap();
    let create = format!("CREATE TABLESPACE small LOCATION '{}'", owner.display());
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&postgres.pool)
        .await
        .unwrap();
    let partitions: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER TABLE %s SET TABLESPACE small', relid::regclass)
         FROM pg_partition_tree('avinode_ingest.deliveries') WHERE isleaf",
    )
    .fetch_all(&postgres.pool)
    .await
    .unwrap();
    for statement in partitions {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&postgres.pool)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_loses_nothing_and_work_goes_on_when_there_is_room() {
    const EVENTS: usize = 3_000;
    const SENDERS: usize = 8;
    let Some(disk) = SmallDisk::mount() else {
        println!("not tried: this user may not mount a file system");
        return;
    };
    let postgres = Durable::new().await;
    keep_deliveries_on(&postgres, disk.folder.path()).await;
    let sessions = load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    load.reach(50).await;
    disk.fill();
    eventually(PATIENCE, "the cause is named", async || {
        equal(check(&service, "receiving").await, (503, "disk full".to_owned()))
    })
    .await;
    eventually(PATIENCE, "senders get 503", async || {
        at_least(load.answers(503), 4 * SENDERS)
    })
    .await;
    assert!(service.program.said().contains("No space left on device"));
    let kept = load.acknowledged();
    assert!(kept < EVENTS);
    disk.free();
    eventually(RECOVERY, "deliveries are kept again", async || {
        at_least(load.acknowledged(), EVENTS.min(kept + 2 * SENDERS))
    })
    .await;
    load.check(&postgres.pool).await;
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
}
