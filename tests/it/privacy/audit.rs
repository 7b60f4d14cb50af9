//! The audit log says who did what, without the text of the person, and only grows.

use avinode_ingest::domain::redaction::person_text::PersonText;
use serde_json::Value;

use super::person::purge;
use super::story::{PERSON, Story, places_of};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::retention::{defaults, run};
use crate::support::service_role;
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_recorded_with_its_actor_filter_and_counts_and_without_the_text() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    let report = purge(false).run(pool, || false).await.unwrap();
    let rows: Vec<(String, String, String, bool, Value, Value)> = sqlx::query_as(
        "SELECT state, actor, action, dry_run, details, counts FROM avinode_ingest.audit WHERE run = $1 ORDER BY id",
    )
    .bind(report.run)
    .fetch_all(pool)
    .await
    .unwrap();
    let [begun, finished] = &rows[..] else {
        panic!("{rows:?}")
    };
    let digest = PersonText::parse(PERSON).unwrap().digest();
    for (row, state) in [(begun, "begun"), (finished, "finished")] {
        let (found, actor, action, dry_run, details, _) = row;
        assert_eq!(
            (found.as_str(), actor.as_str(), action.as_str(), *dry_run),
            (state, "cli:a-test@here", "purge", false)
        );
        assert_eq!(details, &serde_json::json!({"person_sha256": digest}));
    }
    for (table, rows) in &report.rows {
        assert_eq!(finished.5[*table], *rows, "{table}");
    }
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_the_service_appends_to_the_log_and_changes_nothing_in_it() {
    let db = Db::attached().await;
    let (role, _) = service_role::create(&db).await;
    let own = Pool::new(db.options.clone().username(&role), 2);
    purge(false).run(&own, || false).await.unwrap();
    db.run("INSERT INTO avinode_ingest.audit (at, run, actor, action, state)
        SELECT now() - make_interval(days => days), gen_random_uuid(), 'a', 'purge', 'finished' FROM unnest(ARRAY[31, 729, 731]) AS days")
        .await;
    for statement in [
        "UPDATE avinode_ingest.audit SET actor = 'nobody'",
        "DELETE FROM avinode_ingest.audit",
    ] {
        let refused = sqlx::query(statement).execute(&own).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    // Retention deletes as the owner, and never what is younger than 30 days.
    assert_eq!(run(&own, &defaults()).await[0].audit, 1);
    let all: i64 = sqlx::query_scalar("SELECT avinode_ingest.prune_audit(interval '0', 100)")
        .fetch_one(&own)
        .await
        .unwrap();
    assert_eq!(all, 2);
    assert_eq!(count(&db.pool, "SELECT count(*) FROM avinode_ingest.audit").await, 2);
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
