//! The list of jobs with its filters, and a job with its failures.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use strum::VariantArray;

use super::filter_form::{Field, filter_form};
use super::params::Params;
use super::text::moment;
use crate::domain::terminal_text::visible_lines;
use crate::http::console::format::age;
use crate::queue::admin::JobView;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;

pub const PATH: &str = "/console/operations/jobs";

const STATES: [JobState; 5] = [
    JobState::Available,
    JobState::Running,
    JobState::Scheduled,
    JobState::Retryable,
    JobState::Dead,
];

pub fn filters(params: &Params) -> Markup {
    let kinds: Vec<&str> = JobKind::VARIANTS.iter().map(|kind| kind.as_str()).collect();
    let states: Vec<&str> = STATES.iter().map(|state| state.as_str()).collect();
    let fields = [
        Field::choice("state", "State", states),
        Field::choice("kind", "Kind", kinds),
        Field::text("reason", "Text in reason"),
        Field::text("text", "Text in key, reason or failures"),
        Field::text("trip", "Trip"),
        Field::text("rfq", "RFQ"),
        Field::text("quote", "Quote"),
        Field::text("session", "Session"),
        Field::time("since", "Since"),
        Field::time("until", "Until"),
    ];
    filter_form(PATH, &fields, params)
}

pub fn list(jobs: &[JobView], now: DateTime<Utc>) -> Markup {
    html! {
        @if jobs.is_empty() {
            p { "No jobs." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Jobs" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Job" } th scope="col" { "Kind" } th scope="col" { "State" } th scope="col" { "Due" }
                            th.number scope="col" { "Attempts" } th scope="col" { "Key" } th scope="col" { "Reason" }
                        }
                    }
                    tbody {
                        @for job in jobs {
                            tr {
                                th scope="row" { a href=(format!("{PATH}/{}", job.id)) { (job.id) } }
                                td { (visible_lines(&job.kind)) }
                                td { span class=(format!("state state-{}", job.state.as_str())) { (job.state.as_str()) } }
                                td { (age(Some(job.due_at), now)) }
                                td.number { (job.attempts) }
                                td { (visible_lines(job.key.as_deref().unwrap_or("–"))) }
                                td { (visible_lines(job.reason.as_deref().unwrap_or("–"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `actions`: the forms that change it, for a reader who may.
pub fn page(job: &JobView, actions: Option<&Markup>, now: DateTime<Utc>) -> Markup {
    let due = match job.state {
        JobState::Dead => "Died",
        JobState::Running => "Lease ends",
        _ => "Due",
    };
    html! {
        dl.facts {
            dt { "Kind" } dd { (visible_lines(&job.kind)) }
            dt { "State" } dd { span class=(format!("state state-{}", job.state.as_str())) { (job.state.as_str()) } }
            @if let Some(reason) = &job.reason { dt { "Reason" } dd { (visible_lines(reason)) } }
            dt { (due) } dd { (moment(job.due_at, now)) }
            dt { "Inserted" } dd { (moment(job.created_at, now)) }
            dt { "Attempts" } dd { (job.attempts) ", of which " (job.crashes) " ended with their worker" }
            @if let Some(key) = &job.key { dt { "Key" } dd { (visible_lines(key)) } }
            @if let Some(by) = &job.leased_by { dt { "Worker" } dd { code { (visible_lines(by)) } } }
            @if let Some(delivery) = job.delivery_id {
                dt { "Delivery" }
                dd { a href=(format!("/console/operations/deliveries/{delivery}")) { (delivery) } }
            }
        }
        @if let Some(actions) = actions { (actions) }
        h2 { "Last failures" }
        @if job.history.is_empty() {
            p { "None." }
        } @else {
            ol { @for failure in &job.history { li { (visible_lines(failure)) } } }
        }
    }
}
