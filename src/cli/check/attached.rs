//! What is tried of a migrated database: rights, row-level security, triggers, indexes, and what is left in the queue.

use super::finding::{Finding, Findings};
use crate::jobs::registry::WAITING_KINDS;
use crate::postgres::probe::{self, Broken};
use crate::postgres::transaction::Pool;
use crate::queue::operate;

/// Tries all of it.
pub async fn look(pool: &Pool, role: &str, findings: &mut Findings) -> Result<(), sqlx::Error> {
    let broken = probe::broken(pool).await?;
    let readable = broken.rights.is_empty();
    findings.add(missing_rights(&broken, role));
    findings.add(hidden(&broken, role));
    findings.add(triggers(&broken));
    findings.add(indexes(&broken));
    if readable {
        let unserved: Vec<String> = WAITING_KINDS.iter().map(ToString::to_string).collect();
        let (waiting, dead) = operate::left(pool, &unserved).await?;
        findings.extend(jobs(waiting, dead));
    }
    Ok(())
}

/// Tries the rights alone.
pub async fn rights(pool: &Pool, role: &str, findings: &mut Findings) -> Result<(), sqlx::Error> {
    findings.add(missing_rights(&probe::broken(pool).await?, role));
    Ok(())
}

fn missing_rights(broken: &Broken, role: &str) -> Finding {
    if broken.rights.is_empty() {
        return Finding::ok("rights", format!("{role} may read and write what it has to"));
    }
    let grants = broken.rights.iter().map(|right| format!("GRANT {right} TO \"{role}\""));
    Finding::failed(
        "rights",
        format!("{role} may not do all that it has to"),
        format!("as the owner: {}", grants.collect::<Vec<_>>().join("; ")),
    )
}

fn hidden(broken: &Broken, role: &str) -> Finding {
    if broken.hidden.is_empty() {
        return Finding::ok("rows", format!("row-level security hides nothing from {role}"));
    }
    Finding::failed(
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

fn triggers(broken: &Broken) -> Finding {
    if broken.triggers.is_empty() {
        return Finding::ok("triggers", "both of ours on chat_sessions are enabled");
    }
    Finding::failed(
        "triggers",
        format!(
            "on public.chat_sessions {}: the application's trip ids are noticed late, its choice of a primary quote not",
            broken.triggers.join(" and ")
        ),
        "ALTER TABLE public.chat_sessions ENABLE TRIGGER … for a disabled one; restore a missing one from migrations/",
    )
}

fn indexes(broken: &Broken) -> Finding {
    if broken.indexes.is_empty() {
        return Finding::ok("indexes", "all of ours are valid");
    }
    let reindex = broken
        .indexes
        .iter()
        .map(|index| format!("REINDEX INDEX CONCURRENTLY {index}"));
    Finding::warning(
        "indexes",
        format!(
            "left invalid by an interrupted migration: {}",
            broken.indexes.join(", ")
        ),
        reindex.collect::<Vec<_>>().join("; "),
    )
}

fn jobs(waiting: i64, dead: i64) -> Vec<Finding> {
    let mut found = Vec::new();
    if waiting > 0 {
        found.push(Finding::ok(
            "jobs",
            format!("{waiting} thin notifications wait: this version does not fetch their resources yet"),
        ));
    }
    if dead > 0 {
        found.push(Finding::warning(
            "jobs",
            format!("{dead} dead"),
            "see avinode-ingest jobs list --state dead; then jobs retry, or jobs discard",
        ));
    }
    if found.is_empty() {
        found.push(Finding::ok("jobs", "none waits for fetching, none is dead"));
    }
    found
}
