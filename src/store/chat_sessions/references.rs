//! Checks before a write that the referenced rows exist: a foreign key error does not name the field, and the application
//! may have no foreign keys.

use crate::postgres::transaction::Transaction;
use uuid::Uuid;

/// The name of the first field that refers to no row; an absent one is not checked.
pub async fn first_missing(
    tx: &mut Transaction<'_>,
    request_id: Option<Uuid>,
    iso_agent_id: Option<Uuid>,
    proposal_id: Option<Uuid>,
) -> Result<Option<&'static str>, sqlx::Error> {
    let exists = sqlx::query!(
        r#"
        SELECT $1::uuid IS NULL OR EXISTS (SELECT FROM public.requests WHERE id = $1) AS "request!",
            $2::uuid IS NULL OR EXISTS (SELECT FROM public.iso_agents WHERE id = $2) AS "agent!",
            $3::uuid IS NULL OR EXISTS (SELECT FROM public.proposals WHERE id = $3) AS "proposal!"
        "#,
        request_id,
        iso_agent_id,
        proposal_id,
    )
    .fetch_one(tx)
    .await?;
    let fields = [
        (exists.agent, "iso_agent_id"),
        (exists.request, "request_id"),
        (exists.proposal, "proposal_id"),
    ];
    Ok(fields.into_iter().find(|(exists, _)| !exists).map(|(_, field)| field))
}
