use super::*;

fn class(error: &FetchError) -> &'static str {
    match error.kind {
        FetchErrorKind::Retryable {
            after: None,
            down: true,
        } => "retryable, down",
        FetchErrorKind::Retryable {
            after: None,
            down: false,
        } => "retryable",
        FetchErrorKind::Retryable { down: true, .. } => "retry after, down",
        FetchErrorKind::Retryable { .. } => "retry after",
        FetchErrorKind::RateLimited { .. } => "rate limited",
        FetchErrorKind::Unauthorized => "unauthorized",
        FetchErrorKind::Forbidden => "forbidden",
        FetchErrorKind::NotFound => "not found",
        FetchErrorKind::Gone => "gone",
        FetchErrorKind::Permanent => "permanent",
    }
}

#[test]
fn each_status_has_its_class() {
    for (status, expected) in [
        (201, "retryable, down"),
        (301, "retry after, down"),
        (304, "retry after, down"),
        (400, "retry after"),
        (401, "unauthorized"),
        (402, "retry after"),
        (403, "forbidden"),
        (404, "not found"),
        (405, "retry after"),
        (408, "retryable"),
        (409, "retryable"),
        (410, "gone"),
        (422, "retry after"),
        (423, "retryable"),
        (429, "rate limited"),
        (500, "retryable, down"),
        (502, "retryable, down"),
        (503, "retryable, down"),
        (599, "retryable, down"),
    ] {
        let error = FetchError::from_status("GET rfqs/arfq-1", status, &[], RetryHints::default());
        assert_eq!(class(&error), expected, "{status}");
        assert_eq!(error.trips_breaker(), expected.ends_with("down"), "{status}");
        assert!(
            error
                .reason()
                .starts_with(&format!("GET rfqs/arfq-1: Avinode responded with {status}"))
        );
    }
}

#[test]
fn retry_hints_are_honoured_and_bounded() {
    let hints = |retry_after: Option<u64>, reset: Option<u64>| RetryHints {
        retry_after: retry_after.map(Duration::from_secs),
        reset: reset.map(Duration::from_secs),
    };
    for (retry_after, reset, expected) in [
        (Some(7), Some(9), Some(7)),
        (None, Some(9), Some(9)),
        (None, None, None),
    ] {
        let limited = FetchError::from_status("GET x", 429, &[], hints(retry_after, reset));
        let expected = expected.map(Duration::from_secs);
        assert!(matches!(limited.kind, FetchErrorKind::RateLimited { after } if after == expected));
    }
    let down = FetchError::from_status("GET x", 503, &[], hints(Some(100_000), None));
    assert!(matches!(down.kind, FetchErrorKind::Retryable { after, down: true } if after == Some(MAX_RETRY_AFTER)));
    // The reset of the rate limit's window says nothing about a failing server.
    let down = FetchError::from_status("GET x", 503, &[], hints(None, Some(9)));
    assert!(matches!(
        down.kind,
        FetchErrorKind::Retryable {
            after: None,
            down: true
        }
    ));
    // After a 400 the delay is minutes, whatever the headers say.
    let odd = FetchError::from_status("GET x", 400, &[], hints(Some(7), None));
    assert!(matches!(odd.kind, FetchErrorKind::Retryable { after, .. } if after == Some(LONG_DELAY)));
}
