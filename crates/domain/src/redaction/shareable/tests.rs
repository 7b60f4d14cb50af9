use serde_json::json;

use super::*;

fn shared(value: &Value) -> Value {
    serde_json::from_slice(&body(value.to_string().as_bytes())).unwrap()
}

#[test]
fn ids_kinds_times_and_prices_stay_and_people_do_not() {
    let event = json!({
        "event": "TripRequestSellerResponse",
        "eventId": "evt-1",
        "timestamp": "2026-01-31 10:00:00Z",
        "data": {
            "trip": {"id": "atrip-1", "href": "https://sandbox.avinode.com/api/trips/atrip-1"},
            "request": {"id": "arfq-2", "status": "quoted"},
            "seller": {"id": "acontact-3", "name": "Priya Natarajan", "companyId": "acompany-4", "phone": 447_700_900_123_u64},
            "quote": {
                "id": "aquote-5",
                "totalPrice": {"amount": 18_500_000, "currency": "USD"},
                "price": "USD 18,500.00",
                "validUntil": "2026-02-01T10:00:00Z",
                "aircraft": {"tailNumber": "N012NW", "capacity": 7}
            },
            "quotes": ["aquote-6"],
            "message": {"id": "amsg-7", "text": "Call me on +44 7700 900123"},
            "phone": 447_700_900_123_u64,
            "note": "Priya said so",
            "contactEmailId": "priya@example.com"
        }
    });
    let kept = shared(&event);
    let text = kept.to_string();
    for personal in ["Priya", "priya", "acontact-3", "acompany-4", "7700", "N012NW"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    let data = &kept["data"];
    for (path, value) in [
        (&kept["event"], &event["event"]),
        (&kept["eventId"], &event["eventId"]),
        (&kept["timestamp"], &event["timestamp"]),
        (&data["trip"], &event["data"]["trip"]),
        (&data["request"], &event["data"]["request"]),
        (&data["quote"]["totalPrice"], &event["data"]["quote"]["totalPrice"]),
        (&data["quote"]["price"], &event["data"]["quote"]["price"]),
        (&data["quote"]["validUntil"], &event["data"]["quote"]["validUntil"]),
        (&data["quotes"], &event["data"]["quotes"]),
        (&data["message"]["id"], &event["data"]["message"]["id"]),
    ] {
        assert_eq!(path, value);
    }
}

#[test]
fn a_price_with_words_a_placeholder_and_what_is_no_json_are_redacted() {
    let kept = shared(&json!({"price": "ask Priya Natarajan", "id": "{{now}}"}));
    assert_eq!(kept, json!({"price": REDACTED, "id": REDACTED}));
    assert_eq!(body(b"not json"), REDACTED_BODY);
}

#[test]
fn the_result_is_the_same_again_and_in_a_fixed_order() {
    let once = body(br#"{"b":"x y","a":{"d":1,"c":"z"}}"#);
    assert_eq!(body(&once), once);
    assert!(String::from_utf8(once).unwrap().find("\"a\"") < Some(10));
}
