use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    trip: Option<String>,
    limit: Option<u16>,
}

#[test]
fn empty_fields_are_left_out_and_the_others_are_parsed() {
    let params = Params::read("trip=&limit=20&text=a%26b+c");
    assert_eq!(params.get("text"), Some("a&b c"));
    assert_eq!(params.get("trip"), None);
    let filter: Filter = params.without(&["text"]).parse().unwrap();
    let expected = Filter {
        trip: None,
        limit: Some(20),
    };
    assert_eq!(filter, expected);
    assert_eq!(params.encoded(), "limit=20&text=a%26b+c");
}

#[test]
fn an_invalid_value_and_an_unknown_name_are_refused() {
    assert!(Params::read("limit=x").parse::<Filter>().is_err());
    assert!(Params::read("other=1").parse::<Filter>().is_err());
}
