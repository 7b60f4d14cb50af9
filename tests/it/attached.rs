//! The migrations on the database of an application: they add, and take nothing away.

use std::collections::BTreeMap;
use std::process::Command;

use avinode_ingest::postgres::migrator::{self, SchemaStatus};
use avinode_ingest::postgres::programs::Programs;

use crate::support::cluster::Db;

const RLS_CHECKS: &str = include_str!("host/rls_checks.sql");

/// What `pg_dump` says of the application's schema.
fn dump(db: &Db, what: &[&str]) -> String {
    let program = Programs::find(None, None).unwrap().beside("pg_dump");
    let output = Command::new(program)
        .args(["--no-owner", "--schema=public", "--schema=auth", "--dbname", &db.url()])
        .args(what)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Newer versions fence their output with a key that changes from dump to dump.
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Lines of `before` that `after` lacks, the comma that ends a column apart.
fn removed(before: &str, after: &str) -> Vec<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in after.lines() {
        *left.entry(line.trim_end_matches(',')).or_default() += 1;
    }
    let is_missing = |line: &&str| match left.get_mut(line.trim_end_matches(',')) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    before.lines().filter(is_missing).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_an_application_adds_and_takes_nothing_away() {
    for db in [Db::application().await, Db::application_without_sessions().await] {
        let (schema, data) = (["--schema-only"], ["--data-only", "--inserts"]);
        let before = (dump(&db, &schema), dump(&db, &data));
        migrator::migrate(&db.options).await.unwrap();
        let after = (dump(&db, &schema), dump(&db, &data));
        assert_eq!(removed(&before.0, &after.0), Vec::<String>::new());
        assert_ne!(before.0, after.0);
        // A column that was added (`quotes.avinode_quote_id` in the second database) is the last of its row, and empty.
        let rows = after.1.replace(", NULL);\n", ");\n");
        assert_eq!(
            removed(&before.1.replace(", NULL);\n", ");\n"), &rows),
            Vec::<String>::new()
        );
        // A second time there is nothing to do.
        assert_eq!(migrator::migrate(&db.options).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_holds_on_every_database() {
    for db in [
        Db::new().await,
        Db::attached().await,
        Db::application_without_sessions().await,
    ] {
        migrator::migrate(&db.options).await.unwrap();
        let status = migrator::schema_status(&db.pool).await.unwrap();
        assert!(matches!(status, SchemaStatus::Current { .. }), "{status:?}");
        db.run(RLS_CHECKS).await;
    }
}
