use super::*;
use crate::domain::event::{Money, Party};

#[test]
fn what_is_written_is_read_back_and_events_alone_need_no_column() {
    let at = |seconds: i64| DateTime::from_timestamp(1_780_000_000 + seconds, 123_456_000);
    let quote = QuoteId::parse("aquote-1").unwrap();
    let details = |amount: Option<&str>| QuoteDetails {
        quote: quote.clone(),
        request: Some(RfqId::parse("arfq-1").unwrap()),
        price: amount.map(|amount| Money {
            amount: amount.parse().unwrap(),
            currency: "USD".to_owned(),
        }),
        operator: Party {
            id: None,
            name: Some("Northwind \u{fffd} \"Jets\"".to_owned()),
        },
        aircraft_type: Some("Light jet".to_owned()),
        aircraft_tail: None,
        valid_until: at(500),
    };
    let version = |at, source, byte| FactVersion {
        at,
        source,
        digest: [byte; 32],
    };
    let event = QuoteHistory::once(details(Some("12000.1")), version(at(1), FactSource::Event, 1), at(1));
    assert_eq!(write(&event), None);
    let mut said = event.clone();
    said.take(&QuoteHistory::once(
        details(None),
        version(at(3), FactSource::Document, 2),
        None,
    ));
    said.take(&QuoteHistory::once(
        details(Some("0.01")),
        version(at(2), FactSource::Document, 255),
        at(0),
    ));
    said.take(&QuoteHistory::stood(at(4)));
    let mut described = said.clone();
    (described.received, described.event) = (false, None);
    assert_eq!(read(&quote, write(&described)), Some(described));
    assert_eq!(read(&quote, write(&said)), Some(said));
    let stood = QuoteHistory::stood(at(4));
    assert_eq!(read(&quote, write(&stood)), Some(stood));
    let only = only(details(Some("12000.1")), version(at(1), FactSource::Event, 1), at(1));
    assert_eq!(only, event);
}
