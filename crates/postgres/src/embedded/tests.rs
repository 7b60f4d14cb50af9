//! The private cluster is started, killed and started again. These tests pass as root and as an ordinary user.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::str::FromStr;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use sqlx::PgConnection;

use super::*;

fn temporary() -> EmbeddedOptions {
    EmbeddedOptions::default()
}

fn persistent(path: &Path) -> EmbeddedOptions {
    EmbeddedOptions {
        home: ClusterHome::Persistent(path.to_owned()),
        ..EmbeddedOptions::default()
    }
}

fn kill_9(pid: u32) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
}

/// A folder that another user can enter.
fn open_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir_in("/tmp")
        .unwrap()
}

async fn connect(postgres: &EmbeddedPostgres) -> PgConnection {
    postgres.options("postgres").connect().await.unwrap()
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 30 s: {what}");
}

#[tokio::test]
async fn a_temporary_cluster_is_private_and_durable_and_leaves_nothing() {
    let postgres = EmbeddedPostgres::start(temporary()).await.unwrap();
    let folder = postgres.socket_dir().to_owned();
    assert!(postgres.create_database("quo\"tes ü").await.unwrap());
    assert!(!postgres.create_database("quo\"tes ü").await.unwrap());
    let options = PgConnectOptions::from_str(&postgres.url("quo\"tes ü")).unwrap();
    let mut connection = options.connect().await.unwrap();
    let settings: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, setting FROM pg_settings WHERE name IN
         ('fsync', 'full_page_writes', 'listen_addresses', 'server_encoding', 'synchronous_commit', 'TimeZone') ORDER BY lower(name)",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let values: Vec<_> = settings.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["on", "on", "", "UTF8", "on", "UTC"]);
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    connection.close().await.unwrap();
    postgres.stop().await.unwrap();
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_dropped_cluster_stops_in_the_background() {
    let postgres = EmbeddedPostgres::start(temporary()).await.unwrap();
    let folder = postgres.socket_dir().to_owned();
    drop(postgres);
    eventually("the folder is removed", || !folder.exists()).await;
}

#[tokio::test]
async fn a_persistent_home_has_one_owner_and_keeps_its_data_when_the_server_is_killed() {
    let parent = open_folder();
    let home = parent.path().join("new/home");
    let postgres = EmbeddedPostgres::start(persistent(&home)).await.unwrap();
    let second = EmbeddedPostgres::start(persistent(&home))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        second.contains(&format!("already in use by process {}", std::process::id())),
        "{second}"
    );

    let mut connection = connect(&postgres).await;
    sqlx::raw_sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        .execute(&mut connection)
        .await
        .unwrap();
    kill_9(postgres.postmaster_pid());
    assert_eq!(postgres.ended().await, ServerExit::Status(137));
    assert!(matches!(postgres.stop().await, Err(EmbeddedError::Unclean { .. })));

    std::fs::create_dir(home.join("data.unfinished-1")).unwrap(); // as an interrupted `initdb` leaves it
    let postgres = EmbeddedPostgres::start(persistent(&home)).await.unwrap();
    let n: i32 = sqlx::query_scalar("SELECT n FROM kept")
        .fetch_one(&mut connect(&postgres).await)
        .await
        .unwrap();
    assert_eq!(n, 7);
    postgres.stop().await.unwrap();
    assert!(home.join("data/PG_VERSION").exists() && !home.join("data.unfinished-1").exists());
}

