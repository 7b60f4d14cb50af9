use serde_json::json;

use super::*;

#[test]
fn the_parts_that_are_not_asked_for_are_left_out() {
    let whole = json!({
        "id": "arfq-1", "updatedOn": "now", "createdOn": "before",
        "links": {"trips": [], "tripmsgs": []},
        "sellerLift": [{"id": "alift-1", "aircraftType": "Light jet", "aircraftTail": "N000EX",
            "latestQuote": {"id": "aquote-1", "updatedOn": "now"}}],
    });
    let shown = |query: &str| {
        let mut document = whole.clone();
        remove_unasked(&mut document, query);
        document
    };
    let least =
        json!({"id": "arfq-1", "createdOn": "before", "links": {"trips": []}, "sellerLift": [{"id": "alift-1"}]});
    assert_eq!(shown(""), least);
    assert_eq!(shown("latestquote=false&timestamps"), least);
    let all = "latestquote=true&sellermessagelinks=true&timestamps=true&taildetails=true&typedetails=true";
    assert_eq!(shown(all), whole);
    let mut list = json!([whole]);
    remove_unasked(&mut list, "");
    assert_eq!(list, json!([least]));
}
