//! A release is rolled back: the older program works on the schema of the newer one, unless that schema excludes it.

use nix::sys::signal::Signal;

use crate::crash::load::{self, body, client, post};
use crate::crash::program::{Program, Serve};
use crate::support::PATIENCE;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::program::run_on;
use crate::support::service::SECRET;

/// A migration of a program that does not exist yet: it expands the schema, and another one excludes older programs.
const EXPAND: &str = "
    ALTER TABLE avinode_ingest.deliveries ADD COLUMN from_the_future text;
    INSERT INTO avinode_ingest.schema_migrations (version, description, success, checksum, execution_time)
    VALUES (999901010000, 'add a column', true, '\\x01', 1);";
const CONTRACT: &str = "
    UPDATE avinode_ingest.compatibility SET oldest_migration = 999901020000;
    INSERT INTO avinode_ingest.schema_migrations (version, description, success, checksum, execution_time)
    VALUES (999901020000, 'remove a column', true, '\\x02', 1);";

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_works_on_a_newer_schema_until_the_schema_excludes_it() {
    let db = Db::new().await;
    let url = db.url();
    let sessions = load::sessions(&db.pool).await;
    db.run(EXPAND).await;
    let migrated = run_on(&db, &["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.all());
    let sentence = "the schema (migration 999901010000) is newer than this program";
    assert!(migrated.stdout.contains(sentence), "{}", migrated.all());
    let checked = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(checked.status("schema"), "warning", "{}", checked.text);
    for migrate in ["false", "true"] {
        let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_MIGRATE", migrate)]).await;
        service.ready().await;
        let sent = post(&client(&service.address), &service.address, body(0)).await;
        assert_eq!(sent.unwrap().0, 200);
        let said = service.stop(Signal::SIGTERM, PATIENCE).await;
        assert!(said.contains(sentence), "{said}");
    }
    let counted: i64 =
        sqlx::query_scalar("SELECT sum(quotes_received_count) FROM public.chat_sessions WHERE id = ANY ($1)")
            .bind(&sessions)
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(counted, 1);

    db.run(CONTRACT).await;
    let checked = check(&[("DATABASE_URL", &url)]).await;
    assert_eq!(checked.status("schema"), "failed", "{}", checked.text);
    for line in [
        "migrate",
        "serve --listen 127.0.0.1:0",
        "serve --migrate --listen 127.0.0.1:0",
    ] {
        let variables = [("DATABASE_URL", url.as_str()), ("AVINODE_WEBHOOK_SECRET", SECRET)];
        let mut refused = Program::start(line, &variables);
        let code = refused.ended(PATIENCE).await.code();
        let said = refused.said();
        assert_eq!(code, Some(78), "{line}: {said}");
        assert!(
            said.contains("the schema needs a program that knows migration 999901020000: run the newer program"),
            "{line}: {said}"
        );
    }
}
