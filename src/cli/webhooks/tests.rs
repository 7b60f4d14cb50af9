use super::*;

#[test]
fn needed_stands_for_what_the_service_needs_and_nothing_is_named_twice() {
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
