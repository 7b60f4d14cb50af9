use super::*;

#[test]
fn every_spelling_of_a_trip_id_has_one_normal_form() {
    for spelling in ["64956150", " atrip-64956150 ", "ATRIP-64956150"] {
        assert_eq!(TripId::parse(spelling).unwrap().as_str(), "atrip-64956150");
    }
    for spelling in ["a1b2c3", "A1B2C3", "\tA1b2C3\n"] {
        assert_eq!(TripId::parse(spelling).unwrap().as_str(), "A1B2C3");
    }
}

#[test]
fn an_empty_long_or_unprintable_id_is_refused_with_its_reason() {
    assert_eq!(QuoteId::parse("  "), Err(IdError::Empty));
    assert_eq!(QuoteId::parse("a\0b"), Err(IdError::ControlCharacter));
    assert_eq!(QuoteId::parse(&"x".repeat(201)), Err(IdError::TooLong(201)));
}
