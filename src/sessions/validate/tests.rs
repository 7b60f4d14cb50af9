use serde_json::json;

use super::*;

#[test]
fn a_value_that_no_column_can_hold_is_rejected_by_field() {
    let wrong = [
        trip_id("avinode_trip_id", "  ").unwrap_err(),
        id("avinode_rfp_id", &"x".repeat(201)).unwrap_err(),
        step("a\0b").unwrap_err(),
        document("workflow_state", &json!({"a": [{"b": "\0"}]})).unwrap_err(),
        document("metadata", &json!({"a": {"\0": 1}})).unwrap_err(),
        count("quotes_expected_count", -1).unwrap_err(),
    ];
    let fields = wrong.map(|error| match error {
        SessionError::InvalidField { field, .. } => field,
        other => panic!("{other}"),
    });
    let expected = [
        "avinode_trip_id",
        "avinode_rfp_id",
        "current_step",
        "workflow_state",
        "metadata",
        "quotes_expected_count",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_trip_id_is_stored_as_it_was_written() {
    assert_eq!(trip_id("avinode_trip_id", " Atrip-7 ").unwrap(), "Atrip-7");
}
