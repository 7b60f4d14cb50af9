use serde_json::json;

use super::*;

fn read(value: &Value) -> Envelope {
    Envelope::read(value.to_string().as_bytes()).unwrap()
}

#[test]
fn data_without_errors_is_a_success() {
    let empty = [json!([]), json!(null), json!({}), json!(false), json!(" ")];
    for errors in empty {
        let envelope = read(&json!({"data": {"id": "arfq-1"}, "meta": {"errors": errors, "warnings": [{}]}}));
        assert_eq!(
            (envelope.data, envelope.errors),
            (Some(json!({"id": "arfq-1"})), vec![])
        );
    }
    assert_eq!(read(&json!({"data": []})).data, Some(json!([])));
    for nothing in [
        json!({"data": null}),
        json!({"meta": {}}),
        json!([1]),
        json!("x"),
        json!(null),
    ] {
        assert_eq!(read(&nothing).data, None, "{nothing}");
    }
}

#[test]
fn an_error_of_any_shape_is_quoted_and_bounded() {
    let long = "x".repeat(10_000);
    let errors = json!([{"title": "Gone\u{1b}[2J", "code": 404, "path": "/a"}, {"code": "423"}, {"title": long}, {}]);
    let envelope = read(&json!({"meta": {"errors": errors}}));
    let words = quoted(&envelope.errors);
    assert!(words.starts_with("\"Gone[2J\" (404), code 423, \"xxx"), "{words}");
    assert!(words.len() < 400);
    let statuses: Vec<_> = envelope.errors.iter().map(ApiError::status).collect();
    assert_eq!(statuses, [Some(404), Some(423), None]);
    for odd in [
        json!("broken"),
        json!({"title": "broken"}),
        json!(7),
        json!(true),
        json!([null]),
    ] {
        assert_eq!(
            read(&json!({"data": {}, "meta": {"errors": odd}})).errors.len(),
            1,
            "{odd}"
        );
    }
}

#[test]
fn a_body_that_is_not_json_is_an_error() {
    assert!(Envelope::read(b"<html>").is_err());
    assert!(Envelope::read(b"").is_err());
    assert!(Envelope::read("[".repeat(100_000).as_bytes()).is_err());
}
