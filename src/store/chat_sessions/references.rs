//! Whether what a call refers to exists, asked before it is written: a foreign key would say no, but not of which field, and
//! an application may have none.

use crate::postgres::transaction::Transaction;
use uuid::Uuid;

/// What a call refers to; what is `None` is not asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct References {
    /// `requests.id`.
    pub request_id: Option<Uuid>,
    /// `iso_agents.id`.
    pub iso_agent_id: Option<Uuid>,
    /// `proposals.id`.
    pub proposal_id: Option<Uuid>,
}

/// The name of the first field that refers to no row, if any does.
pub async fn missing(tx: &mut Transaction<'_>, to: References) -> Result<Option<&'static str>, sqlx::Error> {
    let found = sqlx::query!(
        r#"
        SELECT $1::uuid IS NULL OR EXISTS (SELECT FROM public.requests WHERE id = $1) AS "request!",
            $2::uuid IS NULL OR EXISTS (SELECT FROM public.iso_agents WHERE id = $2) AS "agent!",
            $3::uuid IS NULL OR EXISTS (SELECT FROM public.proposals WHERE id = $3) AS "proposal!"
        "#,
        to.request_id,
        to.iso_agent_id,
        to.proposal_id,
    )
    .fetch_one(tx)
    .await?;
    let fields = [
        (found.agent, "iso_agent_id"),
        (found.request, "request_id"),
        (found.proposal, "proposal_id"),
    ];
    Ok(fields.into_iter().find(|(exists, _)| !exists).map(|(_, field)| field))
}
