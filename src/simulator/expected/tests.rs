use super::*;

fn truth(actions: &str) -> ExpectedTrip {
    let text = format!(
        r#"{{"updated_on":true,"trips":[{{"short":"S1","id":"atrip-1"}}],"actions":[
        {{"request":{{"at":1,"trip":"S1","rfq":"arfq-1","operator":"A"}}}},
        {{"request":{{"at":2,"trip":"S1","rfq":"arfq-2","operator":"B"}}}},
        {{"lift":{{"at":3,"rfq":"arfq-1"}}}}{actions}]}}"#
    );
    let scenario = Scenario::read(text.as_bytes(), None).unwrap();
    Expected::of(&scenario).trips["S1"].clone()
}

fn quote(at: u64, rfq: u8, number: u8, price: &str, currency: &str) -> String {
    format!(
        r#",{{"quote":{{"at":{at},"rfq":"arfq-{rfq}","quote":"aquote-{number}","message":"asellermsg-{number}",
        "price":"{price}","currency":"{currency}"}}}}"#
    )
}

fn ids(truth: &ExpectedTrip) -> [Option<&str>; 3] {
    let leading = &truth.primary;
    [&leading.latest, &leading.first, &leading.lowest_price]
        .map(|primary| primary.as_ref().map(|primary| primary.quote.as_str()))
}

#[test]
fn each_policy_has_its_leader_and_a_changed_price_is_no_second_quote() {
    let changed = r#",{"price":{"at":9,"quote":"aquote-1","price":"70"}}"#;
    let story = [
        quote(4, 1, 1, "100", "USD"),
        quote(5, 2, 2, "80", "USD"),
        quote(6, 1, 3, "1", "EUR"),
    ]
    .concat();
    assert_eq!(
        ids(&truth(&story)),
        [Some("aquote-3"), Some("aquote-1"), Some("aquote-2")]
    );
    let truth = truth(&(story + changed));
    assert_eq!(
        (truth.quotes, truth.requests, truth.step()),
        (3, 2, Some("requesting_quotes"))
    );
    assert_eq!(ids(&truth), [Some("aquote-1"); 3]);
    assert_eq!(truth.primary.latest.unwrap().price, "70.00");
}

#[test]
fn a_decline_takes_an_rfqs_quotes_out_until_one_is_changed() {
    let story = [quote(4, 1, 1, "100", "USD"), quote(5, 1, 2, "80", "USD")].concat()
        + r#",{"decline":{"at":6,"rfq":"arfq-1","message":"asellermsg-9","reason":"OTHER"}}"#;
    let declined = truth(&story);
    assert_eq!((declined.quotes, ids(&declined)), (2, [None; 3]));
    let again = truth(&(story + r#",{"price":{"at":7,"quote":"aquote-2","price":"90"}}"#));
    assert_eq!(ids(&again), [Some("aquote-2"); 3]);
    assert_eq!(again.primary.first.unwrap().operator, "A");
}
