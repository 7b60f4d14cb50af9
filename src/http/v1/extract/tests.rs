use super::*;
use crate::domain::chat_session::input::NewChatSession;
use crate::domain::chat_session::patch::TripPatch;
use crate::http::v1::admin::batches::NewBatchRequest;

fn field<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    match parse::<T>(text.as_bytes()) {
        Err(ApiProblem::ValidationFailed(error)) => error.field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_invalid_field_is_named() {
    let ids = r#""conversation_id": "00000000-0000-0000-0000-000000000001""#;
    assert_eq!(field::<NewChatSession>(&format!("{{{ids}}}")), "iso_agent_id");
    assert_eq!(field::<NewChatSession>(r#"{"subject": 1}"#), "subject");
    assert_eq!(
        field::<NewChatSession>(r#"{"conversation_id": "1"}"#),
        "conversation_id"
    );
    assert_eq!(
        field::<NewChatSession>(&format!(r#"{{{ids}, "status": "completed"}}"#)),
        "status"
    );
    assert_eq!(
        field::<NewChatSession>(&format!(r#"{{{ids}, "workflow_state": []}}"#)),
        "workflow_state"
    );
    assert_eq!(field::<NewChatSession>(&format!("{{{ids}, {ids}}}")), "conversation_id");
    assert_eq!(
        field::<TripPatch>(r#"{"quotes_expected_count": 1.5}"#),
        "quotes_expected_count"
    );
    assert_eq!(
        field::<TripPatch>(r#"{"quotes_expected_count": 3000000000}"#),
        "quotes_expected_count"
    );
    for value in ["[]", " 1", "null"] {
        assert_eq!(field::<TripPatch>(value), "body", "{value}");
    }
}

#[test]
fn an_error_contains_nothing_of_the_value() {
    for (body, expected) in [
        (
            r#"{"quotes_expected_count": "a at line 1, expected b"}"#,
            "quotes_expected_count must be an integer from -2147483648 to 2147483647, not a string",
        ),
        (r#"{"status": null}"#, "status must not be null"),
    ] {
        let problem = parse::<TripPatch>(body.as_bytes()).unwrap_err();
        let ApiProblem::ValidationFailed(error) = problem else {
            panic!("{problem:?}")
        };
        assert_eq!(error.detail, expected);
    }
}

/// A number in place of an enum is an error of syntax to serde_json.
#[test]
fn a_value_of_another_type_is_an_invalid_field_and_not_invalid_json() {
    for value in ["1", "[]", "null", "true"] {
        let body = format!(r#"{{"action": {value}}}"#);
        assert_eq!(field::<NewBatchRequest>(&body), "action", "{value}");
    }
}

#[test]
fn invalid_json_is_not_an_invalid_field() {
    for text in ["", "{", "{} {}", "\u{feff}{}", r#"{"current_step": "\ud800"}"#] {
        let problem = parse::<TripPatch>(text.as_bytes()).unwrap_err();
        assert_eq!(problem, ApiProblem::Common(Problem::InvalidJson), "{text:?}");
    }
    let deep = format!(
        r#"{{"workflow_state": {}{}}}"#,
        r#"{"a":"#.repeat(200),
        "1".to_owned() + &"}".repeat(200)
    );
    assert_eq!(
        parse::<TripPatch>(deep.as_bytes()).unwrap_err(),
        ApiProblem::Common(Problem::InvalidJson)
    );
}
