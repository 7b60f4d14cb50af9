//! Exported deliveries, sent to an empty database, make the same sessions without the redacted texts.

use std::path::Path;

use avinode_ingest::cli::fixture_run::SeededManifest;
use avinode_ingest::cli::manifest::FixtureManifest;
use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::folder::files;
use crate::support::program::{ProgramRun, run_on};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;

/// Sends these files to a service on a database with the sessions of the fixtures, and returns the sessions afterwards.
async fn sent(db: &Db, folder: &str) -> Vec<Value> {
    let manifest = FixtureManifest::read(Path::new("fixtures")).unwrap();
    let seeded = SeededManifest::create(&db.pool, &manifest).await.unwrap();
    let url = db.url();
    let serve = Serve::start(&[("DATABASE_URL", &url)]).await;
    serve.ready().await;
    let target = format!("http://{}/webhooks/avinode", serve.address);
    let replayed = crate::support::program::run(
        &["replay", folder, "--concurrency", "1", "--url", &target],
        &[("AVINODE_WEBHOOK_SECRET", crate::support::service::SECRET)],
    )
    .await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.all());
    seeded.follow_up(&db.pool).await.unwrap();
    wait_until_settled(&db.pool.service(), PATIENCE).await.unwrap();
    serve.stop(Signal::SIGTERM, PATIENCE).await;
    let sessions = seeded.sessions(&db.pool).await.unwrap();
    let views = seeded.names.iter().zip(sessions).map(|(name, session)| {
        let mut view = serde_json::to_value(session).unwrap();
        let view_of = view.as_object_mut().unwrap();
        view_of.remove("id");
        // A name of a company is redacted.
        view_of.remove("primary_operator");
        view_of.insert("name".to_owned(), name.clone().into());
        view
    });
    views.collect()
}

async fn export(db: &Db, folder: &Path, arguments: &[&str]) -> ProgramRun {
    let folder = folder.to_str().unwrap();
    run_on(db, &[&["deliveries", "export", "--out", folder], arguments].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_sent_to_an_empty_database_makes_the_same_sessions_without_personal_text() {
    let db = Db::new().await;
    let sessions = sent(&db, "fixtures").await;
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let exported = export(&db, &first, &[]).await;
    assert_eq!(exported.code, Some(0), "{}", exported.all());
    let all = count(&db.pool, "SELECT count(*) FROM avinode_ingest.deliveries").await;
    assert_eq!(files(&first).len(), usize::try_from(all).unwrap());
    assert!(
        exported.stdout.contains(&format!("{all} deliveries written")),
        "{}",
        exported.all()
    );

    // Deterministic, and never over what is there.
    assert_eq!(export(&db, &second, &[]).await.code, Some(0));
    assert_eq!(files(&first), files(&second));
    let refused = export(&db, &first, &["--outcome", "dead"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.all());
    assert!(refused.stderr.contains("not empty"), "{}", refused.all());
    assert_eq!(files(&first), files(&second));

    let text = files(&first)
        .into_values()
        .map(|body| String::from_utf8(body).unwrap())
        .collect::<String>();
    for personal in [
        "Northwind",
        "Blue Meridian",
        "acontact-",
        "acompany-",
        "N012NW",
        "Citation",
    ] {
        let stored: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM avinode_ingest.deliveries WHERE position($1 IN convert_from(body, 'UTF8')) > 0",
        )
        .bind(personal)
        .fetch_one(&db.pool)
        .await
        .unwrap();
        assert!(stored > 0, "{personal} is in no fixture");
        assert!(!text.contains(personal), "{personal}");
    }

    let empty = Db::new().await;
    assert_eq!(sent(&empty, first.to_str().unwrap()).await, sessions);
    assert_eq!(dead_jobs(&empty.pool).await, dead_jobs(&db.pool).await);

    let third = folder.path().join("third");
    assert_eq!(
        export(&db, &third, &["--limit", "3", "--json"]).await.json()["written"],
        3
    );
    assert_eq!(files(&third).len(), 3);
    let audited = "SELECT count(*) FROM avinode_ingest.audit WHERE action = 'export_deliveries' AND state = 'finished'";
    assert_eq!(count(&db.pool, audited).await, 3);
}
