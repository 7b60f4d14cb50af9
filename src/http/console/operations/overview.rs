//! The first page of operations: the last hour, the queue, fetching and maintenance.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::frame;
use super::plot::{Plot, PlotLine};
use super::text::{count, duration, moment};
use crate::admin::activity::{HourActivity, MinuteActivity};
use crate::admin::fetching::{FetchingStatus, LeaseHolder};
use crate::admin::summary::{JobCount, OperatorSummary};
use crate::domain::terminal_text::visible_lines;
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::format::age;
use crate::http::console::state::ConsoleState;
use crate::queue::job_state::JobState;

pub async fn show(Access(visitor): Reader, State(console): State<ConsoleState>) -> Result<Response, ConsoleError> {
    let admin = &console.api.admin;
    let (summary, activity) = (admin.summary().await?, admin.activity().await?);
    let content = page(&summary, &activity);
    Ok(frame::page(&visitor, frame::PATH, "Operations", &content))
}

/// All but the table of the minutes is read again every ten seconds: a reader may have opened that.
fn page(summary: &OperatorSummary, activity: &HourActivity) -> Markup {
    let now = summary.at;
    html! {
        div #live hx-get=(frame::PATH) hx-select="#live" hx-swap="outerHTML" hx-trigger="every 10s" {
            (numbers(summary, now))
            section aria-labelledby="hour" {
                h2 #hour { "Last hour" }
                (plots(activity))
            }
            section aria-labelledby="queue" {
                h2 #queue { "Queue" }
                (queue(&summary.jobs, now))
                (failures(summary))
            }
            section aria-labelledby="fetching" {
                h2 #fetching { "Fetching" }
                (fetching(&summary.fetching, now))
            }
        }
        details {
            summary { "The minutes of the last hour as a table, when the page was opened" }
            (minutes(activity))
        }
    }
}

fn numbers(summary: &OperatorSummary, now: DateTime<Utc>) -> Markup {
    let received = &summary.received;
    let at_least = if received.is_exact { "" } else { " or more" };
    let dead: i64 = of_state(summary, JobState::Dead);
    html! {
        dl.numbers {
            div { dt { "Received, last minute" } dd { (count(received.last_minute)) } }
            div { dt { "Received, last hour" } dd { (count(received.last_hour)) (at_least) } }
            div {
                dt { "Last delivery" }
                dd { @match received.last_received_at { Some(at) => (age(Some(at), now)), None => "none" } }
            }
            div {
                dt { "Oldest due job" }
                dd {
                    @match &summary.oldest_due_job {
                        Some(job) => a #oldest-due href=(format!("/console/operations/jobs/{}", job.id)) {
                            (age(Some(job.due_at), now)) " (" (visible_lines(&job.kind)) ")"
                        },
                        None => "none is due",
                    }
                }
            }
            div {
                dt { "Dead letters" }
                dd { a #dead-letters href="/console/operations/dead-letters" { (count(dead)) } }
            }
        }
    }
}

fn of_state(summary: &OperatorSummary, state: JobState) -> i64 {
    let jobs = summary.jobs.iter().filter(|it| it.state == state.as_str());
    jobs.map(|it| it.jobs).sum()
}

fn plots(activity: &HourActivity) -> Markup {
    let series = |name, value: &dyn Fn(&MinuteActivity) -> Option<f64>| PlotLine {
        name,
        values: activity.minutes.iter().map(value).collect(),
    };
    let whole = |count: i64| Some(f64::from(i32::try_from(count).unwrap_or(i32::MAX)));
    let plots = [
        Plot {
            id: "plot-received",
            title: "Received per minute",
            series: vec![series("Deliveries", &|minute| whole(minute.received))],
            format: |value| format!("{value:.0}"),
        },
        Plot {
            id: "plot-applied",
            title: "Applied per minute",
            series: vec![series("Deliveries", &|minute| whole(minute.applied))],
            format: |value| format!("{value:.0}"),
        },
        Plot {
            id: "plot-latency",
            title: "From received to applied",
            series: vec![
                series("Half within", &|minute| minute.median_seconds),
                series("95 in 100 within", &|minute| minute.percentile95_seconds),
            ],
            format: duration,
        },
    ];
    let is_estimate = activity.minutes.iter().any(|minute| minute.is_estimate);
    html! {
        div.plots { @for plot in &plots { (plot.render()) } }
        @if is_estimate {
            p.quiet {
                "Counts of minutes with more than " (count(activity.counted)) " deliveries are estimated from the first ones."
            }
        }
    }
}

