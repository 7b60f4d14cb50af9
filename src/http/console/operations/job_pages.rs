//! Handlers of the pages of jobs.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::html;

use super::filter_form::next_page;
use super::params::Params;
use super::{actions, batch_forms, frame, jobs};
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;
use crate::http::v1::admin::cursors::JobCursor;
use crate::http::v1::admin::ids::JobId;
use crate::http::v1::admin::job_filter::JobListParams;
use crate::http::v1::admin::problem::AdminProblem;
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;

pub async fn list(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let query = Params::read(&query.unwrap_or_default());
    let params = query.without(&["done"]);
    let page = console
        .api
        .admin
        .jobs(&params.parse::<JobListParams>()?.parse()?)
        .await?;
    let cursor = page.next.map(|position| cursor::encode(&JobCursor(position)));
    let content = html! {
        (frame::outcome(&query))
        (jobs::filters(&params))
        (jobs::list(&page.data, console.clock.now()))
        (next_page(jobs::PATH, &params, cursor.as_deref()))
        (batch_forms::of_jobs(&visitor, &params))
    };
    Ok(frame::page(&visitor, jobs::PATH, "Jobs", &content))
}

pub async fn show(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    id: Result<JobId, ApiProblem>,
) -> Result<Response, ConsoleError> {
    let JobId(id) = id?;
    let job = console.api.admin.job(id).await?.ok_or(AdminProblem::JobNotFound)?;
    let actions = actions::of_job(&visitor, &job);
    let content = jobs::page(&job, actions.as_ref(), console.clock.now());
    Ok(frame::page(&visitor, jobs::PATH, &format!("Job {id}"), &content))
}
