//! The page of maintenance: the process that does it, and the last run of each task.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::frame;
use super::overview::holder;
use super::text::moment;
use crate::admin::maintenance::MaintenanceStatus;
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;

const PATH: &str = "/console/operations/maintenance";

pub async fn show(Access(visitor): Reader, State(console): State<ConsoleState>) -> Result<Response, ConsoleError> {
    let status = console.api.admin.maintenance().await?;
    let content = content(&status, console.clock.now());
    Ok(frame::page(&visitor, PATH, "Maintenance", &content))
}

fn content(status: &MaintenanceStatus, now: DateTime<Utc>) -> Markup {
    html! {
        dl.facts { dt { "Process" } dd { (holder(status.leader.as_ref(), now)) } }
        @if status.tasks.is_empty() {
            p { "No task has run yet." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Periodic tasks" {
                table {
                    thead { tr { th scope="col" { "Task" } th scope="col" { "Last run began" } } }
                    tbody {
                        @for run in &status.tasks {
                            tr { th scope="row" { (run.task) } td { (moment(run.started_at, now)) } }
                        }
                    }
                }
            }
        }
    }
}
