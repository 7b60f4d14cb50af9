//! The parts of a quote that are only displayed.

use serde_json::json;

use super::support::{observed, quote_of, read};
use ingest_domain::event::QuoteDescription;

#[test]
fn a_message_with_a_quote_describes_it_by_its_text_and_its_lift() {
    let document = read(
        "tripmsgs/asellermsg-1",
        &json!({
            "sellerQuote": {"id": "aquote-1", "sellerPrice": {"price": 9000, "currency": "USD"}},
            "message": "Catering is included.\n\tBest regards",
            "lift": [{"aircraft": {"model": "Example 300", "capacity": 8}, "maxPax": "7", "links": {"quotes": [{"id": "aquote-1"}]}}],
        }),
    );
    let expected = QuoteDescription {
        aircraft_model: Some("Example 300".to_owned()),
        aircraft_capacity: Some(7),
        message: Some("Catering is included.\nBest regards".to_owned()),
        ..QuoteDescription::default()
    };
    assert_eq!(quote_of(&document).description, expected);
}

#[test]
fn a_quote_document_describes_the_quote_by_its_message() {
    let document = read(
        "quotes/aquote-1",
        &json!({"sellerPrice": {"price": 9000, "currency": "USD"}, "sellerMessage": " Subject to availability ", "lift": {"maxPax": 0}}),
    );
    let expected = QuoteDescription {
        message: Some("Subject to availability".to_owned()),
        ..QuoteDescription::default()
    };
    assert_eq!(observed(&document).description, expected);
}
