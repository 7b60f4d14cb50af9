//! `healthcheck`, as a container engine runs it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use sqlx::Connection as _;

use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::program::{ProgramRun, run};

const LOCKED: &str = "error: not ready: receiving: a table is locked\n";

async fn check(arguments: &[&str], listen: &str) -> ProgramRun {
    run(&[&["healthcheck"], arguments].concat(), &[("INGEST_LISTEN", listen)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_alive_while_it_answers_and_ready_while_it_can_keep_deliveries() {
    let db = Db::new().await;
    let service = Serve::start(&[("DATABASE_URL", &db.url())]).await;
    service.ready().await;
    // A container listens on all of its interfaces.
    let unspecified = service.address.replace("127.0.0.1", "0.0.0.0");
    for listen in [&service.address, &unspecified] {
        let alive = check(&[], listen).await;
        assert_eq!((alive.code, &*alive.stdout), (Some(0), "alive\n"), "{}", alive.stderr);
    }
    assert_eq!(check(&["--ready"], &service.address).await.stdout, "ready\n");

    let mut other = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.deliveries IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    eventually(PATIENCE, "not ready", async || {
        let ready = check(&["--ready"], &service.address).await;
        equal((ready.code, ready.stderr), (Some(1), LOCKED.to_owned()))
    })
    .await;
    assert_eq!(check(&[], &service.address).await.code, Some(0));
    other.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_of_the_service_the_check_fails_and_names_the_listener() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let late = check(&["--timeout", "300ms"], &address).await;
    let expected = format!("http://{address}/livez did not answer within 300ms");
    assert_eq!(late.code, Some(1));
    assert!(late.stderr.contains(&expected), "{}", late.stderr);

    let other = std::thread::spawn(move || {
        // The first connection is the one above, which was given up.
        for stream in silent.incoming().take(2) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        }
    });
    let foreign = check(&[], &address).await;
    other.join().unwrap();
    assert_eq!(foreign.code, Some(1));
    assert!(
        foreign.stderr.contains("answered by another program"),
        "{}",
        foreign.stderr
    );

    // The listener is closed now. The one for health checks is asked where it is set.
    let absent = run(
        &["healthcheck"],
        &[("INGEST_LISTEN", "127.0.0.1:1"), ("INGEST_ADMIN_LISTEN", &address)],
    )
    .await;
    assert_eq!(absent.code, Some(1));
    for words in [
        &format!("could not reach http://{address}/livez"),
        "INGEST_ADMIN_LISTEN",
    ] {
        assert!(absent.stderr.contains(words), "{}", absent.stderr);
    }
}
