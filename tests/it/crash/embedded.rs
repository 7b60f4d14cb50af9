//! `serve` on its own private cluster: what was acknowledged is there after a restart, however the process ended.

use std::path::Path;
use std::str::FromStr;

use avinode_ingest::postgres::orphans::processes_of;
use nix::sys::signal::Signal;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use super::durable::open_folder;
use super::load::{body, client, post};
use super::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::eventually::eventually;
use crate::support::pool::Pool;
use crate::support::service::SECRET;

/// The deliveries of a private cluster that runs in this folder.
async fn deliveries(home: &Path) -> Pool {
    let url = format!(
        "postgres:///avinode_ingest?host={}&port=5432&user=avinode",
        home.display()
    );
    Pool::new(PgConnectOptions::from_str(&url).unwrap(), 2)
}

/// Sends the event of this number, expects 200, and returns the delivery.
async fn deliver(service: &Serve, number: usize) -> Uuid {
    let (status, answer, _) = post(&client(&service.address), &service.address, body(number))
        .await
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["delivery"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_deliveries_survive_a_graceful_shutdown_and_a_kill() {
    let folder = open_folder();
    let home = folder.path().join("home");
    let settings = [("INGEST_DATA_DIR", home.to_str().unwrap())];
    let mut acknowledged = Vec::new();

    let service = Serve::start(&settings).await;
    service.ready().await;
    acknowledged.push(deliver(&service, 0).await);
    service.stop(Signal::SIGTERM, PATIENCE).await;
    assert_eq!(processes_of(&home.join("data")), Vec::<u32>::new());

    let service = Serve::start(&settings).await;
    acknowledged.push(deliver(&service, 1).await);
    service.program.kill().await;

    // At once: its Postgres may still be running, or be on its way to its end.
    let mut service = Serve::start(&settings).await;
    acknowledged.push(deliver(&service, 2).await);
    // Killed with its Postgres, which has to recover.
    service.program.signal(Signal::SIGKILL);
    for pid in processes_of(&home.join("data")) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
        let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
    }
    service.program.ended(PATIENCE).await;

    let service = Serve::start(&settings).await;
    acknowledged.push(deliver(&service, 3).await);
    let pool = deliveries(&home).await;
    let found: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries ORDER BY received_at")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(found, acknowledged);
    pool.close().await;
    service.stop(Signal::SIGINT, PATIENCE).await;
    assert_eq!(processes_of(&home.join("data")), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_on_the_same_folder_is_refused_and_does_not_harm_the_first() {
    let folder = open_folder();
    let home = folder.path().join("home");
    let home = home.to_str().unwrap();
    let service = Serve::start(&[("INGEST_DATA_DIR", home)]).await;
    let variables = [("INGEST_DATA_DIR", home), ("AVINODE_WEBHOOK_SECRET", SECRET)];
    let mut second = Program::start("serve --listen 127.0.0.1:0", &variables);
    let status = second.ended(PATIENCE).await;
    let said = second.line("error: ").await;
    assert_eq!(status.code(), Some(69), "{said}");
    assert!(
        said.contains(home) && said.contains("already in use by process"),
        "{said}"
    );
    deliver(&service, 0).await;
    assert_eq!(service.get("/readyz").await, Some(200));
    service.stop(Signal::SIGTERM, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_ends_with_an_error_when_its_private_postgres_is_gone() {
    let folder = open_folder();
    let home = folder.path().join("home");
    let mut service = Serve::start(&[("INGEST_DATA_DIR", home.to_str().unwrap())]).await;
    service.ready().await;
    let postmaster = avinode_ingest::postgres::orphans::recorded_pid(&home.join("data")).unwrap();
    let postmaster = nix::unistd::Pid::from_raw(i32::try_from(postmaster).unwrap());
    nix::sys::signal::kill(postmaster, Signal::SIGKILL).unwrap();
    // A supervisor starts it again, and that start recovers.
    let status = service.program.ended(PATIENCE).await;
    assert_eq!(status.code(), Some(1), "{}", service.program.said());
    service
        .program
        .line("error: the private Postgres ended unexpectedly")
        .await;
    eventually(PATIENCE, "no process of the cluster is left", async || {
        processes_of(&home.join("data")).is_empty()
    })
    .await;
}

/// The processes that this one started, and those that they started.
#[cfg(target_os = "linux")]
fn descendants(of: nix::unistd::Pid) -> Vec<i32> {
    let mut found = vec![of.as_raw()];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        let tasks = std::fs::read_dir(format!("/proc/{parent}/task"))
            .into_iter()
            .flatten()
            .flatten();
        let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let children = children.collect::<String>();
        found.extend(children.split_whitespace().map(|pid| pid.parse::<i32>().unwrap()));
        next += 1;
    }
    found.split_off(1)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_private_postgres_has_no_secret_in_its_environment() {
    let folder = open_folder();
    let home = folder.path().join("home");
    let service = Serve::start(&[
        ("INGEST_DATA_DIR", home.to_str().unwrap()),
        ("INGEST_API_TOKENS", "ops:read:a-token-that-only-this-test-knows"),
    ])
    .await;
    service.ready().await;
    let children = descendants(service.program.pid());
    // The watchdog's two shells, the server and its backends.
    assert!(children.len() > 5, "{children:?}");
    for child in children {
        // A backend may have ended meanwhile.
        let environment = std::fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let is_clear = [SECRET, "only-this-test-knows", "INGEST_", "HOME="]
            .iter()
            .all(|word| !environment.contains(word));
        assert!(is_clear, "{child}: {environment}");
    }
    service.stop(Signal::SIGTERM, PATIENCE).await;
}
