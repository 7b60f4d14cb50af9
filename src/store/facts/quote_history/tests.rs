use super::*;
use crate::domain::event::{Money, Party, QuoteDescription, QuoteOrigin};
use crate::domain::ids::RfqId;

fn at(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 123_456_000)
}

fn details(amount: Option<&str>) -> QuoteDetails {
    QuoteDetails {
        quote: QuoteId::parse("aquote-1").unwrap(),
        rfq: Some(RfqId::parse("arfq-1").unwrap()),
        price: amount.map(|amount| Money {
            amount: amount.parse().unwrap(),
            currency: "USD".to_owned(),
        }),
        unread_price: None,
        operator: Party {
            id: None,
            name: Some("Northwind \u{fffd} \"Jets\"".to_owned()),
        },
        aircraft_type: Some("Light jet".to_owned()),
        aircraft_tail: None,
        valid_until: at(500),
        created_at: at(7),
        description: QuoteDescription::default(),
    }
}

fn version(at: Option<DateTime<Utc>>, source: FactSource, byte: u8) -> FactVersion {
    FactVersion {
        at,
        seen_at: self::at(3).unwrap(),
        source,
        digest: [byte; 32],
    }
}

fn one_event() -> QuoteHistory {
    QuoteHistory::of_received(details(Some("12000.1")), &version(at(1), FactSource::Event, 1), at(1))
}

#[test]
fn a_written_history_is_read_back() {
    let quote = QuoteId::parse("aquote-1").unwrap();
    let mut received = one_event();
    let price_missing = version(at(3), FactSource::Document, 2);
    received.merge(&QuoteHistory::of_received(details(None), &price_missing, None));
    let cheaper = version(at(2), FactSource::Document, 255);
    received.merge(&QuoteHistory::of_received(details(Some("0.01")), &cheaper, at(0)));
    received.merge(&QuoteHistory::of_reaffirmed(at(4).unwrap()));
    let mut observed = received.clone();
    (observed.made_by_seller, observed.linked) = (false, true);
    observed.observations.pop();
    let generated = QuoteHistory::of_origin(QuoteOrigin::Generated);
    for history in [
        received,
        observed,
        generated,
        QuoteHistory::of_reaffirmed(at(4).unwrap()),
    ] {
        assert_eq!(
            read(
                &quote,
                write(&history).map(|history| serde_json::to_value(history).unwrap())
            ),
            Some(history)
        );
    }
}

#[test]
fn the_history_of_one_event_needs_no_column() {
    assert_eq!(write(&one_event()), None);
    let in_other_columns = of_one_observation(details(Some("12000.1")), &version(at(1), FactSource::Event, 1), at(1));
    assert_eq!(in_other_columns, one_event());
}
