//! Dead letters grouped by reason, and a group with the actions on it. An action begins with its dry run.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use url::form_urlencoded::Serializer;

use super::text::{count, moment};
use crate::admin::dead_letters::{DeadLetterGroup, DeadLetters};
use crate::domain::terminal_text::visible_lines;
use crate::http::console::format::age;
use crate::queue::job_state::JobState;

pub const PATH: &str = "/console/operations/dead-letters";

pub fn list(dead: &DeadLetters, now: DateTime<Utc>) -> Markup {
    html! {
        @if dead.data.is_empty() {
            p { "No dead letters." }
        } @else {
            @if !dead.is_complete { p { "There are more: the newest 10,000 are grouped." } }
            div.scroll tabindex="0" role="region" aria-label="Dead letters by reason" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Reason" } th scope="col" { "Kind" } th.number scope="col" { "Jobs" }
                            th scope="col" { "Oldest" } th scope="col" { "Newest" } th scope="col" { "Example" }
                        }
                    }
                    tbody {
                        @for group in &dead.data {
                            tr {
                                th scope="row" { a href=(group_path(group)) { (visible_lines(&group.reason)) } }
                                td { (visible_lines(&group.kind)) }
                                td.number { (count(group.jobs)) }
                                td { (age(Some(group.oldest_at), now)) }
                                td { (age(Some(group.newest_at), now)) }
                                td { a href=(format!("/console/operations/jobs/{}", group.example_job)) { "job " (group.example_job) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn group_path(group: &DeadLetterGroup) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("kind", &group.kind)
        .append_pair("reason", &group.reason);
    format!("{PATH}/group?{}", query.finish())
}

/// The filters of the lists that select the jobs of a group, and those that select its deliveries.
pub struct GroupFilters {
    pub jobs: Vec<(&'static str, String)>,
    pub deliveries: Vec<(&'static str, String)>,
}

impl GroupFilters {
    pub fn of(group: &DeadLetterGroup) -> Self {
        let words = group.selecting_words();
        let mut jobs = vec![
            ("state", JobState::Dead.as_str().to_owned()),
            ("kind", group.kind.clone()),
        ];
        let mut deliveries = vec![("outcome", "dead".to_owned())];
        if let Some(words) = words {
            jobs.push(("reason", words.to_owned()));
            deliveries.push(("text", words.to_owned()));
        }
        Self { jobs, deliveries }
    }
}

/// `actions`: the forms, for a reader who may.
pub fn group(group: &DeadLetterGroup, actions: Option<&Markup>, now: DateTime<Utc>) -> Markup {
    let filters = GroupFilters::of(group);
    let list = |path: &str, filters: &[(&str, String)]| {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(filters);
        format!("{path}?{}", query.finish())
    };
    html! {
        dl.facts {
            dt { "Kind of the jobs" } dd { (visible_lines(&group.kind)) }
            dt { "Dead jobs" }
            dd { a href=(list("/console/operations/jobs", &filters.jobs)) { (count(group.jobs)) } }
            dt { "Oldest" } dd { (moment(group.oldest_at, now)) }
            dt { "Newest" } dd { (moment(group.newest_at, now)) }
            dt { "Their deliveries" }
            dd { a href=(list("/console/operations/deliveries", &filters.deliveries)) { "list" } }
        }
        @match group.selecting_words() {
            Some(words) => p {
                "An action selects the dead jobs of this kind, or the dead deliveries, with the text “" (visible_lines(words)) "”. Its dry run says how many."
            },
            None => p {
                "The reason has no fixed words: an action selects all dead jobs of this kind, or all dead deliveries. Its dry run says how many."
            },
        }
        @match actions {
            Some(actions) => (actions),
            None => p.quiet { "Actions require the scope admin." },
        }
    }
}
