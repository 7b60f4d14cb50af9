//! The checks of a migrated database: privileges, row-level security, triggers, indexes, the queue, and quotes without a row in
//! `public.quotes`.

use std::time::Duration;

use super::deliveries;
use super::finding::{CheckName, CheckResult, CheckResults};
use super::trust;
use crate::jobs::fetch::status;
use crate::postgres::diagnostics::{self, SchemaProblems, grants};
use crate::postgres::transaction::Pool;
use crate::queue::admin;
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::{self, OutcomeWarnings};
use crate::queue::rate_limit::status::LimiterStatus;
use crate::store::deliveries::partitions;
use crate::store::unprojected::{self, UnprojectedCount, UnprojectedReason};
use crate::store::withheld;

const PRIVILEGES: CheckName = CheckName("privileges");
const RLS: CheckName = CheckName("rls");
const TRIGGERS: CheckName = CheckName("triggers");
const INDEXES: CheckName = CheckName("indexes");
const COLUMNS: CheckName = CheckName("columns");
const QUOTES: CheckName = CheckName("quotes");
const JOBS: CheckName = CheckName("jobs");
const CONTENT: CheckName = CheckName("content");

/// Outcomes of older jobs are not counted: what made them may be repaired by now.
const WARNINGS_OF: Duration = Duration::from_secs(7 * 24 * 3600);

/// `tables_exist`: without the application's tables only the privileges and the queue are checked.
pub async fn check(
    pool: &Pool,
    role: &str,
    tables_exist: bool,
    delivery_retention: Duration,
    results: &mut CheckResults,
) -> Result<(), sqlx::Error> {
    let problems = diagnostics::schema_problems(pool).await?;
    let readable = problems.rights.is_empty();
    results.extend(missing_privileges(&problems, role));
    if tables_exist {
        results.extend(schema_objects(&problems, role));
    }
    if readable {
        let (waiting, dead) = admin::count_live_and_dead(pool, &JobKind::FETCHING).await?;
        results.extend(jobs(waiting, dead, &status::read(pool).await?));
        if tables_exist {
            results.extend(quotes(&unprojected::count_by_reason(pool).await?));
            let grants = grants::open_grants(pool).await?;
            results.extend(trust::results(&grants, withheld::read(pool).await?.as_ref()));
        }
        results.add(content(outcomes::warnings(pool, WARNINGS_OF).await?));
        results.extend(deliveries::partitions(
            &partitions::status(pool, delivery_retention).await?,
        ));
    }
    Ok(())
}

pub async fn privileges(pool: &Pool, role: &str, results: &mut CheckResults) -> Result<(), sqlx::Error> {
    results.extend(missing_privileges(&diagnostics::schema_problems(pool).await?, role));
    Ok(())
}

/// One line for each missing privilege, with its consequence and the GRANT that adds it.
fn missing_privileges(problems: &SchemaProblems, role: &str) -> Vec<CheckResult> {
    if problems.rights.is_empty() {
        let message = format!("{role} has all privileges that the service needs");
        return vec![PRIVILEGES.ok(message)];
    }
    let missing = problems.rights.iter().map(|privilege| {
        let message = format!("{role} lacks {privilege}: {}", consequence(privilege));
        let remedy = format!("as the owner: GRANT {privilege} TO \"{role}\"");
        PRIVILEGES.failed(message, remedy)
    });
    missing.collect()
}

fn consequence(privilege: &str) -> &'static str {
    let (_, object) = privilege.split_once(" ON ").unwrap_or_default();
    match object {
        "SCHEMA avinode_ingest" => "it cannot use the service's own tables",
        "SCHEMA public" => "it cannot use the application's tables",
        _ if object.contains("archive_old_chat_sessions") => "it cannot archive old sessions",
        _ if object.starts_with("SEQUENCE") => "it cannot claim jobs",
        _ if object.ends_with("_quotes(jsonb)") || object.contains("quotes_have_payload") => {
            "it cannot show quotes to the application"
        }
        _ if object.contains("read_deliveries") => "it cannot store deliveries and work on them",
        _ if object.contains("delivery_partition") || object.contains("uuid") => {
            "it cannot make and drop partitions of deliveries"
        }
        _ if object.starts_with("FUNCTION") => "neither it nor the application can write sessions",
        "avinode_ingest.schema_migrations" => "it cannot read the version of the schema",
        _ if object.starts_with("avinode_ingest.") => "it cannot store deliveries and work on them",
        _ if object.contains("public.chat_sessions") => "it cannot find and update sessions",
        _ if object.contains("public.quotes") => "it cannot show quotes to the application",
        _ => "the sessions API cannot check the references of a session",
    }
}

