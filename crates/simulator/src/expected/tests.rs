use super::*;

fn expected(actions: &str) -> ExpectedTrip {
    let text = format!(
        r#"{{"updated_on":true,"trips":[{{"short":"S1","id":"atrip-1"}}],"actions":[
        {{"rfq":{{"at":1,"trip":"S1","rfq":"arfq-1","operator":"A"}}}},
        {{"rfq":{{"at":2,"trip":"S1","rfq":"arfq-2","operator":"B"}}}},
        {{"lift":{{"at":3,"rfq":"arfq-1"}}}}{actions}]}}"#
    );
    let scenario = Scenario::read(text.as_bytes(), None).unwrap();
    Expected::after(&scenario).trips["S1"].clone()
}

fn quote(at: u64, rfq: u8, number: u8, price: &str, currency: &str) -> String {
    format!(
        r#",{{"quote":{{"at":{at},"rfq":"arfq-{rfq}","quote":"aquote-{number}","message":"asellermsg-{number}",
        "price":"{price}","currency":"{currency}"}}}}"#
    )
}

fn primary_ids(trip: &ExpectedTrip) -> [Option<&str>; 3] {
    let primary = &trip.primary;
    [&primary.latest, &primary.first, &primary.lowest_price].map(|quote| Some(quote.as_ref()?.id.as_str()))
}

#[test]
fn each_policy_selects_its_quote_and_a_changed_price_is_not_a_second_quote() {
    let changed = r#",{"price":{"at":9,"quote":"aquote-1","price":"70"}}"#;
    let actions = [
        quote(4, 1, 1, "100", "USD"),
        quote(5, 2, 2, "80", "USD"),
        quote(6, 1, 3, "1", "EUR"),
    ]
    .concat();
    assert_eq!(
        primary_ids(&expected(&actions)),
        [Some("aquote-3"), Some("aquote-1"), Some("aquote-2")]
    );
    let trip = expected(&(actions + changed));
    assert_eq!(
        (trip.quotes(), trip.rfqs, trip.step()),
        (3, 2, Some("requesting_quotes"))
    );
    assert_eq!(primary_ids(&trip), [Some("aquote-1"); 3]);
    assert_eq!(trip.primary.latest.unwrap().price, "70.00");
}

#[test]
fn a_decline_excludes_the_quotes_of_its_rfq_until_one_is_changed() {
    let actions = [quote(4, 1, 1, "100", "USD"), quote(5, 1, 2, "80", "USD")].concat()
        + r#",{"decline":{"at":6,"rfq":"arfq-1","message":"asellermsg-9","reason":"OTHER"}}"#;
    let declined = expected(&actions);
    assert_eq!((declined.quotes(), primary_ids(&declined)), (2, [None; 3]));
    let again = expected(&(actions + r#",{"price":{"at":7,"quote":"aquote-2","price":"90"}}"#));
    assert_eq!(primary_ids(&again), [Some("aquote-2"); 3]);
    assert_eq!(again.primary.first.unwrap().price, "90.00");
}