fn minutes(activity: &HourActivity) -> Markup {
    let duration = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), duration);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Minutes of the last hour" {
            table {
                thead {
                    tr {
                        th scope="col" { "Minute from" }
                        th.number scope="col" { "Received" }
                        th.number scope="col" { "Applied" }
                        th.number scope="col" { "Half within" }
                        th.number scope="col" { "95 in 100 within" }
                    }
                }
                tbody {
                    @for (number, minute) in activity.minutes.iter().enumerate().rev() {
                        tr {
                            th scope="row" { (activity.begin_of(number).format("%H:%M:%S")) }
                            td.number { (count(minute.received)) }
                            td.number { (count(minute.applied)) }
                            td.number { (duration(minute.median_seconds)) }
                            td.number { (duration(minute.percentile95_seconds)) }
                        }
                    }
                }
            }
        }
    }
}

fn queue(jobs: &[JobCount], now: DateTime<Utc>) -> Markup {
    if jobs.is_empty() {
        return html! { p { "No jobs: everything that was received is done." } };
    }
    html! {
        div.scroll #jobs tabindex="0" role="region" aria-label="Jobs by kind and state" {
            table {
                thead {
                    tr {
                        th scope="col" { "Kind" }
                        th scope="col" { "State" }
                        th.number scope="col" { "Jobs" }
                        th scope="col" { "Oldest" }
                    }
                }
                tbody {
                    @for it in jobs {
                        @let list = format!("/console/operations/jobs?kind={}&state={}", it.kind, it.state);
                        tr {
                            th scope="row" {
                                // htmx keeps the focus of an element with an id.
                                a id=(format!("queue-{}-{}", it.kind, it.state)) href=(list) { (it.kind) }
                            }
                            td { span class=(format!("state state-{}", it.state)) { (it.state) } }
                            td.number { (count(it.jobs)) }
                            td { (oldest(it, now)) }
                        }
                    }
                }
            }
        }
    }
}

fn oldest(it: &JobCount, now: DateTime<Utc>) -> Markup {
    let word = match it.state.as_str() {
        "dead" => "died",
        "running" => "first lease ends",
        _ => "due",
    };
    html! { (word) " " (age(Some(it.oldest_due_at), now)) }
}

fn failures(summary: &OperatorSummary) -> Markup {
    html! {
        @if !summary.failures.is_empty() {
            h3 { "Failures that will be tried again" }
            ul {
                @for it in &summary.failures { li { (count(it.jobs)) " × " (visible_lines(&it.kind)) ": " (visible_lines(&it.reason)) } }
            }
        }
    }
}

fn fetching(status: &FetchingStatus, now: DateTime<Utc>) -> Markup {
    html! {
        dl.facts {
            dt { "State" }
            dd {
                span class=(format!("state state-{}", status.state)) { (status.state) }
                @if status.description != "ok" { " " (visible_lines(&status.description)) }
            }
            @if let Some(until) = status.until { dt { "Calls go on" } dd { (moment(until, now)) } }
            @if let (Some(rate), Some(burst)) = (status.calls_per_second, status.burst) {
                dt { "Limit" } dd { (rate) " calls a second, " (burst) " in a row" }
            }
            @if let Some(until) = status.slow_until { dt { "A call costs two of the limit until" } dd { (moment(until, now)) } }
            dt { "Process" } dd { (holder(status.leader.as_ref(), now)) }
            dt { "Resources that failed" } dd { (status.failed_resources) " since the last success" }
            dt { "Resources that Avinode refused" } dd { (status.refused_resources) " since the last success" }
        }
    }
}

/// The process that holds a lease.
pub fn holder(leader: Option<&LeaseHolder>, now: DateTime<Utc>) -> Markup {
    html! {
        @match leader {
            Some(leader) => { code { (leader.process) } ", held until " (age(Some(leader.held_until), now)) },
            None => "none",
        }
    }
}
