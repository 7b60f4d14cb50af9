use std::collections::BTreeMap;
use std::fmt::Debug;

use axum::extract::Query;
use chrono::{DateTime, Utc};
use hyper::Uri;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::super::problem::ApiProblem;
use super::super::query;
use super::*;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    First,
    Second,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Fields {
    id: Option<Uuid>,
    page: Option<u16>,
    count: Option<i32>,
    position: Option<i64>,
    pinned: Option<bool>,
    text: Option<String>,
    step: Option<Step>,
    list: Option<Vec<i32>>,
    object: Option<BTreeMap<String, Value>>,
    at: Option<DateTime<Utc>>,
    inner: Option<Box<Needed>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Needed {
    #[expect(dead_code, reason = "must be there")]
    id: Uuid,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn words<T: Debug + DeserializeOwned>(json: &str) -> String {
    let message = serde_json::from_str::<T>(json).unwrap_err().to_string();
    in_plain_words(message.split(" at line ").next().unwrap())
}

#[test]
fn wrong_types_of_json_fields() {
    for (json, expected) in [
        (r#"{"id": 5}"#, "must be a UUID, not 5"),
        (r#"{"id": "5"}"#, "must be a UUID"),
        (
            r#"{"page": "x, expected y"}"#,
            "must be an integer from 0 to 65535, not a string",
        ),
        (r#"{"page": -1}"#, "must be an integer from 0 to 65535, not -1"),
        (
            r#"{"count": 1.5}"#,
            "must be an integer from -2147483648 to 2147483647, not 1.5",
        ),
        (
            r#"{"count": 3000000000}"#,
            "must be an integer from -2147483648 to 2147483647, not 3000000000",
        ),
        (r#"{"position": []}"#, "must be an integer of 64 bits, not an array"),
        (r#"{"pinned": null, "text": true}"#, "must be a string, not a boolean"),
        (r#"{"pinned": "true"}"#, "must be true or false, not a string"),
        (r#"{"text": {}}"#, "must be a string, not an object"),
        (r#"{"text": 1.5}"#, "must be a string, not a number"),
        (r#"{"text": 99999999999999999999}"#, "must be a string, not a number"),
        (r#"{"step": {"first": 1}}"#, "must be a string, not 1"),
        (r#"{"step": 1}"#, "must be a string"),
        (
            r#"{"at": "12:00"}"#,
            "must be a time with its zone, as 2026-11-30T12:00:00Z",
        ),
        (
            r#"{"at": "2026-11-30T12:00:00"}"#,
            "must be a time with its zone, as 2026-11-30T12:00:00Z",
        ),
        (
            r#"{"at": "2026-02-30T12:00:00Z"}"#,
            "has a month, day or hour that does not exist",
        ),
        (r#"{"inner": []}"#, "must be an object, not an array"),
        (r#"{"step": "third"}"#, "must be one of: first, second"),
        (r#"{"list": 1}"#, "must be an array, not 1"),
        (
            r#"{"list": [null]}"#,
            "must be an integer from -2147483648 to 2147483647, not null",
        ),
        (r#"{"object": 1}"#, "must be an object, not 1"),
        (r#"{"inner": 1}"#, "must be an object, not 1"),
        (
            r#"{"x": 1}"#,
            "is unknown; known are: id, page, count, position, pinned, text, step, list, object, at, inner",
        ),
        (r#"{"page": 1, "page": 1}"#, "is given more than once"),
    ] {
        assert_eq!(words::<Fields>(json), expected, "{json}");
    }
    assert_eq!(words::<Needed>("{}"), "is missing");
    assert_eq!(words::<Needed>(r#"{"x": 1}"#), "is unknown; known are: id");
    assert_eq!(words::<Nothing>(r#"{"x": 1}"#), "is unknown");
}

#[test]
fn unreadable_parameters() {
    for (query, expected) in [
        ("page=", "must be an integer"),
        ("page=x", "must be an integer"),
        ("page=70000", "is too large"),
        ("count=-3000000000", "is too small"),
        ("pinned=1", "must be true or false"),
        ("id=x", "must be a UUID"),
        ("step=third", "must be one of: first, second"),
    ] {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let rejection = Query::<Fields>::try_from_uri(&uri).unwrap_err();
        let field = query.split('=').next().unwrap();
        assert_eq!(
            query::invalid(&rejection),
            ApiProblem::field(field, expected),
            "{query}"
        );
    }
}

#[test]
fn our_own_errors_are_kept() {
    assert_eq!(in_plain_words("must not be null"), "must not be null");
}
