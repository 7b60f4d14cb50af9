use super::*;

#[test]
fn a_summary_names_the_kind_and_the_subject() {
    let at = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let quote = QuoteId::parse("aquote-1").unwrap();
    let expired = TimelineEvent::quote_expired(&quote, at);
    assert_eq!(expired.summary(), "quote_expired aquote-1");
    let cancelled = TimelineEvent::trip_changed(TripStatus::Cancelled, None, None, Some(at));
    assert_eq!(cancelled.summary(), "trip_cancelled");
}
