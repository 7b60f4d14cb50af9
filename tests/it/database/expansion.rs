//! Migrations since the last release expand: what the program of that release relies on stays, and nothing is demanded of it that it does
//! not know (docs/adr/0004).

mod promises;

use avinode_ingest::postgres::migrator::known::MIGRATOR;

use self::promises::Schema;
use crate::support::cluster::Db;
use crate::support::old_schema::{apply, migrated_below};
use crate::support::sql::count;

/// The last migration of the last release. A release raises it; scripts/check-upgrade compares it with the newest tag.
const LAST_RELEASED: i64 = 202_611_300_902;

const OLDEST: &str = "SELECT oldest_migration FROM avinode_ingest.compatibility";

async fn schema(db: &Db) -> Schema {
    Schema::read(&mut *db.pool.application().await).await
}

/// The first migration after this one that takes something away from the programs of that time without declaring it, or that excludes them.
async fn first_contraction_after(last: i64) -> Option<String> {
    let db = migrated_below(last + 1).await;
    let released = schema(&db).await;
    let (mut declared, mut oldest) = (Vec::new(), count(&db.pool, OLDEST).await);
    for migration in MIGRATOR.iter().filter(|migration| migration.version > last) {
        apply(&db, migration).await;
        let mut broken = released.broken_in(&schema(&db).await);
        broken.retain(|promise| !declared.contains(promise));
        let now = count(&db.pool, OLDEST).await;
        let name = format!("migration {} ({})", migration.version, migration.description);
        if now > last {
            return Some(format!(
                "{name} excludes the programs that do not know {now}: contract one release later"
            ));
        }
        if !broken.is_empty() && now == oldest {
            return Some(format!(
                "{name} takes away what programs up to {last} rely on: {}. Do so one release after the programs do without it, and raise \
                 avinode_ingest.compatibility.oldest_migration in the file",
                broken.join("; ")
            ));
        }
        oldest = now;
        declared.extend(broken);
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_since_the_last_release_expand_unless_they_declare_a_contraction() {
    let known = MIGRATOR.iter().any(|migration| migration.version == LAST_RELEASED);
    assert!(known, "there is no migration {LAST_RELEASED}");
    assert_eq!(first_contraction_after(LAST_RELEASED).await, None);
}

/// Before the first release an index was dropped in the migration that follows this one.
const BEFORE_A_CONTRACTION: i64 = 202_611_300_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_contracts_is_named_with_what_it_takes_away() {
    let found = first_contraction_after(BEFORE_A_CONTRACTION).await.unwrap();
    let expected = "migration 202611300401 (drop index of running batch keys) takes away what programs up to 202611300400 rely on: \
         CREATE INDEX ON avinode_ingest.jobs";
    assert!(found.starts_with(expected), "{found}");
}

/// Statements that take something away from older programs, and what is found of each.
const CONTRACTIONS: [(&str, &str); 17] = [
    (
        "DROP TABLE avinode_ingest.rejected_requests",
        "table avinode_ingest.rejected_requests",
    ),
    (
        "ALTER TABLE avinode_ingest.rfqs RENAME TO requests_for_quote",
        "table avinode_ingest.rfqs",
    ),
    (
        "ALTER TABLE avinode_ingest.jobs DROP COLUMN history",
        "column avinode_ingest.jobs.history text[]",
    ),
    (
        "ALTER TABLE avinode_ingest.jobs RENAME COLUMN history TO failures",
        "column avinode_ingest.jobs.history text[]",
    ),
    (
        "ALTER TABLE avinode_ingest.jobs ALTER COLUMN attempts TYPE bigint",
        "column avinode_ingest.jobs.attempts integer",
    ),
    (
        "ALTER TABLE avinode_ingest.quote_facts ALTER COLUMN amount SET NOT NULL",
        "column avinode_ingest.quote_facts.amount accepts NULL",
    ),
    // Programs that know no NULL there cannot read one.
    (
        "ALTER TABLE avinode_ingest.outcomes ALTER COLUMN kind DROP NOT NULL",
        "column avinode_ingest.outcomes.kind is never NULL",
    ),
    (
        "ALTER TABLE avinode_ingest.jobs ALTER COLUMN due_at DROP DEFAULT",
        "column avinode_ingest.jobs.due_at has a default",
    ),
    (
        "ALTER TABLE avinode_ingest.trips ADD COLUMN owner text NOT NULL",
        "column avinode_ingest.trips.owner must be given",
    ),
    (
        "ALTER TABLE avinode_ingest.trips ADD CONSTRAINT short CHECK (length(key) < 40) NOT VALID",
        "constraint short on avinode_ingest.trips: CHECK ((length(key) < 40)) NOT VALID",
    ),
    (
        "CREATE UNIQUE INDEX one_rfq ON avinode_ingest.rfqs (rfq_id)",
        "CREATE UNIQUE INDEX ON avinode_ingest.rfqs USING btree (rfq_id)",
    ),
    (
        "DROP INDEX avinode_ingest.trips_by_age",
        "CREATE INDEX ON avinode_ingest.trips USING btree",
    ),
    (
        "ALTER TABLE avinode_ingest.ledger DROP CONSTRAINT ledger_pkey",
        "CREATE UNIQUE INDEX ON avinode_ingest.ledger",
    ),
    (
        "DROP FUNCTION avinode_ingest.read_deliveries(uuid[])",
        "function avinode_ingest.read_deliveries(",
    ),
    (
        "DROP TRIGGER avinode_ingest_session_inserted ON public.chat_sessions",
        "trigger avinode_ingest_session_inserted on chat_sessions",
    ),
    (
        "ALTER TABLE public.chat_sessions DISABLE TRIGGER avinode_ingest_session_inserted",
        "trigger avinode_ingest_session_inserted on chat_sessions",
    ),
    (
        "ALTER TABLE avinode_ingest.trips ENABLE ROW LEVEL SECURITY",
        "row-level security on avinode_ingest.trips",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_contraction_is_found_and_named() {
    let db = Db::new().await;
    let released = schema(&db).await;
    for (statement, expected) in CONTRACTIONS {
        let mut tx = db.pool.application().await;
        sqlx::raw_sql(statement).execute(&mut *tx).await.unwrap();
        let broken = released.broken_in(&Schema::read(&mut tx).await);
        tx.rollback().await.unwrap();
        assert!(
            broken.iter().any(|found| found.starts_with(expected)),
            "{statement}: {broken:#?}"
        );
    }
}

/// Statements that older programs do not notice.
const EXPANSIONS: [&str; 6] = [
    "CREATE TABLE avinode_ingest.things (id bigint PRIMARY KEY, name text NOT NULL CHECK (name <> ''), UNIQUE (name))",
    "ALTER TABLE avinode_ingest.jobs ADD COLUMN note text NOT NULL DEFAULT ''",
    "ALTER TABLE avinode_ingest.jobs ADD COLUMN size bigint CHECK (size >= 0)",
    "CREATE INDEX more ON avinode_ingest.outcomes (kind)",
    "CREATE FUNCTION avinode_ingest.one() RETURNS integer LANGUAGE sql RETURN 1",
    // A changed constraint may allow more: that is not judged here.
    "ALTER TABLE avinode_ingest.batches DROP CONSTRAINT batches_state,
        ADD CONSTRAINT batches_state CHECK (state IN ('running', 'interrupted', 'finished', 'failed', 'paused'))",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_expansion_takes_nothing_away() {
    let db = Db::new().await;
    let released = schema(&db).await;
    for statement in EXPANSIONS {
        let mut tx = db.pool.application().await;
        sqlx::raw_sql(statement).execute(&mut *tx).await.unwrap();
        let broken = released.broken_in(&Schema::read(&mut tx).await);
        tx.rollback().await.unwrap();
        assert_eq!(broken, Vec::<String>::new(), "{statement}");
    }
}
