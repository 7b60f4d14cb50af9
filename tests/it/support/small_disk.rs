//! A disk without room, for the deliveries.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use sqlx::AssertSqlSafe;

use crate::crash::durable::{Durable, open_folder};

/// A small file system, until it is dropped.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` without the right to mount one.
    pub fn mount(mebibytes: u32) -> Option<Self> {
        let folder = open_folder();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "tmpfs", "-o"])
            .arg(format!("size={mebibytes}m,mode=0777"))
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self { folder })
    }

    /// Moves the deliveries of a cluster there.
    pub async fn keep_deliveries(&self, postgres: &Durable) {
        let (owner, home) = (self.folder.path().join("deliveries"), postgres.home());
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

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    /// Writes a file until there is no room.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for size in [1 << 20, 1 << 12] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still have its files open.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
