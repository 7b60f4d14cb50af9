//! Changes that the API shows late.

use std::collections::BTreeSet;

use super::*;

#[tokio::test]
async fn a_late_change_is_shown_in_the_end() {
    let setup = TestSetup::start(SimulatorOptions {
        api_faults: ApiFaults {
            late: 1.0,
            lateness: Duration::from_millis(300),
            ..ApiFaults::default()
        },
        ..quick()
    })
    .await;
    setup.simulator.play().await.unwrap();
    assert_eq!(setup.get("tripmsgs/asellermsg-1000011003").await.0, 404);
    // All of its changes are late, and its RFQ's.
    assert_eq!(setup.get("tripmsgs/asellermsg-1000011001").await.0, 404);
    assert_eq!(setup.get("rfqs/arfq-20011001").await.0, 404);
    let deadline = Instant::now() + Duration::from_secs(10);
    while setup.get("tripmsgs/asellermsg-1000011003").await.0 != 200 {
        assert!(Instant::now() < deadline, "the change is not shown");
    }
    let mut results = setup.results();
    assert_eq!(results.pop(), Some(CallResult::Served));
    assert!(
        results.iter().all(|result| *result == CallResult::NotFound),
        "{results:?}"
    );
}

/// Of two changes within the lag, one or both are not shown: the resource is as it was created, or missing.
#[tokio::test]
async fn a_resource_that_was_created_and_changed_within_the_lag_is_shown_as_it_was_created() {
    let mut shown = BTreeSet::new();
    for seed in 0..20 {
        let options = SimulatorOptions {
            api_faults: ApiFaults {
                late: 0.5,
                lateness: Duration::from_secs(3600),
                ..ApiFaults::default()
            },
            ..quick()
        };
        let setup = TestSetup::start_with_seed(options, seed).await;
        setup.simulator.play().await.unwrap();
        for path in ["tripmsgs/asellermsg-1000011001", "quotes/aquote-386511001"] {
            let (status, body) = setup.get(path).await;
            let quote = if path.starts_with("quotes") {
                &body["data"]
            } else {
                &body["data"]["sellerQuote"]
            };
            let price = quote["sellerPrice"]["price"].to_string();
            let result = match price.as_str() {
                "null" => CallResult::NotFound,
                "18400.00" => CallResult::Stale,
                _ => CallResult::Served,
            };
            assert_eq!(setup.results().pop(), Some(result), "{price}");
            shown.insert((path, status, price));
        }
    }
    assert_eq!(shown.len(), 6, "{shown:?}");
}
