//! The forms that change one job or delivery, and their handlers.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;

use super::frame::done;
use super::{deliveries, jobs};
use crate::admin::actions::JobsChanged;
use crate::domain::actor::{Acting, ActionNote, MAX_NOTE};
use crate::domain::api_scope::ApiScope;
use crate::http::console::access::Visitor;
use crate::http::console::error::ConsoleError;
use crate::http::console::form::{AdminForm, FormFields, token_field};
use crate::http::console::state::ConsoleState;
use crate::http::v1::admin::ids::{DeliveryId, JobId};
use crate::http::v1::admin::problem::AdminProblem;
use crate::http::v1::problem::ApiProblem;
use crate::queue::admin::JobView;
use crate::queue::job_state::JobState;

/// The forms of a job, for a visitor who may send them.
pub fn of_job(visitor: &Visitor, job: &JobView) -> Option<Markup> {
    if !visitor.may(ApiScope::Admin) || job.state == JobState::Running {
        return None;
    }
    let action = |word: &str| format!("{}/{}/{word}", jobs::PATH, job.id);
    let can_retry = matches!(job.state, JobState::Dead | JobState::Scheduled | JobState::Retryable);
    Some(html! {
        section aria-labelledby="actions" {
            h2 #actions { "Actions" }
            @if can_retry {
                (form(visitor, &action("retry"), "Retry", "retry-note", "The job becomes due now.", false))
            }
            (form(visitor, &action("discard"), "Discard", "discard-note",
                "The job leaves the queue for good. Its delivery stays, and can be replayed.", true))
        }
    })
}

/// The form of a delivery, for a visitor who may send it.
pub fn of_delivery(visitor: &Visitor, id: Uuid, is_redacted: bool) -> Option<Markup> {
    (visitor.may(ApiScope::Admin) && !is_redacted).then(|| {
        let action = format!("{}/{id}/replay", deliveries::PATH);
        html! {
            section aria-labelledby="actions" {
                h2 #actions { "Actions" }
                (form(visitor, &action, "Replay", "replay-note",
                    "A new job processes the delivery again. What was applied before is not applied twice.", false))
            }
        }
    })
}

fn form(visitor: &Visitor, action: &str, button: &str, note_id: &str, effect: &str, is_final: bool) -> Markup {
    html! {
        form.action method="post" action=(action) {
            (token_field(visitor))
            p { (effect) }
            (note_field(note_id))
            button.danger[is_final] type="submit" { (button) }
        }
    }
}

/// The field for the note of an admin.
pub fn note_field(id: &str) -> Markup {
    html! {
        label for=(id) { "Note, for the audit log" }
        input id=(id) type="text" name="note" maxlength=(MAX_NOTE) autocomplete="off";
    }
}

/// The visitor acts, with the note of the form.
pub fn acting(visitor: &Visitor, fields: &FormFields) -> Result<Acting, ConsoleError> {
    let note = fields.text("note").map(ActionNote::parse).transpose();
    let note = note.map_err(|error| ApiProblem::field("note", &error.to_string()))?;
    Ok(Acting::new(visitor.actor.clone(), note))
}

pub async fn retry(
    id: Result<JobId, ApiProblem>,
    State(console): State<ConsoleState>,
    form: AdminForm,
) -> Result<Response, ConsoleError> {
    let JobId(id) = id?;
    let job = job(&console, id).await?;
    let acting = acting(&form.visitor, &form.fields)?;
    let changed = console.api.admin.retry(&[id], &acting).await?;
    after_job(&console, &job, &changed, "retry").await
}

pub async fn discard(
    id: Result<JobId, ApiProblem>,
    State(console): State<ConsoleState>,
    form: AdminForm,
) -> Result<Response, ConsoleError> {
    let JobId(id) = id?;
    let job = job(&console, id).await?;
    let acting = acting(&form.visitor, &form.fields)?;
    let changed = console.api.admin.discard(&[id], false, &acting).await?;
    after_job(&console, &job, &changed, "discard").await
}

pub async fn replay(
    id: Result<DeliveryId, ApiProblem>,
    State(console): State<ConsoleState>,
    form: AdminForm,
) -> Result<Response, ConsoleError> {
    let DeliveryId(id) = id?;
    let acting = acting(&form.visitor, &form.fields)?;
    let replayed = console.api.admin.replay(&[id], &acting).await?;
    if replayed.enqueued.contains(&id) {
        return Ok(done(&format!("{}/{id}", deliveries::PATH), "replay"));
    }
    Err(match replayed.redacted.contains(&id) {
        true => AdminProblem::DeliveryRedacted,
        false => AdminProblem::DeliveryNotFound,
    }
    .into())
}

async fn job(console: &ConsoleState, id: i64) -> Result<JobView, ConsoleError> {
    Ok(console.api.admin.job(id).await?.ok_or(AdminProblem::JobNotFound)?)
}

/// Leads to the delivery, which shows the outcomes of its jobs: a job that is done has no page.
async fn after_job(
    console: &ConsoleState,
    before: &JobView,
    changed: &JobsChanged,
    action: &str,
) -> Result<Response, ConsoleError> {
    if !changed.done.contains(&before.id) {
        let state = job(console, before.id).await?.state;
        return Err(AdminProblem::InvalidJobState(state).into());
    }
    Ok(match before.delivery_id {
        Some(delivery) => done(&format!("{}/{delivery}", deliveries::PATH), action),
        None => done(jobs::PATH, action),
    })
}
