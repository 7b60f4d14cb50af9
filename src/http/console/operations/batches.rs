//! Batches: the list, and a batch with its progress. The page of a dry run has the form that begins the action itself.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::Value;

use super::text::{count, moment};
use crate::domain::terminal_text::visible_lines;
use crate::store::batches::{BatchRow, BatchState};

pub const PATH: &str = "/console/operations/batches";

pub fn list(batches: &[BatchRow], now: DateTime<Utc>) -> Markup {
    html! {
        @if batches.is_empty() {
            p { "No batches." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Batches" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Begun" } th scope="col" { "Action" } th scope="col" { "State" }
                            th.number scope="col" { "Selected" } th.number scope="col" { "Changed" } th scope="col" { "By" }
                        }
                    }
                    tbody {
                        @for batch in batches {
                            tr {
                                th scope="row" { a href=(path_of(batch)) { (moment(batch.begun_at, now)) } }
                                td { (action(batch)) }
                                td { span class=(format!("state state-{}", batch.state)) { (batch.state) } }
                                td.number { (count(batch.selected)) }
                                td.number { (count(batch.changed)) }
                                td { (visible_lines(&batch.actor)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub fn path_of(batch: &BatchRow) -> String {
    format!("{PATH}/{}", batch.id)
}

fn action(batch: &BatchRow) -> String {
    let word = &batch.action;
    match batch.dry_run {
        true => format!("dry run of {word}"),
        false => word.clone(),
    }
}

pub fn title(batch: &BatchRow) -> String {
    let mut title = action(batch);
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

fn is_running(batch: &BatchRow) -> bool {
    batch.state == BatchState::Running.as_str()
}

/// The page of a batch. While it runs, its progress is read again each second. `query`: that of the page.
pub fn page(batch: &BatchRow, query: &str, next: Option<&Markup>, now: DateTime<Utc>) -> Markup {
    let path = match query {
        "" => path_of(batch),
        query => format!("{}?{query}", path_of(batch)),
    };
    html! {
        @if is_running(batch) {
            div #progress hx-get=(path) hx-select="#progress" hx-swap="outerHTML" hx-trigger="every 1s" aria-live="polite" {
                (progress(batch, next, now))
                p { "It runs. " a href=(path) { "Read again" } }
            }
        } @else {
            div #progress aria-live="polite" { (progress(batch, next, now)) }
        }
    }
}

/// `next`: the form that begins the action itself.
fn progress(batch: &BatchRow, next: Option<&Markup>, now: DateTime<Utc>) -> Markup {
    html! {
        dl.facts {
            dt { "State" } dd { span class=(format!("state state-{}", batch.state)) { (batch.state) } }
            dt { "Selected" }
            dd { (count(batch.selected)) @if batch.selected >= batch.row_limit { ", the limit: there may be more" } }
            dt { (changed_label(batch)) } dd { (count(batch.changed)) }
            dt { "Skipped" } dd { (count(batch.skipped)) " in a state that allows or needs no change" }
            @if batch.action == "replay" { dt { "Not usable" } dd { (count(batch.failed)) " redacted or deleted" } }
            (result(&batch.result))
            dt { "Filter" } dd { code { (visible_lines(&batch.filter.to_string())) } }
            dt { "Begun" } dd { (moment(batch.begun_at, now)) " by " (visible_lines(&batch.actor)) }
            @if let Some(note) = &batch.note { dt { "Note" } dd { (visible_lines(note)) } }
            @if let Some(at) = batch.finished_at { dt { "Ended" } dd { (moment(at, now)) } }
        }
        @match next {
            Some(next) => (next),
            None => @if batch.dry_run && batch.changed == 0 && !is_running(batch) { p { "Nothing would be changed." } },
        }
    }
}

fn changed_label(batch: &BatchRow) -> &'static str {
    match (batch.action.as_str(), batch.dry_run) {
        ("retry", true) => "Would be retried",
        ("discard", true) => "Would be discarded",
        (_, true) => "Would be replayed",
        ("retry", false) => "Retried",
        ("discard", false) => "Discarded",
        (_, false) => "Replayed",
    }
}

/// The changes that a replay would make, or the error of a failed batch.
fn result(result: &Value) -> Markup {
    let number = |name: &str| result[name].as_i64();
    let numbers = [
        ("Sessions that would change", number("sessions_changed")),
        ("Would be fetched", number("would_be_fetched")),
        ("Would be dead-lettered", number("would_be_dead")),
        ("Could not be applied here", number("undecided")),
    ];
    html! {
        @for (label, number) in numbers {
            @if let Some(number) = number { dt { (label) } dd { (count(number)) } }
        }
        @if let Some(error) = result["error"].as_str() { dt { "Error" } dd { (visible_lines(error)) } }
    }
}
