use super::ParameterAnswer::{BadRequest, Document, Other};
use super::*;
use ingest_domain::ids::ResourceId;

fn rfq(id: &str) -> Resource {
    Resource {
        kind: ResourceKind::Rfqs,
        id: ResourceId::parse(id).unwrap(),
    }
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + minutes * 60, 0).unwrap()
}

#[test]
fn parameters_are_written_per_kind_and_nothing_is_none() {
    let parsed: QueryParameters = "rfqs?latestquote=true&timestamps=true, trips?a-b=c_1".parse().unwrap();
    assert_eq!(parsed.of(ResourceKind::Rfqs), Some("latestquote=true&timestamps=true"));
    assert_eq!(parsed.of(ResourceKind::Trips), Some("a-b=c_1"));
    assert_eq!(parsed.of(ResourceKind::Quotes), None);
    assert_eq!("".parse(), Ok(QueryParameters::default()));
    let default = QueryParameters::needed();
    assert!(default.of(ResourceKind::Rfqs).unwrap().contains("latestquote=true"));
    for wrong in [
        "leads?a=b",
        "rfqs",
        "rfqs?",
        "rfqs?a",
        "rfqs?a=",
        "rfqs?a=b&",
        "rfqs?a=b#c",
        "rfqs?a=%20",
        "rfqs?a=b/../c",
        "rfqs?a=b,rfqs?c=d",
        "latestquote=true",
    ] {
        assert!(wrong.parse::<QueryParameters>().is_err(), "{wrong}");
    }
}

#[test]
fn a_kind_whose_parameters_are_refused_is_called_without_them_for_an_hour() {
    let mut refused = RefusedParameters::default();
    assert!(!refused.record(&rfq("arfq-1"), true, BadRequest, at(0)));
    assert!(refused.applies_to(&rfq("arfq-1"), at(0)));
    assert!(!refused.applies_to(&rfq("arfq-2"), at(0)), "not known yet");
    assert!(!refused.record(&rfq("arfq-1"), false, Other, at(0)));
    assert!(refused.record(&rfq("arfq-1"), false, Document, at(1)));
    assert!(refused.applies_to(&rfq("arfq-2"), at(60)));
    assert!(!refused.record(&rfq("arfq-2"), false, Document, at(2)), "said once");
    assert!(!refused.applies_to(&rfq("arfq-1"), at(61)));
}

#[test]
fn a_resource_that_is_refused_in_either_way_costs_the_others_nothing() {
    let mut refused = RefusedParameters::default();
    refused.record(&rfq("arfq-1"), true, BadRequest, at(0));
    refused.record(&rfq("arfq-1"), false, BadRequest, at(0));
    assert!(!refused.applies_to(&rfq("arfq-2"), at(0)));
    refused.record(&rfq("arfq-2"), true, Document, at(0));
    assert!(!refused.record(&rfq("arfq-1"), false, Document, at(5)));
    assert!(!refused.applies_to(&rfq("arfq-2"), at(5)));
    assert!(refused.applies_to(&rfq("arfq-1"), at(5)), "one call each");
}