#[tokio::test]
async fn a_server_that_lost_its_owner_and_its_watchdog_is_stopped_by_the_next_start() {
    let parent = open_folder();
    let home = parent.path().join("home");
    let mut owner = start_owner(&home).await;
    kill_both(&mut owner);
    let left = orphans::recorded_pid(&home.join("data")).unwrap();
    assert!(
        orphans::processes_of(&home.join("data")).contains(&left),
        "the server should have outlived both"
    );
    let postgres = EmbeddedPostgres::start(persistent(&home)).await.unwrap();
    assert_ne!(postgres.postmaster_pid(), left);
    connect(&postgres).await;
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_temporary_cluster_without_an_owner_stops_and_one_without_a_watchdog_too_is_swept() {
    let living = EmbeddedPostgres::start(temporary()).await.unwrap();
    let mut watched = start_owner(Path::new("")).await;
    watched.child.kill().unwrap();
    watched.child.wait().unwrap();
    eventually("the watchdog removed the folder", || !watched.folder.exists()).await;

    let mut unwatched = start_owner(Path::new("")).await;
    kill_both(&mut unwatched);
    assert!(unwatched.folder.exists());
    let next = EmbeddedPostgres::start(temporary()).await.unwrap();
    // Another test's start may be sweeping it now.
    eventually("the folder is swept", || !unwatched.folder.exists()).await;
    connect(&living).await; // its owner lives, so it was not removed
    next.stop().await.unwrap();
    living.stop().await.unwrap();
}

#[tokio::test]
async fn a_home_with_a_path_too_long_for_a_socket_gets_a_socket_folder() {
    let parent = open_folder();
    let home = parent.path().join("x".repeat(120)).join("with, comma");
    let postgres = EmbeddedPostgres::start(persistent(&home)).await.unwrap();
    let socket_dir = postgres.socket_dir().to_owned();
    assert!(socket_dir.starts_with(TEMPORARY_PARENT) && !socket_dir.starts_with(&home));
    connect(&postgres).await;
    postgres.stop().await.unwrap();
    assert!(home.exists() && !socket_dir.exists());
}

#[tokio::test]
async fn errors_name_the_cause() {
    let parent = open_folder();
    std::fs::write(parent.path().join("another file"), "").unwrap();
    let refused = EmbeddedPostgres::start(persistent(parent.path())).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::NotOurs(_)), "{refused}");

    let mut options = temporary();
    options.settings = vec![("shared_buffers".into(), "nonsense".into())];
    let refused = EmbeddedPostgres::start(options).await.unwrap_err().to_string();
    assert!(
        refused.contains("exited before it was ready") && refused.contains("shared_buffers"),
        "{refused}"
    );

    let old = parent.path().join("old");
    std::fs::create_dir_all(old.join("data")).unwrap();
    std::fs::write(old.join("data/PG_VERSION"), "99\n").unwrap();
    let refused = EmbeddedPostgres::start(persistent(&old)).await.unwrap_err();
    assert!(refused.to_string().contains("Postgres 99"), "{refused}");

    if nix::unistd::geteuid().is_root() {
        let closed = tempfile::tempdir_in("/tmp").unwrap(); // 0700, root's
        std::fs::set_permissions(closed.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let refused = EmbeddedPostgres::start(persistent(&closed.path().join("a/b")))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(&format!("cannot enter {}:", closed.path().display())),
            "{refused}"
        );
        assert!(
            !closed.path().join("a").exists(),
            "it created a folder before it refused"
        );
    }
}

/// This test program again, as a process that owns a cluster.
struct Owner {
    child: std::process::Child,
    folder: PathBuf,
    watchdog: u32,
}

async fn start_owner(home: &Path) -> Owner {
    let name = "embedded::tests::owner";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    write_line(&mut child, home);
    let output = child.stdout.take().unwrap();
    let line = tokio::task::spawn_blocking(|| {
        BufReader::new(output)
            .lines()
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("owner: ")?.1.to_owned()))
    });
    let line = line.await.unwrap().expect("the owner started its cluster");
    let (watchdog, folder) = line.split_once(' ').unwrap();
    Owner {
        child,
        folder: folder.into(),
        watchdog: watchdog.parse().unwrap(),
    }
}

fn write_line(child: &mut std::process::Child, home: &Path) {
    use std::io::Write;
    writeln!(child.stdin.as_mut().unwrap(), "{}", home.display()).unwrap();
}

/// Kills the watchdog's two shells, then their owner: nothing is left to stop the server.
fn kill_both(owner: &mut Owner) {
    let children = format!("/proc/{0}/task/{0}/children", owner.watchdog);
    let children = std::fs::read_to_string(children).unwrap();
    for child in children.split_whitespace() {
        if std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap().trim() == "sh" {
            kill_9(child.parse().unwrap());
        }
    }
    kill_9(owner.watchdog);
    owner.child.kill().unwrap();
    owner.child.wait().unwrap();
}

#[tokio::test]
#[ignore = "other tests run it as a process that they kill"]
async fn owner() {
    let Some(Ok(home)) = std::io::stdin().lines().next() else {
        return;
    };
    let options = if home.is_empty() {
        temporary()
    } else {
        persistent(Path::new(&home))
    };
    let postgres = EmbeddedPostgres::start(options).await.unwrap();
    println!(
        "owner: {} {}",
        postgres.server.watchdog_pid().unwrap(),
        postgres.socket_dir().display()
    );
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await; // until killed, or the test ends
}
