use super::*;

#[test]
fn the_prefix_of_an_id_gives_its_kind() {
    for (id, resource) in [
        ("arfq-12345678", Some("rfqs/arfq-12345678")),
        ("AQuote-1", Some("quotes/AQuote-1")),
        ("atrip-64956150", Some("trips/atrip-64956150")),
        ("asellermsg-1000000007", Some("tripmsgs/asellermsg-1000000007")),
        ("abuyermsg-1-x", Some("tripmsgs/abuyermsg-1-x")),
        ("atripmsg-1", Some("tripmsgs/atripmsg-1")),
        ("whs-1583", None),
        ("64956150", None),
        ("arfq", None),
        ("-1", None),
    ] {
        let found = Resource::by_id(&ResourceId::parse(id).unwrap());
        assert_eq!(found.map(|found| found.to_string()).as_deref(), resource, "{id}");
    }
}

#[test]
fn a_kind_is_parsed_from_its_word_and_from_no_other() {
    for kind in ResourceKind::VARIANTS.iter().copied() {
        assert_eq!(ResourceKind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(ResourceKind::parse(" TripMsgs "), Some(ResourceKind::TripMessages));
    for other in ["", "rfq", "leads", "rfqs/arfq-1"] {
        assert_eq!(ResourceKind::parse(other), None, "{other}");
    }
}
