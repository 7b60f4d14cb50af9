//! Each exit code that docs/configuration.md lists.

use avinode_ingest::cli::error::EXIT_CODES;
use nix::sys::signal::Signal;

use crate::crash::program::Program;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::program::{run, run_on};

#[tokio::test(flavor = "multi_thread")]
async fn each_documented_exit_code_is_that_of_what_it_stands_for() {
    let db = Db::new().await;
    let mut seen = Vec::new();
    let cases: [(u8, &[&str]); 10] = [
        (0, &["jobs", "list"]),
        (0, &["--version"]),
        (0, &["jobs", "--help"]),
        (1, &["documents", "show", "4711"]),
        (1, &["trace", "aquote-unknown"]),
        (1, &["jobs", "retry", "4711"]),
        (64, &["jobs", "list", "--state", "done"]),
        (64, &["jobs"]),
        (64, &["nonsense"]),
        (
            69,
            &[
                "jobs",
                "list",
                "--database-url",
                "postgres://nobody@127.0.0.1:1/nothing",
            ],
        ),
    ];
    for (code, arguments) in cases {
        let output = run_on(&db, arguments).await;
        assert_eq!(output.code, Some(code.into()), "{arguments:?}: {}", output.all());
        seen.push(code);
    }
    let invalid = run(&["jobs", "list"], &[("DATABASE_URL", "nonsense")]).await;
    assert_eq!(invalid.code, Some(64), "{}", invalid.all());
    let refused = run_on(&Db::empty().await, &["jobs", "list"]).await;
    assert_eq!(refused.code, Some(78), "{}", refused.all());
    seen.push(78);
    // Interrupted before it was done.
    let mut demo = Program::start(&format!("demo --exit --database-url {}", db.url()), &[]);
    demo.line("migrations applied").await;
    demo.signal(Signal::SIGTERM);
    assert_eq!(demo.ended(PATIENCE).await.code(), Some(130), "{}", demo.said());
    seen.extend([130]);
    seen.dedup();
    assert_eq!(seen, EXIT_CODES.map(|(code, _)| code));
}
