use super::*;

fn read(actions: &str) -> Result<Scenario, String> {
    let text = format!(r#"{{"trips":[{{"short":"S1","id":"atrip-1"}}],"actions":[{actions}]}}"#);
    Scenario::read(text.as_bytes(), None).map_err(|error| match &error {
        ScenarioError::Shape(cause) => format!("{error}: {cause}"),
        _ => error.to_string(),
    })
}

const REQUEST: &str = r#"{"request":{"at":1,"trip":"S1","rfq":"arfq-1","operator":"Northwind Jets"}}"#;
const QUOTE: &str = r#"{"quote":{"at":2,"rfq":"arfq-1","quote":"aquote-1","message":"asellermsg-1",
    "price":"18500.50","currency":"USD"}}"#;

#[test]
fn a_scenario_is_read_whole() {
    let scenario = read(&format!("{REQUEST},{QUOTE}")).unwrap();
    assert_eq!((scenario.length(), scenario.operator_actions()), (2, 1));
    assert!(scenario.trips[0].named);
}

#[test]
fn what_cannot_happen_is_refused_by_its_number() {
    for (actions, why) in [
        (QUOTE.to_owned(), "action 1 names arfq-1, which is not there yet"),
        (format!("{REQUEST},{REQUEST}"), "action 2 makes arfq-1 a second time"),
        (
            format!("{REQUEST},{}", QUOTE.replace(":2,", ":1,")),
            "action 2 is of the same second as another one of its trip, S1",
        ),
        (
            format!("{REQUEST},{},{}", QUOTE, QUOTE.replace(":2,", ":3,")),
            "action 3 quotes for an RFQ that has no lift without a quote",
        ),
        (
            REQUEST.replace("\"S1\"", "\"S2\""),
            "action 1 names S2, which is not there yet",
        ),
        (
            format!("{},{QUOTE}", REQUEST.replace(":1,", ":9,")),
            "action 2 comes after one of second 9, and is of second 2",
        ),
    ] {
        assert_eq!(read(&actions).unwrap_err(), why);
    }
    assert!(
        read(&REQUEST.replace("operator", "opertor"))
            .unwrap_err()
            .contains("opertor")
    );
}
