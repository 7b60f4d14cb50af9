//! What is tried of a migrated database: rights, row-level security, triggers, indexes, what is left in the queue, and
//! quotes that cannot be shown.

use super::finding::{CheckResult, CheckResults};
use crate::domain::job_kind::JobKind;
use crate::jobs::fetch::status;
use crate::postgres::diagnostics::{self, SchemaProblems};
use crate::postgres::transaction::Pool;
use crate::queue::admin;
use crate::queue::rate_limit::status::LimiterStatus;
use crate::store::unprojected::{self, UnprojectedCount, UnprojectedReason};

/// Tries all of it.
pub async fn look(pool: &Pool, role: &str, findings: &mut CheckResults) -> Result<(), sqlx::Error> {
    let broken = diagnostics::broken(pool).await?;
    let readable = broken.rights.is_empty();
    findings.extend(missing_rights(&broken, role));
    findings.add(hidden(&broken, role));
    findings.add(triggers(&broken));
    findings.add(indexes(&broken));
    findings.add(demands(&broken));
    if readable {
        let (waiting, dead) = admin::count_live_and_dead(pool, &JobKind::FETCHING).await?;
        findings.extend(jobs(waiting, dead, &status::read(pool).await?));
        findings.extend(quotes(&unprojected::unshown(pool).await?));
    }
    Ok(())
}

/// Tries the rights alone.
pub async fn rights(pool: &Pool, role: &str, findings: &mut CheckResults) -> Result<(), sqlx::Error> {
    findings.extend(missing_rights(&diagnostics::broken(pool).await?, role));
    Ok(())
}

/// One line for each right: what is missing, what comes of it, and the GRANT that mends it.
fn missing_rights(broken: &SchemaProblems, role: &str) -> Vec<CheckResult> {
    if broken.rights.is_empty() {
        let found = format!("{role} may read and write what it has to");
        return vec![CheckResult::ok("rights", found)];
    }
    let missing = broken.rights.iter().map(|right| {
        let found = format!("{role} lacks {right}: {}", without(right));
        CheckResult::failed("rights", found, format!("as the owner: GRANT {right} TO \"{role}\""))
    });
    missing.collect()
}

/// What comes of lacking a right.
fn without(right: &str) -> &'static str {
    let (_, place) = right.split_once(" ON ").unwrap_or_default();
    match place {
        "SCHEMA avinode_ingest" => "it reaches none of the service's own tables",
        "SCHEMA public" => "it reaches no table of the application's",
        _ if place.starts_with("SEQUENCE") => "it can claim no job",
        _ if place.starts_with("FUNCTION") => "neither it nor the application can write a session",
        "avinode_ingest.schema_migrations" => "it cannot tell whether the schema is its own",
        _ if place.starts_with("avinode_ingest.") => "it cannot keep deliveries and work on them",
        _ if place.contains("public.chat_sessions") => "it cannot find sessions and bring them up to date",
        _ if place.contains("public.quotes") => "it cannot show a quote to the application",
        _ => "the API of sessions cannot tell what a session belongs to",
    }
}

fn hidden(broken: &SchemaProblems, role: &str) -> CheckResult {
    if broken.hidden.is_empty() {
        return CheckResult::ok("rows", format!("row-level security hides nothing from {role}"));
    }
    CheckResult::failed(
        "rows",
        format!(
            "row-level security hides the rows of {} from {role}: workers would find no session, and say nothing",
            broken.hidden.join(", ")
        ),
        format!(
            "use the role that owns the tables, or ALTER ROLE \"{role}\" BYPASSRLS, or a policy FOR ALL TO \"{role}\" \
             USING (true)"
        ),
    )
}

fn triggers(broken: &SchemaProblems) -> CheckResult {
    if broken.triggers.is_empty() {
        return CheckResult::ok("triggers", "both of ours on chat_sessions are enabled");
    }
    CheckResult::failed(
        "triggers",
        format!(
            "on public.chat_sessions {}: the application's trip ids are noticed late, its choice of a primary quote not",
            broken.triggers.join(" and ")
        ),
        "ALTER TABLE public.chat_sessions ENABLE TRIGGER … for a disabled one; restore a missing one from migrations/",
    )
}

fn indexes(broken: &SchemaProblems) -> CheckResult {
    if broken.indexes.is_empty() {
        return CheckResult::ok("indexes", "all of ours are valid");
    }
    let reindex = broken
        .indexes
        .iter()
        .map(|index| format!("REINDEX INDEX CONCURRENTLY {index}"));
    CheckResult::warning(
        "indexes",
        format!(
            "left invalid by an interrupted migration: {}",
            broken.indexes.join(", ")
        ),
        reindex.collect::<Vec<_>>().join("; "),
    )
}

fn demands(broken: &SchemaProblems) -> CheckResult {
    if broken.demands.is_empty() {
        return CheckResult::ok(
            "columns",
            "public.quotes demands nothing that the service does not know",
        );
    }
    CheckResult::failed(
        "columns",
        format!(
            "public.quotes takes no quote of Avinode's: {}",
            broken.demands.join(", ")
        ),
        "give the columns defaults, or let them be empty; quotes are kept meanwhile, and shown a day later at the latest",
    )
}

/// Quotes that are known and that the application's `quotes` does not show, by what is missing.
fn quotes(unshown: &[UnprojectedCount]) -> Vec<CheckResult> {
    if unshown.is_empty() {
        return vec![CheckResult::ok("quotes", "all that are known stand in public.quotes")];
    }
    let each = unshown.iter().map(|some| {
        let many = some.quotes;
        match some.missing {
            UnprojectedReason::Session => CheckResult::ok(
                "quotes",
                format!("{many} wait for a session with the id of their trip or RFQ"),
            ),
            UnprojectedReason::Request => CheckResult::ok(
                "quotes",
                format!("{many} are counted and wait for a request of their session"),
            ),
            UnprojectedReason::Price => {
                CheckResult::ok("quotes", format!("{many} have no price that public.quotes can hold"))
            }
            UnprojectedReason::NewestPrice => CheckResult::ok(
                "quotes",
                format!("{many} show an older price: the newest word on them has none, so no session proposes them"),
            ),
            UnprojectedReason::Turn => CheckResult::ok("quotes", format!("{many} are about to be shown")),
            UnprojectedReason::Consent => CheckResult::warning(
                "quotes",
                format!(
                    "public.quotes refused {many}, for example with: {}",
                    some.example.as_deref().unwrap_or("no reason")
                ),
                "mend the rule that refuses them; they are tried again within a day, or with news of the quote",
            ),
        }
    });
    each.collect()
}

fn jobs(waiting: i64, dead: i64, fetching: &LimiterStatus) -> Vec<CheckResult> {
    let mut found = Vec::new();
    match status::blocked(fetching) {
        Some(why) if waiting > 0 => found.push(CheckResult::warning(
            "jobs",
            format!("{waiting} wait to be fetched: {why}"),
            "they are kept, and worked off once a process with credentials that Avinode takes runs",
        )),
        None if waiting > 0 => found.push(CheckResult::ok("jobs", format!("{waiting} are about to be fetched"))),
        _ => {}
    }
    if dead > 0 {
        found.push(CheckResult::warning(
            "jobs",
            format!("{dead} dead"),
            "see avinode-ingest jobs list --state dead; then jobs retry, or jobs discard",
        ));
    }
    if found.is_empty() {
        found.push(CheckResult::ok("jobs", "none waits for fetching, none is dead"));
    }
    found
}
