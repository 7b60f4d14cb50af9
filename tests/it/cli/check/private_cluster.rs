//! A private Postgres that does not run.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use avinode_ingest::postgres::data_dir::ClusterHome;
use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};

use crate::support::check_command::check;

/// Every path below a directory, with what a write would change.
fn listing(directory: &Path) -> Vec<(PathBuf, u64, i64, i64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let data = entry.metadata().unwrap();
        found.push((entry.path(), data.size(), data.mtime(), data.mtime_nsec()));
        if data.is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn check_writes_nothing_where_the_private_postgres_is_missing_or_not_running() {
    let parent = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    // Another user runs the database of root, and has to enter the directory.
    std::fs::set_permissions(parent.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let home = parent.path().join("home");
    let checked = async || {
        let before = listing(parent.path());
        let output = check(&[("INGEST_DATA_DIR", home.to_str().unwrap())]).await;
        assert_eq!(listing(parent.path()), before, "{}", output.text);
        output
    };

    let output = checked().await;
    assert_eq!(output.code, Some(0), "{}", output.text);
    for check in ["settings", "secrets", "port", "programs", "database", "schema"] {
        assert_eq!(output.status(check), "ok", "{check}: {}", output.text);
    }
    let (_, message) = output.of("database");
    let expected = format!("serve will create a private Postgres in {}", home.display());
    assert!(message.contains(&expected), "{message}");
    assert!(!home.exists());

    let start = || {
        EmbeddedPostgres::start(EmbeddedOptions {
            bin_dir: None,
            home: ClusterHome::Persistent(home.clone()),
            settings: Vec::new(),
        })
    };
    let postgres = start().await.unwrap();
    postgres.create_database("avinode_ingest").await.unwrap();
    let running = check(&[("INGEST_DATA_DIR", home.to_str().unwrap())]).await;
    assert_eq!(running.code, Some(0), "{}", running.text);
    assert!(
        running.of("database").1.contains("of the running service"),
        "{}",
        running.text
    );
    assert!(
        running.of("schema").1.contains("serve will migrate it"),
        "{}",
        running.text
    );
    assert_eq!(running.status("durability"), "ok", "{}", running.text);
    postgres.stop().await.unwrap();

    let output = checked().await;
    assert_eq!(output.code, Some(0), "{}", output.text);
    assert!(output.of("database").1.contains("is not running"), "{}", output.text);
    assert_eq!(output.status("schema"), "warning", "{}", output.text);

    std::fs::remove_dir_all(&home).unwrap();
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("a file of another program"), "").unwrap();
    let output = checked().await;
    assert_eq!(
        (output.code, output.status("database").as_str()),
        (Some(69), "failed"),
        "{}",
        output.text
    );
}
