use super::*;

fn read(actions: &str) -> Result<Scenario, String> {
    let text = format!(r#"{{"trips":[{{"short":"S1","id":"atrip-1"}}],"actions":[{actions}]}}"#);
    Scenario::read(text.as_bytes(), None).map_err(|error| match &error {
        ScenarioError::Syntax(cause) => format!("{error}: {cause}"),
        _ => error.to_string(),
    })
}

const RFQ: &str = r#"{"rfq":{"at":1,"trip":"S1","rfq":"arfq-1","operator":"Northwind Jets"}}"#;
const QUOTE: &str = r#"{"quote":{"at":2,"rfq":"arfq-1","quote":"aquote-1","message":"asellermsg-1",
    "price":"18500.50","currency":"USD"}}"#;

#[test]
fn a_valid_scenario_is_read() {
    let scenario = read(&format!("{RFQ},{QUOTE}")).unwrap();
    assert_eq!((scenario.length(), scenario.operator_actions()), (2, 1));
    assert!(scenario.trips[0].named);
}

#[test]
fn an_impossible_action_is_an_error_with_its_number() {
    for (actions, error) in [
        (QUOTE.to_owned(), "action 1 names arfq-1, which does not exist yet"),
        (format!("{RFQ},{RFQ}"), "action 2 creates arfq-1 a second time"),
        (
            format!("{RFQ},{}", QUOTE.replace(":2,", ":1,")),
            "action 2 is of the same second as another action of its trip, S1",
        ),
        (
            format!("{RFQ},{},{}", QUOTE, QUOTE.replace(":2,", ":3,")),
            "action 3 quotes for an RFQ that has no lift without a quote",
        ),
        (
            RFQ.replace("\"S1\"", "\"S2\""),
            "action 1 names S2, which does not exist yet",
        ),
        (
            format!("{},{QUOTE}", RFQ.replace(":1,", ":9,")),
            "action 2 is of second 2, and comes after one of second 9",
        ),
    ] {
        assert_eq!(read(&actions).unwrap_err(), error);
    }
    assert!(
        read(&RFQ.replace("operator", "opertor"))
            .unwrap_err()
            .contains("opertor")
    );
}
