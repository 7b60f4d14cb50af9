use super::*;

#[test]
fn needed_is_replaced_by_the_needed_event_types_without_duplicates() {
    let named = |names: &[&str]| events(names.iter().map(ToString::to_string).collect());
    assert_eq!(named(&["needed"]), NEEDED_EVENTS.map(|(event, _)| event));
    let more = named(&["TripChatMine", "TripChatFromSeller", "needed", "TripChatMine"]);
    assert_eq!(
        more,
        [
            "TripChatMine",
            "TripChatFromSeller",
            "TripRequestSellerResponse",
            "TripRequestMine"
        ]
    );
}
