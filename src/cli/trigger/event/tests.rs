use super::*;
use crate::clock::Clock;

#[test]
fn every_kind_is_an_event_with_the_given_ids_and_the_present_time() {
    let (ids, now) = (EventIds::random(), Clock::System.now());
    for kind in TriggerKind::value_variants() {
        let body = body(*kind, &ids, &EventTexts::default(), now).unwrap();
        let event: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(event["eventId"], json!(ids.event), "{kind:?}");
        for (word, id) in named(*kind, &ids) {
            assert!(String::from_utf8_lossy(&body).contains(&id), "{kind:?}: {word}");
        }
        assert_eq!(event["data"]["trip"]["id"], json!(ids.trip), "{kind:?}");
        assert!(
            event
                .to_string()
                .contains(&now.to_rfc3339_opts(SecondsFormat::Millis, true)),
            "{kind:?}"
        );
    }
}

#[test]
fn a_quote_has_the_given_price_to_the_cent_and_a_message_the_given_text() {
    let texts = EventTexts {
        price: "12345678.90".parse().ok(),
        currency: Some("EUR".to_owned()),
        text: Some("It's 20 °C".to_owned()),
    };
    let of = |kind| {
        let body = body(kind, &EventIds::random(), &texts, Clock::System.now()).unwrap();
        String::from_utf8(body).unwrap()
    };
    let quote = of(TriggerKind::Quote);
    assert!(
        quote.contains("\"amount\":12345678.90") && quote.contains("\"currency\":\"EUR\""),
        "{quote}"
    );
    assert!(of(TriggerKind::Message).contains("It's 20 °C"));
}
