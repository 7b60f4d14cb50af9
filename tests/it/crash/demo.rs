//! The demo as a person runs it: it needs nothing, touches nothing of others, and leaves nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::program::Program;
use crate::console::Browser;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::pool::Pool;
use crate::support::sql::text;

/// Everything that a database holds, apart from what every database does.
async fn relations(pool: &Pool) -> Vec<String> {
    let relations = "SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
        UNION SELECT nspname FROM pg_namespace ORDER BY 1";
    sqlx::query_scalar(relations).fetch_all(pool).await.unwrap()
}

/// The server's databases that demos made.
async fn scratch_databases(pool: &Pool) -> BTreeSet<String> {
    let names = "SELECT datname FROM pg_database WHERE datname LIKE 'avinode_ingest_%'";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(pool).await.unwrap();
    names.into_iter().collect()
}

/// The throw-away folder of this demo: the one with a note that names its process.
fn folder(program: &Program) -> Option<PathBuf> {
    let folders = std::fs::read_dir("/tmp").unwrap().flatten();
    folders.map(|entry| entry.path()).find(|path| {
        let note = std::fs::read_to_string(path.join("avinode-ingest.owner"));
        note.is_ok_and(|pid| pid.trim() == program.pid().to_string())
    })
}

async fn gone(folder: &Path) {
    eventually(PATIENCE, "its folder is gone", async || !folder.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_exit_ends_with_0_and_leaves_a_database_in_the_environment_untouched() {
    let db = Db::empty().await;
    let before = relations(&db.pool).await;
    let url = db.url();
    let mut demo = Program::start("demo --exit", &[("DATABASE_URL", &url), ("LC_ALL", "C")]);
    let folder = eventually(PATIENCE, "its folder is there", async || folder(&demo)).await;
    let status = demo.ended(PATIENCE).await;
    assert_eq!(status.code(), Some(0), "{}", demo.said());
    demo.line("every session is as").await;
    let said = demo.said();
    for statement in [
        "15 Completed",
        "72 signed deliveries and 20 notifications",
        "Everything again, three times",
        "A worker killed with ",
    ] {
        let line = said.lines().find(|line| line.contains(statement));
        assert!(line.is_some_and(|line| line.starts_with("ok ")), "{statement}: {said}");
    }
    let logged: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(" INFO ") || line.contains(" WARN "))
        .collect();
    assert!(logged.is_empty(), "{logged:#?}");
    assert_eq!(relations(&db.pool).await, before);
    assert!(!folder.exists(), "{}", folder.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_on_a_named_server_makes_and_drops_a_database_of_its_own_there() {
    let db = Db::empty().await;
    let before = relations(&db.pool).await;
    let mut demo = Program::start(&format!("demo --database-url {}", db.url()), &[]);
    demo.line("listening on").await;
    let line = demo.line("on the given server").await;
    let own = line.split_whitespace().nth(1).unwrap().to_owned();
    assert!(scratch_databases(&db.pool).await.contains(&own), "{line}");
    demo.interrupt_group();
    let status = demo.ended(PATIENCE).await;
    assert_eq!(status.code(), Some(0), "{}", demo.said());
    assert!(!scratch_databases(&db.pool).await.contains(&own));
    assert_eq!(relations(&db.pool).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_stays_up_has_a_console_on_which_quotes_arrive() {
    let db = Db::empty().await;
    let mut demo = Program::start(&format!("demo --database-url {}", db.url()), &[]);
    let own = demo.line("on the given server").await;
    let own = own.split_whitespace().nth(1).unwrap().to_owned();
    let line = demo.line("(sign in with ").await;
    let (url, rest) = line.split_once(" (sign in with ").unwrap();
    let (base, _) = url.rsplit_once("/console").unwrap();
    assert!(base.starts_with("http://127.0.0.1:"), "{line}");
    let mut browser = Browser::new(base.to_owned());
    assert_eq!(browser.get("/console").await.status, 303);
    assert_eq!(browser.sign_in(rest.trim_end_matches(')')).await.status, 303);
    let own = Pool::new(db.options.clone().database(&own), 1);
    let further = "SELECT min(avinode_quote_id) FROM public.quotes WHERE avinode_quote_id LIKE 'aquote-39000%'";
    let quote = eventually(PATIENCE, "a quote of a further trip arrives", async || {
        text(&own, further).await
    })
    .await;
    own.close().await;
    let page = browser.get(&format!("/console?q={quote}")).await;
    assert!(page.body.contains("found by a quote"), "{}", page.body);
    demo.interrupt_group();
    let status = demo.ended(PATIENCE).await;
    assert_eq!(status.code(), Some(0), "{}", demo.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_demo_that_stays_up_with_code_0_and_removes_its_folder() {
    let mut demo = Program::start("demo", &[]);
    demo.line("Ctrl-C ends the demo").await;
    let folder = folder(&demo).unwrap();
    demo.interrupt_group();
    let status = demo.ended(Duration::from_secs(20)).await;
    assert_eq!(status.code(), Some(0), "{}", demo.said());
    assert!(!folder.exists(), "{}", folder.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_interrupted_in_the_middle_ends_soon_and_leaves_nothing() {
    let db = Db::empty().await;
    let mut demo = Program::start(&format!("demo --exit --database-url {}", db.url()), &[]);
    let line = demo.line("on the given server").await;
    let own = line.split_whitespace().nth(1).unwrap().to_owned();
    demo.line("migrations applied").await;
    demo.signal(Signal::SIGTERM);
    let status = demo.ended(Duration::from_secs(20)).await;
    // What was not shown did not succeed, unless it was shown a moment before.
    let shown = demo.said().contains("every session is as");
    assert_eq!(status.code(), Some(if shown { 0 } else { 130 }), "{}", demo.said());
    assert!(!scratch_databases(&db.pool).await.contains(&own));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_a_demo_immediately_and_still_leaves_nothing() {
    let mut demo = Program::start("demo", &[("INGEST_LOG_LEVEL", "info")]);
    let folder = eventually(PATIENCE, "its folder is there", async || folder(&demo)).await;
    demo.line("migrations applied").await;
    demo.interrupt_group();
    demo.line("shutting down").await;
    demo.interrupt_group();
    let status = demo.ended(Duration::from_secs(10)).await;
    // It may have ended in order in between.
    assert!(matches!(status.code(), Some(0 | 130)), "{}", demo.said());
    gone(&folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_killed_leaves_no_worker_behind() {
    let db = Db::empty().await;
    let mut demo = Program::start(&format!("demo --exit --database-url {}", db.url()), &[]);
    demo.line("Everything again").await;
    let of_the_demo = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let status = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
        let parent = format!("PPid:\t{}\n", demo.pid());
        let children = status.filter(|status| status.contains(&parent));
        children
            .filter_map(|status| {
                let pid = status.lines().find_map(|line| line.strip_prefix("Pid:\t"));
                pid.map(str::to_owned)
            })
            .collect::<Vec<_>>()
    };
    let workers = eventually(PATIENCE, "its worker runs", async || {
        let workers = of_the_demo();
        (!workers.is_empty()).then_some(workers)
    })
    .await;
    demo.kill().await;
    eventually(PATIENCE, "its worker is gone", async || {
        workers.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    })
    .await;
}