/// Row-level security, triggers, indexes and columns: each has a list of problems, which is empty where all is well.
fn schema_objects(problems: &SchemaProblems, role: &str) -> [CheckResult; 4] {
    let without = |found: &[String], ok: CheckResult, otherwise: &dyn Fn(String) -> CheckResult| match found {
        [] => ok,
        found => otherwise(found.join(", ")),
    };
    let reindex = |index: &String| format!("REINDEX INDEX CONCURRENTLY {index}");
    let reindex: Vec<String> = problems.indexes.iter().map(reindex).collect();
    let hides_no_rows = RLS.ok(format!("row-level security hides no rows from {role}"));
    let enabled = TRIGGERS.ok("all triggers on public.chat_sessions and public.requests are enabled");
    let valid = INDEXES.ok("all indexes of the service are valid");
    let known = COLUMNS.ok("public.quotes requires no column that the service does not know");
    [
        without(&problems.hidden, hides_no_rows, &|tables| {
            RLS.failed(
                format!(
                    "row-level security hides rows of {tables} from {role}: workers would find no sessions, without an error"
                ),
                format!(
                    "use the role that owns the tables, or ALTER ROLE \"{role}\" BYPASSRLS, or a policy FOR ALL TO \"{role}\" \
                     USING (true)"
                ),
            )
        }),
        without(&problems.triggers, enabled, &|_| {
            TRIGGERS.failed(
                format!(
                    "on public.chat_sessions or public.requests, {}: trip ids that the application writes are noticed late, \
                     its choice of a primary quote is not noticed, and records of deleted sessions are kept",
                    problems.triggers.join(" and ")
                ),
                "ALTER TABLE … ENABLE TRIGGER … for a disabled one; run avinode-ingest migrate for a missing one",
            )
        }),
        without(&problems.indexes, valid, &|indexes| {
            let message = format!("an interrupted migration left invalid indexes: {indexes}");
            INDEXES.warning(message, reindex.join("; "))
        }),
        without(&problems.columns, known, &|columns| {
            COLUMNS.failed(
                format!("public.quotes rejects every quote of Avinode: {columns}"),
                "give the columns defaults, or allow NULL; quotes are stored until then, and shown at most a day later",
            )
        }),
    ]
}

/// Counts quotes without a row in `public.quotes`, and rows with a price of the application's own, by reason.
fn quotes(unprojected: &[UnprojectedCount]) -> Vec<CheckResult> {
    if unprojected.is_empty() {
        return vec![QUOTES.ok("public.quotes has all known quotes")];
    }
    let each = unprojected.iter().map(|some| {
        let count = some.quotes;
        match some.reason {
            UnprojectedReason::NoSession => {
                QUOTES.ok(format!("{count} wait for a session with the id of their trip or RFQ"))
            }
            UnprojectedReason::NoRequest => {
                QUOTES.ok(format!("{count} are counted and wait for a request of their session"))
            }
            UnprojectedReason::NoPrice => QUOTES.ok(format!("{count} have no price that public.quotes can store")),
            UnprojectedReason::NewestPriceMissing => QUOTES.ok(format!(
                "{count} show an older price: their newest fact has none, so no session proposes them"
            )),
            UnprojectedReason::ChangedByApplication => QUOTES.ok(format!(
                "{count} have a price in public.quotes that Avinode never stated, which is left alone, for example {}",
                some.example.as_deref().unwrap_or("none")
            )),
            UnprojectedReason::Pending => QUOTES.ok(format!("{count} will be shown in a moment")),
            UnprojectedReason::Refused => QUOTES.warning(
                format!(
                    "public.quotes rejected {count}, for example with: {}",
                    some.example.as_deref().unwrap_or("no reason")
                ),
                "change the constraint that rejects them; they are tried again within a day, or when the quote changes",
            ),
        }
    });
    each.collect()
}

/// Parts of deliveries and documents that were sent and not understood.
fn content(warnings: Option<OutcomeWarnings>) -> CheckResult {
    match warnings {
        None => CONTENT.ok("all parts of the last 7 days that the service uses were understood"),
        Some(OutcomeWarnings { count, newest }) => CONTENT.warning(
            format!(
                "parts of {count} deliveries or documents of the last 7 days were not understood, the newest: {newest}"
            ),
            "see avinode-ingest deliveries show; the known forms are in docs/avinode.md",
        ),
    }
}

fn jobs(waiting: i64, dead: i64, fetching: &LimiterStatus) -> Vec<CheckResult> {
    let mut results = Vec::new();
    match status::blocked(fetching) {
        Some(reason) if waiting > 0 => results.push(JOBS.warning(
            format!("{waiting} wait to be fetched: {reason}"),
            "they run once a process with valid credentials of Avinode's API runs",
        )),
        None if waiting > 0 => results.push(JOBS.ok(format!("{waiting} will be fetched in a moment"))),
        _ => {}
    }
    if dead > 0 {
        results.push(JOBS.warning(
            format!("{dead} dead"),
            "see avinode-ingest jobs list --state dead; then jobs retry, or jobs discard",
        ));
    }
    if results.is_empty() {
        results.push(JOBS.ok("none waits to be fetched, none is dead"));
    }
    results
}
