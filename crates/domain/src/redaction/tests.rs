use serde_json::{Value, json};

use super::Redaction;
use super::bodies::REDACTED_BODY;
use super::person_text::{PersonText, PersonTextError};
use super::trip_material::TripMaterial;

fn person(text: &str) -> Redaction {
    Redaction::Containing(PersonText::parse(text).unwrap())
}

fn redacted(text: &str, body: &str) -> Option<String> {
    let body = person(text).body(body.as_bytes())?;
    Some(String::from_utf8(body).unwrap())
}

#[test]
fn a_text_is_found_in_any_case_and_escaped() {
    for body in [
        r#"{"name":"Zoé Ferry","price":12}"#,
        r#"{"name":"ZO\u00c9 FERRY","price":12}"#,
        r#"{"name":"by zo\u00E9 ferry, today","price":12}"#,
    ] {
        assert_eq!(
            redacted(" Zoé FERRY ", body).unwrap(),
            r#"{"name":"[redacted]","price":12}"#
        );
    }
    assert_eq!(redacted("Zoé Ferry", r#"{"name":"Zoe Ferry"}"#), None);
}

#[test]
fn a_body_with_the_text_elsewhere_than_in_a_value_is_redacted_as_a_whole() {
    let whole = std::str::from_utf8(REDACTED_BODY).unwrap();
    for body in [
        "no JSON of Zoé Ferry",
        r#"{"name":"zo\u00e9 ferry""#,
        r#"{"zoé ferry":1}"#,
        r#"{"name":"Zoé Ferry","name":"another"}"#,
    ] {
        assert_eq!(redacted("Zoé Ferry", body).as_deref(), Some(whole), "{body}");
    }
    assert_eq!(
        redacted("4412345678", r#"{"phone":4412345678}"#).as_deref(),
        Some(whole)
    );
    assert_eq!(redacted("redacted", whole), None, "again changes nothing");
}

#[test]
fn a_text_that_is_too_short_is_refused_and_the_digest_is_that_of_lower_case() {
    assert_eq!(PersonText::parse(" zo "), Err(PersonTextError::TooShort(2)));
    let texts = ["Zoé Ferry", " zoÉ fErry\n"].map(|text| PersonText::parse(text).unwrap());
    assert_eq!(texts[0].digest(), texts[1].digest());
    assert!(!format!("{:?}", person("Zoé Ferry")).to_lowercase().contains("ferry"));
}

#[test]
fn a_body_is_of_a_trip_if_it_names_an_id_of_it() {
    let resources = ["arfq-1", "aquote-2"].map(str::to_owned);
    let trip = TripMaterial::new(["atrip-77".to_owned(), "A1B2C3".to_owned()].into(), resources);
    let names = |body: Value| trip.is_named_in(body.to_string().as_bytes());
    for of_trip in [
        json!({"data": {"tripId": 77}}),
        json!({"data": {"tripId": "77"}}),
        json!({"data": {"trip": {"id": "a1b2c3"}}, "trip": "a1b2c3"}),
        json!({"id": "ARFQ-1"}),
        json!({"href": "https://avinode.example/api/quotes/aquote-2?a=b"}),
    ] {
        assert!(names(of_trip.clone()), "{of_trip}");
    }
    for other in [
        json!({"price": 77}),
        json!({"text": "77 a1b2c3"}),
        json!({"id": "arfq-10"}),
    ] {
        assert!(!names(other.clone()), "{other}");
    }
}

#[test]
fn of_a_timeline_entry_ids_and_prices_stay() {
    let mut detail =
        json!({"quote": "aquote-2", "operator": "Ferry Jets", "price": "9000", "currency": "EUR", "reason": null});
    assert!(Redaction::All.timeline_detail(&mut detail));
    assert_eq!(
        detail,
        json!({"quote": "aquote-2", "operator": "[redacted]", "price": "9000", "currency": "EUR", "reason": null})
    );
    assert!(!Redaction::All.timeline_detail(&mut detail));
}
