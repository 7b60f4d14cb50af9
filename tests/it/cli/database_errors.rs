//! Errors of the database as people see them: the server's message and SQLSTATE, and never a line of Postgres's source code.

use std::time::Duration;

use crate::crash::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::cluster::Db;

const MISSING: &str = "relation \"avinode_ingest.jobs\" does not exist (SQLSTATE 42P01)";

async fn run(db: &Db, line: &str, code: i32) -> String {
    let mut program = Program::start(line, &[("DATABASE_URL", &db.url())]);
    let status = program.ended(PATIENCE).await;
    let output = program.said();
    assert_eq!(status.code(), Some(code), "{line}: {output}");
    assert!(!output.contains("at line"), "{line}: {output}");
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_the_servers_message_and_sqlstate() {
    let db = Db::new().await;
    db.run("ALTER TABLE avinode_ingest.jobs RENAME TO lost").await;
    let output = run(&db, "jobs list", 1).await;
    assert!(output.starts_with("error: could not list the jobs: "), "{output}");
    assert!(output.trim_end().ends_with(MISSING), "{output}");
    let output = run(
        &db,
        "check --webhook-secret a-secret-of-the-tests --listen 127.0.0.1:0",
        1,
    )
    .await;
    assert!(output.contains(MISSING), "{output}");

    let nowhere = db.url().replacen("test_", "nowhere_", 1);
    let output = run(&db, &format!("jobs list --database-url {nowhere}"), 69).await;
    assert!(output.contains("does not exist (SQLSTATE 3D000)"), "{output}");
    let output = run(&db, &format!("migrate --database-url {nowhere}"), 69).await;
    assert!(output.contains("does not exist (SQLSTATE 3D000)"), "{output}");

    db.run("DELETE FROM avinode_ingest.schema_migrations WHERE version > 1")
        .await;
    let output = run(&db, "migrate", 1).await;
    assert!(
        output.contains("could not apply migration") && output.contains("(SQLSTATE "),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_show_the_servers_message_and_sqlstate() {
    let db = Db::new().await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LOG_LEVEL", "debug,sqlx=warn")]).await;
    db.run("ALTER TABLE avinode_ingest.jobs RENAME TO lost").await;
    let mut program = service.program;
    program.line("42P01").await;
    program.signal(nix::sys::signal::Signal::SIGTERM);
    program.ended(Duration::from_secs(30)).await;
    let output = program.said();
    let logged = MISSING.replace('"', "\\\"");
    assert!(output.contains(&logged) && !output.contains("at line"), "{output}");
}
