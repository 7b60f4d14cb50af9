//! Forms of batches. Each begins a dry run; the page of the dry run has the form that begins the action itself.

use maud::{Markup, html};

use super::actions::note_field;
use super::batches;
use super::dead_letters::GroupFilters;
use super::params::Params;
use super::text::count;
use crate::admin::batches::work::BatchWork;
use crate::admin::dead_letters::DeadLetterGroup;
use crate::domain::api_scope::ApiScope;
use crate::http::console::access::Visitor;
use crate::http::console::form::token_field;
use crate::http::v1::admin::delivery_filter::DeliveryBatchFilter;
use crate::http::v1::admin::job_filter::JobBatchFilter;
use crate::http::v1::problem::ApiProblem;
use crate::store::batches::{BatchRow, BatchState};

/// Fields that are no filters.
const OWN_FIELDS: [&str; 2] = ["action", "note"];
/// Parameters of a list that are no filters.
const PAGE_PARAMS: [&str; 2] = ["cursor", "limit"];

/// Reads the action and the filters of a form.
pub fn work(fields: &Params) -> Result<BatchWork, ApiProblem> {
    let filters = fields.without(&OWN_FIELDS);
    let jobs = || filters.parse::<JobBatchFilter>()?.parse();
    match fields.get("action") {
        Some("retry") => Ok(BatchWork::Retry(jobs()?)),
        Some("discard") => Ok(BatchWork::Discard {
            jobs: jobs()?,
            timers: false,
        }),
        Some("replay") => Ok(BatchWork::Replay(filters.parse::<DeliveryBatchFilter>()?.parse()?)),
        _ => Err(ApiProblem::field("action", "is not retry, discard or replay")),
    }
}

/// The forms for the jobs and deliveries of a group of dead letters.
pub fn of_dead_letters(visitor: &Visitor, group: &DeadLetterGroup) -> Option<Markup> {
    let filters = GroupFilters::of(group);
    let params = |filters: &[(&str, String)]| -> Params {
        filters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let (jobs, deliveries) = (params(&filters.jobs), params(&filters.deliveries));
    visitor.may(ApiScope::Admin).then(|| {
        html! {
            section aria-labelledby="actions" {
                h2 #actions { "Actions" }
                (dry_run(visitor, "retry", &jobs, "The dead jobs become due now, and begin with their attempts at 0."))
                (dry_run(visitor, "replay", &deliveries, "New jobs process the dead deliveries again."))
                (dry_run(visitor, "discard", &jobs, "The dead jobs leave the queue for good. Their deliveries stay."))
            }
        }
    })
}

/// The forms for all jobs that the filters of the list select.
pub fn of_jobs(visitor: &Visitor, params: &Params) -> Markup {
    let filters = params.without(&PAGE_PARAMS);
    of_list(
        visitor,
        &filters,
        &html! {
            (dry_run(visitor, "retry", &filters, "The selected jobs become due now: dead, scheduled and retryable ones."))
            (dry_run(visitor, "discard", &filters, "The selected jobs leave the queue for good. Their deliveries stay."))
        },
    )
}

/// The form for all deliveries that the filters of the list select.
pub fn of_deliveries(visitor: &Visitor, params: &Params) -> Markup {
    let filters = params.without(&PAGE_PARAMS);
    of_list(
        visitor,
        &filters,
        &html! {
            (dry_run(visitor, "replay", &filters, "New jobs process the selected deliveries again."))
        },
    )
}

fn of_list(visitor: &Visitor, filters: &Params, forms: &Markup) -> Markup {
    html! {
        @if visitor.may(ApiScope::Admin) && !filters.is_empty() {
            section aria-labelledby="actions" {
                h2 #actions { "Actions on all that the filters select" }
                (forms)
            }
        }
    }
}

fn dry_run(visitor: &Visitor, action: &str, filters: &Params, effect: &str) -> Markup {
    let id = format!("{action}-note");
    html! {
        form.action method="post" action=(batches::PATH) {
            (token_field(visitor))
            input type="hidden" name="action" value=(action);
            @for (name, value) in filters.iter() { input type="hidden" name=(name) value=(value); }
            p { (effect) }
            (note_field(&id))
            button type="submit" { "Dry run: " (action) }
        }
    }
}

/// The form that begins the action which a finished dry run counted. `text`: that of its filter.
pub fn of_dry_run(visitor: &Visitor, batch: &BatchRow, text: Option<&str>) -> Option<Markup> {
    let is_counted = batch.dry_run && batch.state == BatchState::Finished.as_str() && batch.changed > 0;
    (is_counted && visitor.may(ApiScope::Admin)).then(|| {
        let (rows, button) = match batch.action.as_str() {
            "retry" => ("jobs", "Retry"),
            "discard" => ("jobs", "Discard"),
            _ => ("deliveries", "Replay"),
        };
        html! {
            section aria-labelledby="actions" {
                h2 #actions { "Action" }
                form.action method="post" action=(format!("{}/confirm", batches::path_of(batch))) {
                    (token_field(visitor))
                    @if let Some(text) = text { input type="hidden" name="text" value=(text); }
                    p { "On rows that were inserted before the dry run began." }
                    (note_field("confirm-note"))
                    button.danger[batch.action == "discard"] type="submit" { (button) " " (count(batch.changed)) " " (rows) }
                }
            }
        }
    })
}
