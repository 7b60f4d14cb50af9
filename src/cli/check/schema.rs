//! The checks of a migrated database: privileges, row-level security, triggers, indexes, the queue, and quotes without a row in
//! `public.quotes`.

use super::finding::{CheckResult, CheckResults};
use crate::jobs::fetch::status;
use crate::postgres::diagnostics::{self, SchemaProblems};
use crate::postgres::transaction::Pool;
use crate::queue::admin;
use crate::queue::job_kind::JobKind;
use crate::queue::rate_limit::status::LimiterStatus;
use crate::store::unprojected::{self, UnprojectedCount, UnprojectedReason};

pub async fn check(pool: &Pool, role: &str, results: &mut CheckResults) -> Result<(), sqlx::Error> {
    let problems = diagnostics::schema_problems(pool).await?;
    let readable = problems.rights.is_empty();
    results.extend(missing_privileges(&problems, role));
    results.add(row_level_security(&problems, role));
    results.add(triggers(&problems));
    results.add(indexes(&problems));
    results.add(columns(&problems));
    if readable {
        let (waiting, dead) = admin::count_live_and_dead(pool, &JobKind::FETCHING).await?;
        results.extend(jobs(waiting, dead, &status::read(pool).await?));
        results.extend(quotes(&unprojected::count_by_reason(pool).await?));
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
        return vec![CheckResult::ok("privileges", message)];
    }
    let missing = problems.rights.iter().map(|privilege| {
        let message = format!("{role} lacks {privilege}: {}", consequence(privilege));
        let remedy = format!("as the owner: GRANT {privilege} TO \"{role}\"");
        CheckResult::failed("privileges", message, remedy)
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
        _ if object.starts_with("FUNCTION") => "neither it nor the application can write sessions",
        "avinode_ingest.schema_migrations" => "it cannot read the version of the schema",
        _ if object.starts_with("avinode_ingest.") => "it cannot store deliveries and work on them",
        _ if object.contains("public.chat_sessions") => "it cannot find and update sessions",
        _ if object.contains("public.quotes") => "it cannot show quotes to the application",
        _ => "the sessions API cannot check the references of a session",
    }
}

fn row_level_security(problems: &SchemaProblems, role: &str) -> CheckResult {
    if problems.hidden.is_empty() {
        return CheckResult::ok("rls", format!("row-level security hides no rows from {role}"));
    }
    CheckResult::failed(
        "rls",
        format!(
            "row-level security hides rows of {} from {role}: workers would find no sessions, without an error",
            problems.hidden.join(", ")
        ),
        format!(
            "use the role that owns the tables, or ALTER ROLE \"{role}\" BYPASSRLS, or a policy FOR ALL TO \"{role}\" \
             USING (true)"
        ),
    )
}

fn triggers(problems: &SchemaProblems) -> CheckResult {
    if problems.triggers.is_empty() {
        return CheckResult::ok("triggers", "both triggers on public.chat_sessions are enabled");
    }
    CheckResult::failed(
        "triggers",
        format!(
            "on public.chat_sessions, {}: trip ids that the application writes are noticed late, and its choice of a primary \
             quote is not noticed",
            problems.triggers.join(" and ")
        ),
        "ALTER TABLE public.chat_sessions ENABLE TRIGGER … for a disabled one; create a missing one again from migrations/",
    )
}

fn indexes(problems: &SchemaProblems) -> CheckResult {
    if problems.indexes.is_empty() {
        return CheckResult::ok("indexes", "all indexes of the service are valid");
    }
    let reindex = problems
        .indexes
        .iter()
        .map(|index| format!("REINDEX INDEX CONCURRENTLY {index}"));
    CheckResult::warning(
        "indexes",
        format!(
            "an interrupted migration left invalid indexes: {}",
            problems.indexes.join(", ")
        ),
        reindex.collect::<Vec<_>>().join("; "),
    )
}

fn columns(problems: &SchemaProblems) -> CheckResult {
    if problems.columns.is_empty() {
        return CheckResult::ok(
            "columns",
            "public.quotes requires no column that the service does not know",
        );
    }
    CheckResult::failed(
        "columns",
        format!(
            "public.quotes rejects every quote of Avinode: {}",
            problems.columns.join(", ")
        ),
        "give the columns defaults, or allow NULL; quotes are stored until then, and shown at most a day later",
    )
}

/// Counts quotes without a row in `public.quotes`, by reason.
fn quotes(unprojected: &[UnprojectedCount]) -> Vec<CheckResult> {
    if unprojected.is_empty() {
        return vec![CheckResult::ok("quotes", "public.quotes has all known quotes")];
    }
    let each = unprojected.iter().map(|some| {
        let count = some.quotes;
        match some.reason {
            UnprojectedReason::NoSession => CheckResult::ok(
                "quotes",
                format!("{count} wait for a session with the id of their trip or RFQ"),
            ),
            UnprojectedReason::NoRequest => CheckResult::ok(
                "quotes",
                format!("{count} are counted and wait for a request of their session"),
            ),
            UnprojectedReason::NoPrice => {
                CheckResult::ok("quotes", format!("{count} have no price that public.quotes can store"))
            }
            UnprojectedReason::NewestPriceMissing => CheckResult::ok(
                "quotes",
                format!("{count} show an older price: their newest fact has none, so no session proposes them"),
            ),
            UnprojectedReason::Pending => CheckResult::ok("quotes", format!("{count} will be shown in a moment")),
            UnprojectedReason::Refused => CheckResult::warning(
                "quotes",
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

fn jobs(waiting: i64, dead: i64, fetching: &LimiterStatus) -> Vec<CheckResult> {
    let mut results = Vec::new();
    match status::blocked(fetching) {
        Some(reason) if waiting > 0 => results.push(CheckResult::warning(
            "jobs",
            format!("{waiting} wait to be fetched: {reason}"),
            "they run once a process with valid credentials of Avinode's API runs",
        )),
        None if waiting > 0 => results.push(CheckResult::ok(
            "jobs",
            format!("{waiting} will be fetched in a moment"),
        )),
        _ => {}
    }
    if dead > 0 {
        results.push(CheckResult::warning(
            "jobs",
            format!("{dead} dead"),
            "see avinode-ingest jobs list --state dead; then jobs retry, or jobs discard",
        ));
    }
    if results.is_empty() {
        results.push(CheckResult::ok("jobs", "none waits to be fetched, none is dead"));
    }
    results
}
