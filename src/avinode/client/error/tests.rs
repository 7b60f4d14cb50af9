use super::*;

fn class(error: &FetchError) -> &'static str {
    match error {
        FetchError::Retryable { down: true, .. } => "soon, down",
        FetchError::Retryable { .. } => "soon",
        FetchError::RetryAfter { down: true, .. } => "later, down",
        FetchError::RetryAfter { .. } => "later",
        FetchError::RateLimited { .. } => "limited",
        FetchError::Unauthorized { .. } => "unauthorized",
        FetchError::Forbidden { .. } => "denied",
        FetchError::NotFound { .. } => "not found",
        FetchError::Gone { .. } => "gone",
        FetchError::Permanent { .. } => "refused",
    }
}

#[test]
fn each_status_has_its_class() {
    for (status, expected) in [
        (201, "soon, down"),
        (301, "later, down"),
        (304, "later, down"),
        (400, "later"),
        (401, "unauthorized"),
        (402, "later"),
        (403, "denied"),
        (404, "not found"),
        (405, "later"),
        (408, "soon"),
        (409, "soon"),
        (410, "gone"),
        (422, "later"),
        (423, "soon"),
        (429, "limited"),
        (500, "soon, down"),
        (502, "soon, down"),
        (503, "soon, down"),
        (599, "soon, down"),
    ] {
        let error = FetchError::of_status("GET rfqs/arfq-1", status, &[], RetryHints::default());
        assert_eq!(class(&error), expected, "{status}");
        assert_eq!(error.trips_breaker(), expected.ends_with("down"), "{status}");
        assert!(
            error
                .reason()
                .starts_with(&format!("GET rfqs/arfq-1: Avinode answered {status}"))
        );
    }
}

#[test]
fn a_wait_that_was_told_is_kept_to_and_bounded() {
    let told = |retry_after: Option<u64>, reset: Option<u64>| RetryHints {
        retry_after: retry_after.map(Duration::from_secs),
        reset: reset.map(Duration::from_secs),
    };
    for (retry_after, reset, expected) in [
        (Some(7), Some(9), Some(7)),
        (None, Some(9), Some(9)),
        (None, None, None),
    ] {
        let limited = FetchError::of_status("GET x", 429, &[], told(retry_after, reset));
        let expected = expected.map(Duration::from_secs);
        assert!(matches!(limited, FetchError::RateLimited { after, .. } if after == expected));
    }
    let down = FetchError::of_status("GET x", 503, &[], told(Some(100_000), None));
    assert!(matches!(down, FetchError::RetryAfter { after, down: true, .. } if after == LONGEST));
    // The end of a rate limit's window says nothing about a server in trouble.
    let down = FetchError::of_status("GET x", 503, &[], told(None, Some(9)));
    assert!(matches!(down, FetchError::Retryable { down: true, .. }));
    // After a 400 it is minutes, whatever else is said.
    let odd = FetchError::of_status("GET x", 400, &[], told(Some(7), None));
    assert!(matches!(odd, FetchError::RetryAfter { after, .. } if after == LATER));
}
