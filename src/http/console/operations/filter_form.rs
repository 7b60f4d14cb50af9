//! The form of the filters of a list. It is sent as the query of the list.

use maud::{Markup, html};

use super::params::Params;

pub struct Field<'a> {
    name: &'static str,
    label: &'static str,
    input: Input<'a>,
}

enum Input<'a> {
    Text,
    Time,
    Choice(Vec<&'a str>),
}

impl<'a> Field<'a> {
    pub fn text(name: &'static str, label: &'static str) -> Self {
        let input = Input::Text;
        Self { name, label, input }
    }

    /// A time as the API takes it.
    pub fn time(name: &'static str, label: &'static str) -> Self {
        let input = Input::Time;
        Self { name, label, input }
    }

    pub fn choice(name: &'static str, label: &'static str, values: Vec<&'a str>) -> Self {
        let input = Input::Choice(values);
        Self { name, label, input }
    }
}

pub fn filter_form(path: &str, fields: &[Field<'_>], params: &Params) -> Markup {
    html! {
        form.filters method="get" action=(path) role="search" {
            @for field in fields {
                @let value = params.get(field.name).unwrap_or_default();
                label {
                    span { (field.label) }
                    @match &field.input {
                        Input::Text => input type="text" name=(field.name) value=(value) autocomplete="off";,
                        Input::Time => input type="text" name=(field.name) value=(value) autocomplete="off"
                            placeholder="2026-01-31T08:00:00Z";,
                        Input::Choice(values) => select name=(field.name) {
                            option value="" { "any" }
                            @for it in values { option value=(it) selected[*it == value] { (it) } }
                        },
                    }
                }
            }
            button type="submit" { "Filter" }
            @if !params.is_empty() { a href=(path) { "Clear" } }
        }
    }
}

/// A link to the next page, with the same filters.
pub fn next_page(path: &str, params: &Params, cursor: Option<&str>) -> Markup {
    let filters = params.without(&["cursor"]).encoded();
    let and = if filters.is_empty() { "" } else { "&" };
    html! {
        @if let Some(cursor) = cursor {
            nav aria-label="Pages" { a rel="next" href=(format!("{path}?{filters}{and}cursor={cursor}")) { "Next page" } }
        }
    }
}
