use chrono::DateTime;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::super::{QuoteProjection, values};
use super::*;
use crate::domain::event::{FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails};
use crate::domain::ids::QuoteId;
use crate::domain::quote::ReceivedQuote;
use crate::domain::quote_history::observation::ChangeTime;

fn details(amount: i64, operator: &str) -> QuoteDetails {
    QuoteDetails {
        quote: QuoteId::parse("aquote-1").unwrap(),
        rfq: None,
        price: Some(Money {
            amount: Decimal::from(amount),
            currency: "USD".to_owned(),
        }),
        unread_price: None,
        operator: Party {
            id: Some("company-1".to_owned()),
            name: Some(operator.to_owned()),
        },
        aircraft_type: Some("Light Jet".to_owned()),
        aircraft_tail: None,
        valid_until: None,
        created_at: None,
        description: QuoteDescription {
            aircraft_capacity: Some(6),
            ..QuoteDescription::default()
        },
    }
}

/// Compares a row with a quote of 50,000 by Northwind that was 46,400 by A. Seller before.
fn changes(row: Value, written: Value) -> Value {
    let newest = ReceivedQuote {
        details: details(50_000, "Northwind"),
        version: FactVersion {
            at: None,
            seen_at: DateTime::UNIX_EPOCH,
            source: FactSource::Event,
            digest: [0; 32],
        },
        first_fact_at: DateTime::UNIX_EPOCH,
        changed: ChangeTime {
            at: DateTime::UNIX_EPOCH,
            source: FactSource::Event,
            seen_at: DateTime::UNIX_EPOCH,
        },
    };
    let mut stated = StatedValues::of_details(&newest.details);
    stated.merge(&StatedValues::of_details(&details(46_400, "A. Seller")));
    let quote = newest.details.quote.clone();
    let projection = QuoteProjection {
        trip_key: "atrip-1",
        quote: &quote,
        facts: &newest,
        stated: &stated,
        is_newly_stated: false,
        price: Decimal::from(50_000),
        row: None,
        request_id: None,
        new_id: uuid::Uuid::nil(),
        payload: None,
    };
    let object = |value: Value| value.as_object().cloned().unwrap_or_default();
    let change = compare(
        &object(row),
        &values::of_quote(&projection),
        &[&stated],
        &object(written),
    );
    Value::Object(change.columns)
}

#[test]
fn a_value_that_avinode_stated_is_replaced_and_any_other_is_left() {
    for (row, expected) in [
        (json!({"total_price": 46400.00}), json!({"total_price": "50000.00"})),
        (json!({"total_price": 50000}), json!({})),
        (json!({"total_price": 46400.01}), json!({})),
        (json!({"total_price": "NaN"}), json!({})),
        (
            json!({"operator_name": " A. Seller "}),
            json!({"operator_name": "Northwind"}),
        ),
        (
            json!({"operator_name": "unknown"}),
            json!({"operator_name": "Northwind"}),
        ),
        (json!({"operator_name": "Ours"}), json!({})),
    ] {
        assert_eq!(changes(row.clone(), json!({})), expected, "{row}");
    }
}

#[test]
fn keys_of_an_object_are_compared_one_by_one() {
    for (details, expected) in [
        (json!(null), json!({"type": "Light Jet", "capacity": 6})),
        (json!({}), json!({"type": "Light Jet", "capacity": 6})),
        (
            json!({"type": "Heavy", "range": 9}),
            json!({"type": "Heavy", "range": 9, "capacity": 6}),
        ),
        (json!({"type": "Light Jet", "capacity": 6}), json!(null)),
        (json!(["Heavy"]), json!(null)),
    ] {
        let row = json!({"total_price": 50000, "aircraft_type": "Light Jet", "aircraft_details": details});
        let found = changes(row, json!({}));
        assert_eq!(found["aircraft_details"], expected, "{details}");
    }
}

#[test]
fn the_currency_is_written_with_the_price_only() {
    let row = |price: i64, currency: &str| json!({"total_price": price, "metadata": {"currency": currency, "note": 1}});
    assert_eq!(changes(row(7, "usd"), json!({"metadata.currency": "usd"})), json!({}));
    let changed = changes(row(46_400, "usd"), json!({"metadata.currency": "usd"}));
    assert_eq!(changed["metadata"], json!({"currency": "USD", "note": 1}));
    assert_eq!(
        changes(row(46_400, "EUR"), json!({})),
        json!({"total_price": "50000.00"})
    );
}

#[test]
fn an_empty_column_is_filled_in_a_row_with_the_price_and_the_aircraft_of_the_quote() {
    let row = |price: i64, aircraft: &str| json!({"total_price": price, "aircraft_type": aircraft, "aircraft_details": {}, "operator_id": null});
    let filled = json!({"type": "Light Jet", "capacity": 6});
    for (row, operator, details) in [
        (row(50_000, "Light Jet"), json!("company-1"), filled),
        (row(50_000, "Heavy"), json!("company-1"), json!(null)),
        (row(47_000, "Light Jet"), json!(null), json!(null)),
    ] {
        let found = changes(row.clone(), json!({}));
        assert_eq!(
            (&found["operator_id"], &found["aircraft_details"]),
            (&operator, &details),
            "{row}"
        );
    }
}

#[test]
fn a_column_that_the_application_emptied_stays_empty() {
    let row = json!({"message_content": null, "aircraft_type": null});
    assert_eq!(changes(row, json!({"aircraft_type": "Light Jet"})), json!({}));
}

#[test]
fn a_value_that_avinode_no_longer_states_is_removed_unless_it_is_the_applications() {
    let row = json!({"aircraft_tail_number": "N1"});
    assert_eq!(changes(row.clone(), json!({})), json!({}));
    assert_eq!(
        changes(row, json!({"aircraft_tail_number": "N1"})),
        json!({"aircraft_tail_number": null})
    );
}

#[test]
fn a_kept_value_stays_in_the_record() {
    let written: Map<String, Value> = Map::from_iter([("operator_name".to_owned(), json!("A. Seller"))]);
    let change = compare(&Map::new(), &[], &[], &written);
    assert_eq!(change.written, written);
}

#[test]
fn values_that_the_application_inserted_are_compared_in_their_canonical_form() {
    let inserted = inserted_values(&json!({
        "price": ["50000.00"], "valid_until": ["2026-12-24T10:00:00+01:00"], "operator": [" A. Seller "], "unknown_part": ["1"],
    }));
    for (part, value, expected) in [
        (StatedPart::Price, "50000.00", true),
        (StatedPart::ValidUntil, "2026-12-24T09:00:00.000000Z", true),
        (StatedPart::Operator, "A. Seller", true),
        (StatedPart::Currency, "USD", false),
    ] {
        assert_eq!(inserted.contains(part, value), expected, "{value}");
    }
    let row: Map<String, Value> = Map::from_iter([("total_price".to_owned(), json!(50000.0))]);
    let price = [values::ProjectedValue {
        column: "total_price",
        key: None,
        part: StatedPart::Price,
        value: json!("60000.00"),
    }];
    let stated = StatedValues::default();
    assert!(compare(&row, &price, &[&stated], &Map::new()).columns.is_empty());
    let change = compare(&row, &price, &[&stated, &inserted], &Map::new());
    assert_eq!(change.columns["total_price"], json!("60000.00"));
}
